"""How long the rest of a phase will take, by how long its submissions took until now."""

from __future__ import annotations

from collections import deque
from statistics import mean

from harness.stages.progress import Phase

_RECENT = 8  # the last to end: how many of them were worked on says how many of the next will be
_TEN_MINUTES = 10


class Remaining:
    """The estimate for one phase of `submissions`, up to `at_once` of them together.

    A submission that was kept of an earlier run takes next to no time, and says nothing of the others. So there are two
    kinds, those that were worked on and those that were not, and the next are as the last few. Moments are in seconds.
    Nothing is said before `fewest` of them were worked on.
    """

    def __init__(self, submissions: int, at_once: int, fewest: int = 3) -> None:
        self._left, self._at_once, self._fewest = submissions, at_once, fewest
        self._running: dict[str, float] = {}  # id -> when it began
        self._worked_on: set[str] = set()
        self._took: list[float] = []  # s, of those that were worked on
        self._recent: deque[bool] = deque(maxlen=_RECENT)  # whether each was

    def started(self, submission: str, now: float) -> None:
        """Its part of the phase begins."""
        self._running[submission] = now

    def worked_on(self, submission: str) -> None:
        """One of its stages ran, and was not taken from the cache."""
        self._worked_on.add(submission)

    def ended(self, submission: str, now: float) -> None:
        """Its part of the phase is done."""
        began = self._running.pop(submission)
        self._left -= 1
        self._recent.append(submission in self._worked_on)
        if submission in self._worked_on:
            self._took.append(now - began)

    def seconds(self, now: float) -> float | None:
        """Until the phase ends; None while too few were worked on to tell."""
        if len(self._took) < self._fewest:
            return None
        waiting = (self._left - len(self._running)) * mean(self._recent) * mean(self._took)
        running = [self._rest(now - began) for began in self._running.values()]
        return max((waiting + sum(running)) / self._at_once, *running, 0.0)

    def _rest(self, elapsed: float) -> float:
        """What is left of one that has gone on for so long: as of those that took longer; 0 where none did."""
        longer = [took - elapsed for took in self._took if took > elapsed]
        return mean(longer) if longer else 0.0


def in_words(seconds: float | None, phase: Phase) -> str:
    """`about 3 min left, then timing`; empty where nothing is known."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        left = "less than a minute left"
    elif minutes < 60:
        left = f"about {minutes} min left"
    else:
        hours, rest = divmod(round(minutes / _TEN_MINUTES) * _TEN_MINUTES, 60)
        left = f"about {hours} h {rest} min left" if rest else f"about {hours} h left"
    return f"{left}, then timing" if phase == "examining" else left
