"""The findings about a data set: one for each fault, with an example."""

from __future__ import annotations

from collections.abc import Sequence

from harness.findings import Finding, finding, sentence
from harness.inputs.assignment.sections import OwnDataset
from harness.stages.evidence.audit import DatasetAudit

_MOST_EXAMPLES = 3


def findings_of(
    value: DatasetAudit,
    asked: OwnDataset,
    withholds: bool,
    *,
    detection: bool = False,
    unreadable: int,
    bursts: Sequence[tuple[str, ...]],
    annotation_faults: Sequence[str],
) -> tuple[Finding, ...]:
    """The findings. `bursts`: scenes with three photographs or more. `unreadable`: the number of such files."""
    found = []
    if unreadable:
        names = ", ".join(value.unreadable[:_MOST_EXAMPLES]) + (", ..." if unreadable > _MOST_EXAMPLES else "")
        found.append(finding("dataset-unreadable-images", count=unreadable, names=names))
    found += _about_classes(value, asked)
    found += _about_scenes(value, bursts)
    if value.mislabelled:
        first = value.mislabelled[0]
        example = f"{first.picture} looks like {first.looks_like}"
        found.append(finding("dataset-mislabelled", count=images_in_words(len(value.mislabelled)), example=example))
    if value.two_labels:
        here, *others = (name for name in value.two_labels[0] if name in value.labels)
        there = next((name for name in others if value.labels[name] != value.labels[here]), others[0])
        code = "dataset-two-labels-of-boxes" if detection else "dataset-two-labels"
        count = images_in_words(sum(map(len, value.two_labels)))
        found.append(finding(code, count=count, example=f"{here} and {there}"))
    if value.box_faults:
        box = value.box_faults[0]
        faulty = len({fault.picture for fault in value.box_faults})
        example = f"{box.picture}: {box.kind.replace('-', ' ')}"
        found.append(finding("dataset-box-faults", count=images_in_words(faulty), example=example))
    if annotation_faults:
        count = f"{len(annotation_faults)} annotation{'' if len(annotation_faults) == 1 else 's'}"
        found.append(finding("dataset-annotation-unreadable", count=count, example=annotation_faults[0]))
    if withholds:
        found += _about_withheld(value, asked, detection)
    return tuple(found)


def _about_classes(value: DatasetAudit, asked: OwnDataset) -> list[Finding]:
    found = []
    count = len(value.classes)
    if count > asked.max_classes:
        found.append(finding("dataset-too-many-classes", classes=count, most=asked.max_classes))
    if count < asked.min_classes:
        found.append(finding("dataset-too-few-classes", classes=count, least=asked.min_classes))
    few = [f"{name} ({n})" for name, n in value.classes.items() if n < asked.min_images_per_class]
    if few:
        named = ", ".join(few[:8]) + (f" and {len(few) - 8} more" if len(few) > 8 else "")
        found.append(finding("dataset-too-few-images", classes=named, least=asked.min_images_per_class))
    return found


def _about_scenes(value: DatasetAudit, bursts: Sequence[tuple[str, ...]]) -> list[Finding]:
    found = []
    copies = [leak for leak in value.leaks if leak.kind == "copy"]
    across = [leak for leak in value.leaks if leak.kind == "burst"]
    if copies:
        example = f"{copies[0].picture} is {copies[0].other}"
        found.append(
            finding("dataset-leak", count=images_in_words(len({leak.other for leak in copies})), example=example)
        )
    if across:
        what = f"{images_in_words(len({leak.other for leak in across}))} show a scene of another split"
        found.append(finding("dataset-burst", what=what, example=f"{across[0].picture} and {across[0].other}"))
    elif bursts:
        largest = max(bursts, key=len)
        scenes = f"{len(bursts)} scene{'' if len(bursts) == 1 else 's'}"
        what = f"{images_in_words(sum(map(len, bursts)))} are bursts of {scenes}"
        found.append(finding("dataset-burst", what=what, example=f"{largest[0]} to {largest[-1]}"))
    return found


def _about_withheld(value: DatasetAudit, asked: OwnDataset, detection: bool) -> list[Finding]:
    if not can_be_graded(value, detection):
        reason = sentence("withheld-needs-boxes" if detection else "withheld-needs-two-classes")
        return [finding("withheld-impossible", reason=reason)]
    few = [name for name in value.classes if value.heldout.get(name, 0) < asked.withhold_per_class]
    if few:
        return [finding("withheld-too-few", classes=", ".join(few[:8]), least=asked.withhold_per_class)]
    return []


def can_be_graded(value: DatasetAudit, detection: bool) -> bool:
    """Whether enough was withheld: images of two classes, or for detection of one, which has a background beside it."""
    return len(value.heldout) >= (1 if detection else 2)


def images_in_words(count: int) -> str:
    return f"{count} image{'' if count == 1 else 's'}"
