"""Texts of a class that look alike: for the instructor to read, never a mark or a finding."""

from __future__ import annotations

from harness.stages.evidence.record import Record, Share


class Passage(Record):
    """A passage that two notebooks share, as each has it; cells count from 1."""

    is_code: bool
    cell: int
    text: str  # at most 400 characters
    other_cell: int
    other_text: str  # at most 400 characters
    characters: int  # that are the same in both


class AlikePair(Record):
    """Two submissions, by id, and their longest shared passages."""

    id: str
    other_id: str
    characters: int  # in all shared passages
    share: Share  # of the shorter one's own text
    passages: tuple[Passage, ...]  # at most 5, longest first
    more_passages: int
    say_one_group: bool  # their notebooks name each other; no list of groups does


class AlikeTexts(Record):
    """What the comparison of a class's notebooks found."""

    compared: int  # notebooks
    pairs: tuple[AlikePair, ...]  # at most 50, those that share most first
    more_pairs: int
    cut: tuple[str, ...]  # submissions of whose notebook not all was compared
    without_starter: bool  # the notebook that students started from was taken off
