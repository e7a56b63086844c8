"""What can be said of a detector in sentences, each with its numbers; the words are the catalogue's."""

from __future__ import annotations

from collections.abc import Sequence

from harness.findings import sentence
from harness.stages.evaluate.detection.circumstances import Circumstances, Overlapped, WeakSpot
from harness.stages.evaluate.detection.counting import Counting
from harness.stages.evaluate.detection.false_alarms import FalseAlarms
from harness.stages.latency_statistics import significant

_OFTEN = 0.1  # of a class's objects taken for one other class: below, it is not said
_AT_LEAST = 3  # objects taken for it


def on_classes(found: Circumstances, spots: Sequence[WeakSpot], classes: Sequence[str]) -> tuple[str, ...]:
    """For each class with objects how many are found, and whether small ones are found less often."""
    small = {spot.label: spot for spot in spots}
    said = []
    for label, recall in enumerate(found.per_class):
        if recall is None:
            continue
        spot = small.get(label)
        if spot is None:
            low, high = recall.interval
            said.append(
                sentence(
                    "finds-objects",
                    found=recall.found,
                    objects=recall.objects,
                    name=classes[label],
                    share=recall.share,
                    low=low,
                    high=high,
                )
            )
        else:
            said.append(
                sentence(
                    "finds-fewer-small",
                    found=recall.found,
                    objects=recall.objects,
                    name=classes[label],
                    share=recall.share,
                    few=spot.small.found,
                    small=spot.small.objects,
                    few_share=spot.small.share,
                    below=spot.below,
                )
            )
    return tuple(said)


def on_overlapped(found: Overlapped | None) -> tuple[str, ...]:
    """That objects beside others are found less often, where they are."""
    if found is None:
        return ()
    some, apart = found.overlapped, found.apart
    return (
        sentence(
            "finds-fewer-overlapped",
            few=some.found,
            overlapped=some.objects,
            few_share=some.share,
            found=apart.found,
            apart=apart.objects,
            share=apart.share,
        ),
    )


def on_confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> tuple[str, ...]:
    """For each class the one other that its objects are most often taken for, where that is often.

    `matrix`: that of `error_types.confusion`; the last row and column are background.
    """
    said = []
    for label, name in enumerate(classes):
        others = [(count, other) for other, count in enumerate(matrix[label][:-1]) if other != label]
        objects, (wrong, other) = sum(matrix[label]), max(others, default=(0, 0), key=lambda one: one[0])
        if wrong >= _AT_LEAST and wrong >= _OFTEN * objects:
            said.append(sentence("takes-for", wrong=wrong, objects=objects, name=name, other=classes[other]))
    return tuple(said)


def on_counts(counted: Counting) -> str:
    """How well it counts the objects of an image."""
    scores = counted.all_objects
    low, high = scores.exact_interval
    return sentence(
        "counts-right",
        exact=scores.exact,
        images=scores.images,
        share=scores.exact_share,
        low=low,
        high=high,
        error=scores.mean_absolute_error,
    )


def on_false_alarms(alarms: FalseAlarms, *, drawn: bool = False) -> str | None:
    """How often it reports objects where there are none; None without images. `drawn`: they are patterns."""
    if alarms.alarmed_interval is None:
        return None
    low, high = alarms.alarmed_interval
    return sentence(
        "false-alarms-on-patterns" if drawn else "false-alarms",
        images=alarms.images,
        boxes=_roughly(sum(alarms.per_class)),
        alarmed=alarms.alarmed,
        share=alarms.alarmed / alarms.images,
        low=low,
        high=high,
    )


def _roughly(count: int) -> str:
    """The count to two figures, since a student reads it, and a model can report as much as it likes."""
    shown = int(significant(count))
    return f"{shown:,}" if shown == count else f"about {shown:,}"
