"""The class page's part about texts that look alike: the values of `templates/alike.html.j2`."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gradebook.results import Results
from harness.stages.evidence.alike import AlikePair


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A pair with its students' names."""

    pair: AlikePair
    student: str
    other_student: str


@dataclass(frozen=True, slots=True)
class AlikeView:
    """`pairs`: those of which both are on the page; `cut`: submissions of whose notebook not all was compared."""

    compared: int
    pairs: tuple[ShownPair, ...]
    more_pairs: int
    cut: tuple[str, ...]
    without_starter: bool


def alike_view(results: Results) -> AlikeView | None:
    """None where texts were not compared."""
    texts = results.texts
    if texts is None:
        return None
    students = {row.id: row.student for row in results.submissions}
    return AlikeView(
        texts.compared,
        tuple(
            ShownPair(pair, students[pair.id], students[pair.other_id])
            for pair in texts.pairs
            if pair.id in students and pair.other_id in students
        ),
        texts.more_pairs,
        tuple(id for id in texts.cut if id in students),
        texts.without_starter,
    )
