"""What a person sees in the terminal: progress and tables on stderr and stdout, rich or plain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from harness.boundary.one_by_one import Defect, for_each
from harness.boundary.screen import Screen, visible
from harness.gradebook.results import Results, SubmissionResult
from harness.stages.progress import Progress as ProgressListener

_NARROWEST = 140  # columns of a wide table where it goes into a pipe or a small window
_STYLES = {"graded": "green", "needs-review": "yellow", "failed": "red"}


class PlainProgress:
    """One line for each thing that ended; for logs and pipes."""

    def __init__(self, console: Screen) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._total = self._ended = 0

    def say(self, line: str) -> None:
        with self._lock:
            self._console.print(visible(line), soft_wrap=True)

    def expect(self, submissions: int) -> None:
        self._total = submissions
        self.say(f"Grading {submissions} submission{'s' if submissions != 1 else ''} ...")

    def stage_started(self, submission: str, stage: str) -> None: ...

    def stage_ended(self, submission: str, stage: str, status: str, cached: bool) -> None:
        if not cached and status != "skipped":
            self.say(f"  {submission}: {stage} {status}")

    def submission_ended(self, submission: str) -> None:
        self._ended += 1
        self.say(f"[{self._ended}/{self._total}] {submission}")


class LiveProgress:
    """A bar, and what is being worked on now; for terminals."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._whole = bars.add_task("Preparing", total=None)
        self._now: dict[str, str] = {}
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        self._bars.console.print(visible(line))

    def expect(self, submissions: int) -> None:
        self._bars.update(self._whole, total=submissions, description="Grading")

    def stage_started(self, submission: str, stage: str) -> None:
        with self._lock:
            self._now[submission] = stage
            self._show()

    def stage_ended(self, submission: str, stage: str, status: str, cached: bool) -> None:
        with self._lock:
            self._now.pop(submission, None)
            self._show()

    def submission_ended(self, submission: str) -> None:
        self._bars.advance(self._whole)

    def _show(self) -> None:
        now = ", ".join(f"{submission}: {stage}" for submission, stage in self._now.items())
        self._bars.update(self._whole, description=visible(f"Grading {now}")[:80])


@contextmanager
def progress_on(console: Screen) -> Iterator[ProgressListener]:
    """Rich progress where `console` is a terminal, plain lines otherwise."""
    if not console.is_terminal:
        yield PlainProgress(console)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        yield LiveProgress(bars)


def print_grades(results: Results, console: Screen) -> None:
    """The table of the grades."""
    table = Table(title=Text(visible(results.assignment.title)), title_justify="left")
    table.add_column("submission", overflow="fold")
    table.add_column("points", justify="right")
    table.add_column("status")
    table.add_column("accuracy", justify="right")
    table.add_column("findings", overflow="fold")
    for cells in for_each("printing its row", results.submissions, _cells, _not_shown):
        table.add_row(*cells)
    if (reference := results.reference) is not None:
        table.caption = f"reference {reference.backbone}: {reference.accuracy:.3f} on {reference.images} images"
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
        f"{row.evaluation.accuracy:.3f}" if row.evaluation else "–",
        visible(", ".join(dict.fromkeys(serious))),
    )


def _not_shown(row: SubmissionResult, found: Defect) -> tuple[str | Text, ...]:
    return (ascii(row.id)[1:-1], "", Text("needs-review", style=_STYLES["needs-review"]), "", found.finding.code)


def wide_screen() -> Screen:
    """For tables of many columns, whatever they are printed into."""
    return Screen(width=max(Screen().width, _NARROWEST))
