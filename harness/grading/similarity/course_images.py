"""The stage `course-images`: which of the instructor's images show one photograph or one scene.

Held-out and training images are described by the phase `audit`, as a student's data set is. They lie in one folder
under numbers, so that no label enters the sandbox. They are compared outside, as those of two students are: copies
between classes and sets, and photographs of one scene between the held-out and the training images of a class.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.files.hashing import file_sha256
from harness.files.user_folders import default_folder
from harness.findings import sentence
from harness.grading.similarity.shared_images import shared
from harness.grading.similarity.shared_parts import Owned
from harness.inputs.assignment.limits import ResourceLimits
from harness.sandbox import Sandbox
from harness.stages.audit import ImageSet
from harness.stages.audit.hashing import ORIENTATIONS, distances, hashes, oriented
from harness.stages.audit.matching import Prepared, match_turned, prepared
from harness.stages.audit.reply import Reply, Said, image_set, read_images
from harness.stages.cache import StageCache
from harness.stages.context import Rejected, StageContext, failed, read_reply, usage
from harness.stages.evidence.record import Record
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.progress import Progress
from harness.stages.runner import StageRunner
from harness.stages.stage import Stage
from harness.stages.store import Store

_SECONDS = 3600.0
_KEYPOINT_SECONDS = 0.75 * _SECONDS
_ORDER = ("held_out", "dataset", "unseen")
_BITS = (
    22  # of 64 that may differ in a pair that is compared in detail, as `audit/proposing.py` has it for hashes alone
)
_NEAREST = 4  # training images that are compared with each held-out one
_STILL = 0.5  # pixels of 128, as in `Match.copy`; no camera makes a mirror image of a scene without moving
_LIMITS = ResourceLimits(wall_seconds=_SECONDS, cpus=1)

Pair = tuple[int, int]


class ComparedImages(Record):
    """Positions in the request. `sizes`: width and height in pixels, None for an image that does not decode.

    `copies`: pairs that are one photograph, perhaps mirrored, turned, cropped or re-encoded; each image is paired with
    one of every other owner. `scenes`: a held-out and a training image of one scene that are no copies.
    """

    sizes: tuple[tuple[int, int] | None, ...]
    copies: tuple[Pair, ...]
    scenes: tuple[Pair, ...]
    complete: bool  # False when there were too many similar pairs to compare all


@dataclass(frozen=True, slots=True)
class CourseImage:
    """An image of the set `key` (`held_out`, `dataset` or `unseen`), and its class; None where it has none."""

    key: str
    label: str | None
    file: Path


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """The images, at most `MOST_IMAGES`."""

    images: tuple[CourseImage, ...]

    def key(self) -> object:
        """The images' contents and classes, in their order; not their paths."""
        return [(file_sha256(one.file), one.key, one.label) for one in self.images]


def _compare(request: CompareRequest, context: StageContext) -> StageResult[ComparedImages]:
    with tempfile.TemporaryDirectory(prefix="harness-compare-") as folder:
        numbered, outputs = Path(folder, "images"), Path(folder, "sent")
        outputs.mkdir()
        _number([one.file for one in request.images], numbered)
        asked = {"embed_seconds": 0.0, "keypoint_seconds": _KEYPOINT_SECONDS}
        outcome = context.run("audit", asked, {"dataset": numbered}, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Comparing the course's images", context.limits)
        try:
            said = read_reply(outputs, "audit.json", Said)
            reply = Reply.model_construct(**dict(said), images=read_images(outputs, said.parts))
            value = _compared(reply, outputs, request.images)
        except Rejected as rejected:
            return Failed(status="rejected", reason=sentence("job-unusable", what="The comparison", why=rejected.whole))
    return Done(value=value, origin="measured-inside", usage=usage(outcome))


def _number(files: Sequence[Path], folder: Path) -> None:
    """Put the files into the folder as `00000.jpg`, `00001.png`, ...: links where possible, readable for all."""
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    for number, file in enumerate(files):
        original, place = file.resolve(), folder / f"{number:05}{file.suffix.lower()}"
        if original.stat().st_mode & 0o044 == 0o044:
            with contextlib.suppress(OSError):  # another file system
                os.link(original, place)
                continue
        shutil.copyfile(original, place)
        place.chmod(0o644)


def _compared(reply: Reply, outputs: Path, all_images: Sequence[CourseImage]) -> ComparedImages:
    """The comparison. Raises `Rejected` for a reply that is not about these images."""
    readable = [index for index, row in enumerate(reply.images) if row.seen is not None]
    described = image_set(reply, readable, outputs)
    try:
        numbers = [int(name.partition(".")[0]) for name in described.names]
    except ValueError:
        numbers = [-1]
    if len(set(numbers)) != len(numbers) or not set(numbers) <= set(range(len(all_images))):
        raise Rejected(sentence("reply-malformed", name="images-0.json"))
    sizes: list[tuple[int, int] | None] = [None] * len(all_images)
    for number, seen in zip(numbers, described.described, strict=True):
        sizes[number] = (seen.width, seen.height)
    owners = [all_images[number] for number in numbers]
    copies, complete = copied(described, owners)
    more, scenes = same_scenes(described, owners, {index for pair in copies for index in pair})
    return ComparedImages(
        sizes=tuple(sizes),
        copies=tuple(sorted((numbers[i], numbers[j]) for i, j in [*copies, *more])),
        scenes=tuple(sorted((numbers[i], numbers[j]) for i, j in scenes)),
        complete=complete,
    )


def copied(described: ImageSet, owners: Sequence[CourseImage]) -> tuple[list[Pair], bool]:
    """Pairs of copies in different classes or sets, and whether all likely pairs were compared.

    `owners`: what each image is. As for two students' images, two photographs of one scene are no copies.
    """
    members: dict[str, list[int]] = {}
    for index, one in enumerate(owners):
        members.setdefault(f"{_ORDER.index(one.key)} {one.label or ''}", []).append(index)

    def owned(those: list[int]) -> Owned:
        keypoints = described.keypoints
        return Owned(
            tuple(described.described[index].sha256 for index in those),
            lambda: described.greys[those],
            None if keypoints is None else lambda: keypoints[those],
        )

    names = sorted(members)
    found = shared({name: owned(members[name]) for name in names})
    pairs = [
        (members[one][i], members[other][j])
        for one in names
        for other, listed in found.pairs.get(one, {}).items()
        if names.index(one) < names.index(other)
        for i, j in listed
    ]
    return pairs, not found.cut


def same_scenes(
    described: ImageSet, owners: Sequence[CourseImage], passed_over: Collection[int]
) -> tuple[list[Pair], list[Pair]]:
    """Pairs of a held-out image and a training image of its class: copies, and others that certainly show one scene.

    The nearest by their hashes, upright and in the likeliest of the other orientations, are compared in detail; more
    careful than `copied`, whose bounds are those of a whole class.
    """
    copies, scenes = list[Pair](), list[Pair]()
    turned = [hashes(oriented(described.greys, number)) for number in range(ORIENTATIONS)]

    @functools.cache
    def ready(index: int) -> Prepared:
        return prepared(described.greys[index])

    for label in sorted({one.label for one in owners if one.label is not None}):
        held_out, training = (
            [i for i, one in enumerate(owners) if (one.key, one.label) == (key, label) and i not in passed_over]
            for key in ("held_out", "dataset")
        )
        if not held_out or not training:
            continue
        bits = np.stack([distances(turned[0][held_out], one[training]) for one in turned])
        for row, mine in enumerate(held_out):
            for column, orientation in _to_compare(bits[:, row]):
                other = training[column]
                seen = match_turned(ready(mine), ready(other), orientation)
                if seen.same_scene:
                    is_mirrored = orientation % 2 == 1 and seen.moved < _STILL
                    (copies if seen.copy or is_mirrored else scenes).append((mine, other))
    return _each_once(copies), [pair for pair in _each_once(scenes) if pair not in copies]


def _to_compare(bits: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Training images that are near to one held-out image, and how each is turned; `bits`: (orientations, images)."""
    likeliest = 1 + bits[1:].argmin(axis=0)
    upright = [(int(column), 0) for column in np.argsort(bits[0], kind="stable")[:_NEAREST]]
    order = np.argsort(bits[1:].min(axis=0), kind="stable")[:_NEAREST]
    every = [*upright, *((int(column), int(likeliest[column])) for column in order)]
    return [(column, orientation) for column, orientation in every if bits[orientation, column] <= _BITS]


def _each_once(pairs: list[Pair]) -> list[Pair]:
    return list(dict.fromkeys(pairs))


COURSE_IMAGES = Stage("course-images", ComparedImages, _compare)


def compared(images: tuple[CourseImage, ...], sandbox: Sandbox, progress: Progress) -> StageResult[ComparedImages]:
    """The comparison, kept by the images' contents. The limits are ours, not those of the course's submissions."""
    store = Store(default_folder())
    runner = StageRunner(
        None, StageContext(sandbox, store, _LIMITS), StageCache(store, sandbox.environment_id), progress
    )

    def starting() -> None:
        progress.say(f"Comparing the course's {len(images)} images with each other; this is done once ...")

    return runner.run(COURSE_IMAGES, CompareRequest(images), starting=starting)
