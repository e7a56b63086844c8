"""The interface for reporting the progress of a long run."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress, from several threads at once."""

    def say(self, line: str) -> None:
        """One sentence about the run as a whole."""

    def expect(self, submissions: int) -> None:
        """How many submissions will be graded."""

    def stage_started(self, submission: str, stage: str) -> None:
        """A stage is about to run or to be taken from the cache."""

    def stage_ended(self, submission: str, stage: str, status: str, cached: bool) -> None:
        """A stage has its result."""

    def submission_ended(self, submission: str) -> None:
        """All stages of a submission but the benchmark are done."""
