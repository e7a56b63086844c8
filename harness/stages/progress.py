"""The interface for reporting the progress of a long run."""

from __future__ import annotations

from typing import Literal, Protocol

Phase = Literal["examining", "timing"]  # all stages but the benchmark; then the benchmarks


class Progress(Protocol):
    """Receives progress, from several threads at once."""

    def say(self, line: str) -> None:
        """One sentence about the run as a whole."""

    def begins(self, phase: Phase, submissions: int, at_once: int) -> None:
        """A phase begins, in which every submission is worked on, up to `at_once` of them together."""

    def submission_started(self, submission: str) -> None:
        """A submission's part of the phase begins."""

    def stage_started(self, submission: str, stage: str) -> None:
        """A stage is about to run or to be taken from the cache."""

    def stage_ended(self, submission: str, stage: str, status: str, cached: bool) -> None:
        """A stage has its result."""

    def submission_ended(self, submission: str) -> None:
        """A submission's part of the phase is done, whatever came of it."""
