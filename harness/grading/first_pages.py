"""Pages while a run goes on: of each submission that has been examined, and of the class.

They are written by one thread of their own, so that no submission waits for them, in at most a tenth of the run's time;
while models are timed, between two timings and never beside one. Trouble with such a page costs that page and nothing
else: what is wrong with a submission is told at the end, when the whole run is published.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Literal

from harness.boundary.one_by_one import attempt
from harness.errors import HarnessError
from harness.gradebook.results import Results, SubmissionResult
from harness.grading.pace import Pace
from harness.grading.submission_run import Examined
from harness.inputs.submission import Submission
from harness.report.unfinished import RunState, UnfinishedPages, UnfinishedRow

_CLASS_EVERY = 3.0  # s, at least, between two pages of the class: each has all its rows
_LOOKS_EVERY = 1.0  # s
_BEGINS_AFTER = 1.5  # s: a run that finds all in the cache is nearly over by then, and its pages stay


class FirstPages:
    """Told how far each submission has come, from any thread; writes what there is to show of it."""

    def __init__(
        self,
        submissions: Sequence[Submission],
        pages: UnfinishedPages,
        marked: Callable[[Examined], SubmissionResult],
        run: Callable[[], Results],
        first_written: Callable[[], None],
    ) -> None:
        """`marked`: its row with the marks as they are now; `run`: how the run is made, as of now, without submissions;
        `first_written` is called once the first page of the class is there."""
        self._pages, self._marked, self._run, self._first_written = pages, marked, run, first_written
        self._rows = {one.id: UnfinishedRow(one.id, one.student, "waiting", None, False) for one in submissions}
        self._due: deque[tuple[Examined, Literal["examined", "timed"]]] = deque()
        self._lock = threading.Lock()  # of the rows
        self._more, self._is_over = threading.Event(), threading.Event()
        self._pace = Pace(time.monotonic())
        self._class_is_old, self._class_is_there = False, False
        self._class_tried = float("-inf")  # the moment, by the monotonic clock

    def started(self, submission: Submission) -> None:
        """It is being examined."""
        self._changed(submission.id, lambda row: replace(row, progressed="running"))
        self._class_is_old = self._class_is_there  # the first one comes with the first submission's page

    def examined(self, one: Examined) -> None:
        """All its stages but the benchmark are done: its page is due."""
        self._due.append((one, "examined"))
        self._more.set()

    def timed(self, one: Examined) -> None:
        """Its benchmark is done; nothing is timed until this returns."""
        self._due.append((one, "timed"))
        self._write_due()

    @contextmanager
    def written_meanwhile(self) -> Iterator[None]:
        """Write, beside what is done in the context, what becomes due; nothing is being written afterwards."""
        writer = threading.Thread(target=self._write_until_over, name="first-pages")
        writer.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._more.set()
            writer.join()

    def stopped(self) -> None:
        """The run ends early: the page of the class says so, where this run has written one."""
        if self._class_is_there:
            self._guarded("showing that the run was stopped", partial(self._write_class, "stopped"))

    def _write_until_over(self) -> None:
        self._is_over.wait(_BEGINS_AFTER)
        while not self._is_over.is_set():
            self._guarded("writing the first pages", self._write_due)
            self._more.wait(_LOOKS_EVERY)
            self._more.clear()

    def _write_due(self) -> None:
        """One page after the other, for as long as the pace allows. Called by one thread at a time.

        The pace does not count the very first, so that there is something to look at early.
        """
        while self._pace.allows(began := time.monotonic()) and (write := self._next(began)) is not None:
            is_counted = self._class_is_there
            self._guarded("making its first page", write)
            if is_counted:
                self._pace.took(time.monotonic() - began)

    def _next(self, now: float) -> Callable[[], None] | None:
        """What is to be written next: the class's page as soon as it may be, so that it leads to each new one."""
        if self._class_is_old and now >= self._class_tried + _CLASS_EVERY:
            self._class_is_old, self._class_tried = False, now  # before it is tried: it may fail, again and again
            return partial(self._write_class, "goes on")
        if self._due:
            return partial(self._write_one, *self._due.popleft())
        return None

    def _write_one(self, one: Examined, progressed: Literal["examined", "timed"]) -> None:
        id, result = one.submission.id, self._marked(one)
        self._changed(id, lambda row: replace(row, progressed=progressed, result=result))
        self._class_is_old = True
        if progressed == "examined":
            self._pages.write_submission(self._run(), result, one.evidence)
            self._changed(id, lambda row: replace(row, has_page=True))

    def _write_class(self, state: RunState) -> None:
        with self._lock:
            rows = list(self._rows.values())
        self._pages.write_class(self._run(), rows, state)
        if not self._class_is_there:
            self._class_is_there = True
            self._first_written()

    def _changed(self, id: str, change: Callable[[UnfinishedRow], UnfinishedRow]) -> None:
        with self._lock:
            self._rows[id] = change(self._rows[id])

    def _guarded(self, what: str, write: Callable[[], None]) -> None:
        """Do it. A page that cannot be made, and a disk that is full, are met again when the run is published."""
        try:
            attempt(what, write)
        except HarnessError:
            self._due.clear()
