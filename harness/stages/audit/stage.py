"""The stage `audit`: examines the submission's own data set, and withholds a part of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.files.hashing import known_sha256
from harness.findings import Finding, finding, sentence
from harness.inputs.assignment.sections import OwnDataset
from harness.inputs.submission import Submission
from harness.stages.audit import ImageSet, SceneMap, scene_map
from harness.stages.audit.box_findings import about_boxes, of_boxes
from harness.stages.audit.choosing import choose, classes_shown, to_search, usable, with_objects
from harness.stages.audit.findings import findings_of, images_in_words
from harness.stages.audit.kept import kept
from harness.stages.audit.mislabelled import suspects
from harness.stages.audit.objects import Objects
from harness.stages.audit.quality import badly_exposed, blurred, from_elsewhere, scene_spread
from harness.stages.audit.reply import MOST_IMAGES, Reply, Said, image_set, objects_of, read_images
from harness.stages.audit.withhold import withheld_images
from harness.stages.context import (
    Rejected,
    StageContext,
    failed,
    read_reply,
    usage,
)
from harness.stages.evidence.audit import (
    BoxFault,
    DatasetAudit,
    Leak,
    MislabelSuspect,
    WithheldImage,
)
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult

_MOST_LEAKS = 500
_SEARCHED_SIDE = 512  # pixels: no reference detector takes more
_MOST_NAMED = 100
_SHARE_FOR_EMBEDDING = 0.5  # of the wall time
_SHARE_FOR_KEYPOINTS = 0.25


@dataclass(frozen=True, slots=True)
class AuditRules:
    """The assignment's requirements on a data set, and the weights for comparing images."""

    asked: OwnDataset
    withholds: bool
    backbone: Path | None  # MobileNetV2's weights; without them only hashes are compared
    detection: bool = False  # whether boxes are asked for: an image then shows each class of which it has an object
    searches: bool = False  # for detection: whether the reference looks for objects without a box

    def key(self) -> object:
        """The identity of what decides the result besides the data set."""
        return [
            self.asked,
            self.withholds,
            self.backbone and known_sha256(self.backbone),
            self.detection,
            self.searches,
        ]


def audit(submission: Submission, rules: AuditRules, context: StageContext) -> StageResult[DatasetAudit]:
    """The data set's content and faults; `Skipped` when none was handed in."""
    if submission.dataset is None:
        return Skipped(reason=sentence("no-data-set"))
    place = submission.root / submission.dataset
    inputs = {"dataset": place}
    if rules.backbone is not None:
        inputs["backbone"] = rules.backbone
    request = {
        "embed_seconds": context.limits.wall_seconds * _SHARE_FOR_EMBEDDING,
        "keypoint_seconds": context.limits.wall_seconds * _SHARE_FOR_KEYPOINTS,
    }
    with tempfile.TemporaryDirectory(prefix="harness-audit-") as folder:
        outputs = Path(folder)
        outcome = context.run("audit", request, inputs, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Reading the data set", context.limits)
        try:
            said = read_reply(outputs, "audit.json", Said)
            if said.refused:
                unusable = finding("dataset-unusable", reason=said.refused)
                return Failed(status="rejected", reason=unusable.message, findings=(unusable,), usage=usage(outcome))
            reply = Reply.model_construct(**dict(said), images=read_images(outputs, said.parts))
            value, findings = _judged(reply, outputs, place, rules, context)
        except Rejected as rejected:
            reason = sentence("job-unusable", what="The audit", why=rejected.whole)
            return Failed(status="rejected", reason=reason)
    return Done(value=value, origin="measured-inside", findings=findings, usage=usage(outcome))


def _judged(
    reply: Reply, outputs: Path, place: Path, rules: AuditRules, context: StageContext
) -> tuple[DatasetAudit, tuple[Finding, ...]]:
    readable = [index for index, row in enumerate(reply.images) if row.seen is not None]
    images = image_set(reply, readable, outputs)
    scenes = scene_map(images)
    groups = scenes.group_of(len(images))
    objects = objects_of(reply)
    own = [objects[index] for index in readable]
    shown = classes_shown(images.labels, own, rules.detection)
    withheld: tuple[WithheldImage, ...] = ()
    known: tuple[WithheldImage, ...] = ()
    if rules.withholds:
        rows = [reply.images[index] for index in readable]
        chosen, training = choose(images, groups, shown, usable(rows, own, reply.listed, rules.detection), rules.asked)
        if not rules.detection:
            training = ()
        both = {readable[i]: (images.names[i], images.labels[i] or "") for i in sorted({*chosen, *training})}
        made = dict(zip(both, withheld_images(both, place, context), strict=True))
        if rules.detection:
            made = {index: with_objects(one, reply.images[index], objects[index]) for index, one in made.items()}
        withheld, known = (tuple(made[readable[i]] for i in part) for part in (chosen, training))
    value = _audit(reply, images, scenes, groups, shown, withheld)
    if rules.detection:
        value = value.model_copy(update={**of_boxes(reply, readable, images, own), "known": known})
    if rules.searches and value.objects:
        value = value.model_copy(update={"searched": _to_search(reply, readable, images, shown, own, place, context)})
    value = value.model_copy(update=kept(value, images, own if rules.detection else (), outputs, context))
    findings = findings_of(
        value,
        rules.asked,
        rules.withholds,
        unreadable=len(reply.images) - len(readable),
        detection=rules.detection,
        bursts=_bursts(images, scenes),
        annotation_faults=reply.faults,
    )
    if rules.detection:
        findings += about_boxes(value, reply)
    if reply.left_out:
        findings += (finding("dataset-cut", count=reply.left_out, most=MOST_IMAGES),)
    if reply.odd:
        findings += (finding("dataset-odd-files", count=reply.odd),)
    if reply.in_several:
        findings += (finding("dataset-merged-sets", count=images_in_words(reply.in_several)),)
    if not scenes.complete:
        findings += (finding("comparison-cut", what=sentence("compared-within")),)
    return value, findings


def _to_search(
    reply: Reply,
    readable: Sequence[int],
    images: ImageSet,
    shown: Sequence[frozenset[str]],
    objects: Sequence[Objects],
    place: Path,
    context: StageContext,
) -> tuple[WithheldImage, ...]:
    """Some of the images, small, with what is drawn on them. `shown`, `objects`: of each readable image."""
    rows = [reply.images[index] for index in readable]
    chosen = to_search(images, rows, shown)
    made = withheld_images({readable[i]: (images.names[i], "") for i in chosen}, place, context, _SEARCHED_SIDE)
    return tuple(with_objects(one, rows[i], objects[i]) for i, one in zip(chosen, made, strict=True))


def _audit(
    reply: Reply,
    images: ImageSet,
    scenes: SceneMap,
    groups: NDArray[np.int64],
    shown: Sequence[frozenset[str]],
    withheld: tuple[WithheldImage, ...],
) -> DatasetAudit:
    names = images.names
    position = {name: index for index, name in reversed(list(enumerate(names)))}
    sizes = sorted({(one.width * one.height, one.width, one.height) for one in images.described})
    aspects = [one.width / one.height for one in images.described]

    def named(sets: tuple[tuple[int, ...], ...]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(names[i] for i in together) for together in sets)

    def those(indices: list[int]) -> tuple[str, ...]:
        return tuple(names[i] for i in indices[:_MOST_NAMED])

    return DatasetAudit(
        classes=_counts(shown),
        unreadable=tuple(row.name for row in reply.images if row.seen is None)[:_MOST_NAMED],
        layout=reply.layout,
        splits={split: n for split in ("train", "val", "test", "other") if (n := images.splits.count(split))},
        unlabelled=sum(not labels for labels in shown),
        heldout=_counts([shown[position[one.picture]] for one in withheld]),
        groups=named(scenes.groups),
        duplicates=named(scenes.exact),
        near_duplicates=named(scenes.scenes),
        leaks=_leaks(images, scenes),
        scene_spread=scene_spread(images),
        mislabelled=_mislabelled(images, shown, groups),
        two_labels=named(_with_two_labels(shown, scenes)),
        box_faults=tuple(
            BoxFault(picture=row.name, kind=kind, label=label) for row in reply.images for kind, label in row.box_faults
        )[:_MOST_NAMED],
        blurred=those(blurred(images)),
        badly_exposed=those(badly_exposed(images)),
        from_elsewhere=those(from_elsewhere(images)),
        smallest=sizes[0][1:] if sizes else None,
        largest=sizes[-1][1:] if sizes else None,
        aspects=(round(min(aspects), 4), round(max(aspects), 4)) if aspects else None,
        compared_by="hashes" if images.embeddings is None else "embeddings",
        parts_compared=images.keypoints is not None and bool(images.keypoints[:, 0].any(axis=1).all()),
        withheld=withheld,
        labels={name: label for name, label in zip(names, images.labels, strict=True) if label is not None},
        own_test=tuple(name for name, split in zip(names, images.splits, strict=True) if split == "test"),
        pixels={name: one.sha256 for name, one in zip(names, images.described, strict=True)},
    )


def _counts(shown: Sequence[frozenset[str]]) -> dict[str, int]:
    """Class, sorted by name -> images that show it."""
    return dict(sorted(Counter(label for labels in shown for label in labels).items()))


def _leaks(images: ImageSet, scenes: SceneMap) -> tuple[Leak, ...]:
    """For each scene in several splits, a pair of images for every two of these."""
    copies = {index: together[0] for together in scenes.copies for index in together}
    found: list[Leak] = []
    for together in scenes.scenes:
        if len(found) >= _MOST_LEAKS:
            break
        by_split: dict[str, list[int]] = {}
        for index in together:
            if images.splits[index]:
                by_split.setdefault(images.splits[index], []).append(index)
        order = [split for split in ("train", "val", "test", "other") if split in by_split]
        for position, split in enumerate(order):
            copied = {copies[i]: i for i in reversed(by_split[split]) if i in copies}  # keeps the first of each
            for later in order[position + 1 :]:
                for j in by_split[later]:
                    same = j in copies and copies[j] in copied
                    i = copied[copies[j]] if same else by_split[split][0]
                    found.append(
                        Leak(
                            picture=images.names[i],
                            split=split,
                            other=images.names[j],
                            other_split=later,
                            kind="copy" if same else "burst",
                        )
                    )
    return tuple(found[:_MOST_LEAKS])


def _bursts(images: ImageSet, scenes: SceneMap) -> list[tuple[str, ...]]:
    """Scenes with three photographs or more, the copies of one photograph counted once."""
    copy_of = {index: together[0] for together in scenes.copies for index in together}
    found = []
    for together in scenes.scenes:
        different = {copy_of.get(index, index) for index in together}
        if len(different) >= 3:
            found.append(tuple(images.names[index] for index in together))
    return found


def _with_two_labels(shown: Sequence[frozenset[str]], scenes: SceneMap) -> tuple[tuple[int, ...], ...]:
    """The sets of copies of one photograph whose classes differ."""
    different = [one for one in scenes.copies if len({shown[i] for i in one if shown[i]}) > 1]
    return tuple(different[:_MOST_NAMED])


def _mislabelled(
    images: ImageSet, shown: Sequence[frozenset[str]], groups: NDArray[np.int64]
) -> tuple[MislabelSuspect, ...]:
    """The suspects among images of one class."""
    labelled = [index for index, classes in enumerate(shown) if len(classes) == 1]
    if images.embeddings is None or not labelled:
        return ()
    labels = [next(iter(shown[index])) for index in labelled]
    found = suspects(labels, groups[labelled], images.embeddings[labelled])
    return tuple(
        MislabelSuspect(
            picture=images.names[labelled[one.picture]],
            label=one.label,
            looks_like=one.looks_like,
            probability=one.probability,
        )
        for one in found[:_MOST_NAMED]
    )
