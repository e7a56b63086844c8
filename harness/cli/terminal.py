"""What a person sees in the terminal: progress and tables on stderr and stdout, rich or plain."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
)
from rich.table import Column, Table
from rich.text import Text

from harness.boundary.one_by_one import Defect, for_each
from harness.boundary.screen import Screen, visible
from harness.cli.remaining import Remaining, in_words
from harness.gradebook.headline import headline, measure_of
from harness.gradebook.results import Results, SubmissionResult
from harness.stages.progress import Phase
from harness.stages.progress import Progress as ProgressListener

if TYPE_CHECKING:
    import pandas

_NARROWEST = 140  # columns of a wide table where it goes into a pipe or a small window
_STYLES = {"graded": "green", "needs-review": "yellow", "failed": "red"}


_PHASES: dict[Phase, str] = {"examining": "Grading", "timing": "Timing"}
# How many have to end before the time left is told: models take nearly the same time to be timed.
_TO_TELL: dict[Phase, int] = {"examining": 3, "timing": 1}


class _Estimate:
    """How long the phase under way still takes; each method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase: Phase = "examining"
        self._remaining = Remaining(0, 1)

    def begins(self, phase: Phase, submissions: int, at_once: int) -> None:
        with self._lock:
            fewest = _TO_TELL[phase]
            self._phase, self._remaining = phase, Remaining(submissions, at_once, fewest)

    def started(self, submission: str) -> None:
        with self._lock:
            self._remaining.started(submission, time.monotonic())

    def worked_on(self, submission: str) -> None:
        with self._lock:
            self._remaining.worked_on(submission)

    def ended(self, submission: str) -> None:
        with self._lock:
            self._remaining.ended(submission, time.monotonic())

    def words(self) -> str:
        with self._lock:
            return in_words(self._remaining.seconds(time.monotonic()), self._phase)


class PlainProgress:
    """One line for each thing that ended; for logs and pipes."""

    def __init__(self, console: Screen) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._total = self._ended = 0
        self._estimate = _Estimate()

    def say(self, line: str) -> None:
        with self._lock:
            self._console.print(visible(line), soft_wrap=True)

    def begins(self, phase: Phase, submissions: int, at_once: int) -> None:
        self._total, self._ended = submissions, 0
        self._estimate.begins(phase, submissions, at_once)
        one_by_one = ", one at a time" if phase == "timing" else ""
        self.say(f"{_PHASES[phase]} {submissions} submission{'s' if submissions != 1 else ''}{one_by_one} ...")

    def submission_started(self, submission: str) -> None:
        self._estimate.started(submission)

    def stage_started(self, submission: str, stage: str) -> None: ...

    def stage_ended(self, submission: str, stage: str, status: str, cached: bool) -> None:
        if _ran(status, cached):
            self._estimate.worked_on(submission)
            self.say(f"  {submission}: {stage} {status}")

    def submission_ended(self, submission: str) -> None:
        self._estimate.ended(submission)
        left = self._estimate.words()
        with self._lock:
            self._ended += 1
            line = f"[{self._ended}/{self._total}] {submission}"
            self._console.print(visible(f"{line} ({left})" if left else line), soft_wrap=True)


class LiveProgress:
    """A bar, the time since the run began, and what is being worked on now; for terminals."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._estimate = _Estimate()
        self._whole = bars.add_task("Reading the submissions", total=None, left=self._estimate.words, counted=False)
        self._phase: Phase = "examining"
        self._now: dict[str, str] = {}
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """A line that ends in an ellipsis begins something, and stands at the bar until the next begins."""
        self._bars.console.print(visible(line))
        if line.endswith(" ..."):
            self._estimate.begins(self._phase, 0, 1)
            self._bars.update(
                self._whole, completed=0, counted=False, description=visible(line.removesuffix(" ..."))[:80]
            )

    def begins(self, phase: Phase, submissions: int, at_once: int) -> None:
        self._phase = phase
        self._estimate.begins(phase, submissions, at_once)
        self._bars.update(self._whole, total=submissions, completed=0, counted=True, description=_PHASES[phase])

    def submission_started(self, submission: str) -> None:
        self._estimate.started(submission)

    def stage_started(self, submission: str, stage: str) -> None:
        with self._lock:
            self._now[submission] = stage
            self._show()

    def stage_ended(self, submission: str, stage: str, status: str, cached: bool) -> None:
        if _ran(status, cached):
            self._estimate.worked_on(submission)
        with self._lock:
            self._now.pop(submission, None)
            self._show()

    def submission_ended(self, submission: str) -> None:
        self._estimate.ended(submission)
        self._bars.advance(self._whole)

    def _show(self) -> None:
        now = ", ".join(f"{submission}: {stage}" for submission, stage in self._now.items())
        self._bars.update(self._whole, description=visible(f"{_PHASES[self._phase]} {now}")[:80])


def _ran(status: str, cached: bool) -> bool:
    """Whether a stage was worked on now."""
    return not cached and status != "skipped"


class _WordsColumn(ProgressColumn):
    """What is done now, cut to what fits: it may hold a long path."""

    def render(self, task: Task) -> Text:
        return Text(task.description, no_wrap=True, overflow="ellipsis")


class _CountColumn(ProgressColumn):
    """How many have ended, where they are counted."""

    def render(self, task: Task) -> Text:
        counted = f"{int(task.completed)}/{int(task.total or 0)}" if task.fields["counted"] else ""
        return Text(counted, style="progress.download")


class _ClockColumn(ProgressColumn):
    """The time since the run began. Rich's own column stops for good when a bar is full once."""

    def render(self, task: Task) -> Text:
        return Text(str(timedelta(seconds=int(task.elapsed or 0))), style="progress.elapsed")


class _LeftColumn(ProgressColumn):
    """How long it still takes, as of now."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["left"](), style="progress.remaining")


@contextmanager
def progress_on(console: Screen) -> Iterator[ProgressListener]:
    """Rich progress where `console` is a terminal, plain lines otherwise."""
    if not console.is_terminal:
        yield PlainProgress(console)
        return
    with Progress(*live_columns(), console=console, transient=True) as bars:
        yield LiveProgress(bars)


def live_columns() -> tuple[ProgressColumn, ...]:
    """What a terminal shows in a line: what is done now, how many of how many, since when, how long still."""
    clock = _ClockColumn(table_column=Column(no_wrap=True))  # what may wrap gives way to it
    return SpinnerColumn(), _WordsColumn(), BarColumn(), _CountColumn(), clock, _LeftColumn()


def print_grades(results: Results, console: Screen) -> None:
    """The table of the grades."""
    table = Table(title=Text(visible(results.assignment.title)), title_justify="left")
    table.add_column("submission", overflow="fold")
    table.add_column("points", justify="right")
    table.add_column("status")
    table.add_column(measure_of(results.assignment.task), justify="right")
    table.add_column("findings", overflow="fold")
    for cells in for_each("printing its row", results.submissions, _cells, _not_shown):
        table.add_row(*cells)
    if (reference := results.reference) is not None:
        table.caption = f"reference {reference.backbone}: {reference.score:.3f} on {reference.images} images"
    else:
        table.caption = "each is graded on withheld images of its own data set"
    table.caption_justify = "left"
    console.print(table)


def _cells(row: SubmissionResult) -> tuple[str | Text, ...]:
    serious = [finding.code for finding in row.findings if finding.severity != "info"]
    return (
        visible(row.id),
        f"{row.points:g} / {row.max_points:g}",
        Text(row.status, style=_STYLES[row.status]),
        f"{score.value:.3f}" if (score := headline(row)) else "–",
        visible(", ".join(dict.fromkeys(serious))),
    )


def _not_shown(row: SubmissionResult, found: Defect) -> tuple[str | Text, ...]:
    return (ascii(row.id)[1:-1], "", Text("needs-review", style=_STYLES["needs-review"]), "", found.finding.code)


def wide_screen() -> Screen:
    """For tables of many columns, whatever they are printed into."""
    return Screen(width=max(Screen().width, _NARROWEST))


def print_frame(frame: pandas.DataFrame, screen: Screen) -> None:
    """Print a table; numbers to the right, `–` where there is none. Nothing for a table without rows."""
    if not len(frame):
        return
    shown = Table(box=None, pad_edge=False)
    for name in frame.columns:
        shown.add_column(str(name), overflow="fold", justify="right" if frame[name].dtype.kind in "fi" else "left")
    for row in frame.itertuples(index=False):
        shown.add_row(*(_cell(value) for value in row))
    screen.print(shown)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:g}"
    return visible(" ".join(str(value).splitlines()))
