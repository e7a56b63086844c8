"""How far a total may lie from what was measured, and whether a grade boundary lies within that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from harness.findings import Finding, finding
from harness.inputs.assignment.points import rounded, total
from harness.stages.evidence.grade import Mark
from harness.stages.evidence.record import Interval


def rounded_interval(interval: Interval | None, points: float | None) -> Interval | None:
    """The interval rounded as points are; it holds the rounded points.

    None for a mark that a person gives, and where both ends give the same points, as beyond a criterion's anchors.
    """
    if interval is None or points is None:
        return None
    low, high = min(rounded(interval[0]), points), max(rounded(interval[1]), points)
    return None if low == high else (low, high)


def of_total(marks: Sequence[Mark], after_lateness: Callable[[float], float]) -> Interval | None:
    """The 95 % interval of the marks' sum, after the late policy; None where no mark has one, or a mark is open.

    Several marks with intervals rest on the same images, and so their ends are added: they may all be off in one
    direction.
    """
    if any(mark.points is None for mark in marks) or all(mark.points_interval is None for mark in marks):
        return None
    low, high = (
        after_lateness(
            total(mark.points_interval[end] if mark.points_interval else mark.points or 0.0 for mark in marks)
        )
        for end in (0, 1)
    )
    return low, high


def crossed(interval: Interval | None, boundaries: Collection[float]) -> tuple[float, ...]:
    """The grade boundaries that a total within the interval may reach or miss."""
    if interval is None:
        return ()
    return tuple(boundary for boundary in boundaries if interval[0] < boundary <= interval[1])


def borderline(points: float, interval: Interval, boundaries: Sequence[float], uncertain: Sequence[str]) -> Finding:
    """The finding for a total near a boundary. `uncertain`: titles of the criteria whose points rest on a sample."""
    return finding(
        "grade-borderline",
        points=points,
        low=interval[0],
        high=interval[1],
        boundaries=" and ".join(f"{boundary:g}" for boundary in boundaries),
        criteria=", ".join(repr(title) for title in uncertain),
    )
