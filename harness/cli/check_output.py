"""How the result of `harness check` is shown: on a terminal, to a build server, as a job's annotations."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from rich.table import Table
from rich.text import Text

from harness.boundary.screen import Screen, say, visible
from harness.files.whole_file import write_whole
from harness.grading.check.outcome import Check, CheckedCriterion, CheckedStep
from harness.stages.progress import Phase

Service = Literal["github", "gitlab", "none"]

_STYLES = {"fine": "green", "mend this": "red", "cannot be known here": "yellow", "expected": "green"}
_UNPROTECTED = (
    "Your code ran directly on this machine, with your files and your network, and under no limit but that of time. "
    "In grading it runs in a sandbox without a network, under the assignment's limits."
)
_STAGES = {
    "read": "Reading the notebook",
    "audit": "Looking at your images",
    "execute": "Running the notebook",
    "detect": "Asking the detector",
    "convert": "Loading the model",
    "predict": "Asking the model",
    "inspect": "Looking into the model",
    "boards": "Predicting its time on the board",
    "benchmark": "Timing it",
}


class Steps:
    """Progress of one submission: a line when a step begins that takes long."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def say(self, line: str) -> None:
        self._screen.print(visible(line), soft_wrap=True)

    def begins(self, phase: Phase, submissions: int, at_once: int) -> None: ...

    def submission_started(self, submission: str) -> None: ...

    def stage_started(self, submission: str, stage: str) -> None:
        if stage in _STAGES:
            self.say(f"{_STAGES[stage]} ...")

    def stage_ended(self, submission: str, stage: str, status: str, cached: bool) -> None: ...

    def submission_ended(self, submission: str) -> None: ...


def show(found: Check, screen: Screen) -> None:
    """Print the steps, the expected points and the zip."""
    for step in found.steps:
        _show_step(step, screen)
    screen.print()
    screen.print(_points_table(found.criteria))
    screen.print(_sum(found), soft_wrap=True)
    for line in _figures(found):
        screen.print(Text(visible(line)))
    if found.sandbox == "none":
        screen.print(Text(_UNPROTECTED, style="yellow"))
    if found.handin is not None:
        screen.print(f"\nHand in {visible(found.handin.path)} ({found.handin.files} files)", soft_wrap=True)
    if found.to_mend:
        screen.print(f"{len(found.to_mend)} to mend before you hand in.", style="red")


def _show_step(step: CheckedStep, screen: Screen) -> None:
    head = Text(f"{step.title}: ").append(step.state, style=_STYLES[step.state])
    screen.print(head)
    for line in (step.what, *step.mend):
        if line:
            screen.print(Text(f"  {visible(line)}"))
    for line in step.notes:
        screen.print(Text(f"  note: {visible(line)}", style="dim"))


def _points_table(lines: tuple[CheckedCriterion, ...]) -> Table:
    table = Table("criterion", "points", "of", "why")
    for line in lines:
        said = Text(points(line), style=_STYLES.get(line.state, ""))
        table.add_row(visible(line.title), said, f"{line.max_points:g}", visible(line.reason))
    return table


def points(line: CheckedCriterion) -> str:
    """`38.5 (31 to 43)`, or why there are none."""
    if line.points is None:
        return line.state
    span = f" ({line.interval[0]:g} to {line.interval[1]:g})" if line.interval else ""
    return f"{line.points:g}{span}"


def _sum(found: Check) -> str:
    span = f" ({found.expected_interval[0]:g} to {found.expected_interval[1]:g})" if found.expected_interval else ""
    rest = f"; {found.open_points:g} more are marked by hand or cannot be known here" if found.open_points else ""
    return f"Expected: {found.expected:g}{span} of {found.max_points:g} points{rest}."


def _figures(found: Check) -> Iterator[str]:
    if found.accuracy is not None and found.accuracy_interval is not None:
        low, high = found.accuracy_interval
        beside = f"; the reference's is {found.reference_accuracy:.1%}" if found.reference_accuracy is not None else ""
        yield f"Accuracy on {found.images} images: {found.accuracy:.1%} ({low:.1%} to {high:.1%}){beside}."
    if found.ap50 is not None:
        span = "" if found.ap50_interval is None else f" ({found.ap50_interval[0]:.3f} to {found.ap50_interval[1]:.3f})"
        beside = f"; the reference's is {found.reference_ap50:.3f}" if found.reference_ap50 is not None else ""
        yield f"AP50 on {found.images} images: {found.ap50:.3f}{span}{beside}."
    if found.accuracy is not None or found.ap50 is not None or found.images_from == "none":
        yield found.figures_mean
    if found.latency_ms is not None:
        beside = f"; the reference takes {found.reference_latency}" if found.reference_latency else ""
        yield f"One prediction takes {found.latency_ms:.3g} ms on this machine{beside}."
    for row in found.boards:
        low, high = row.interval_90
        beside = f"; the reference {row.reference_ms:.3g} ms" if row.reference_ms is not None else ""
        yield f"Predicted on {row.board}: {row.latency_ms:.3g} ms ({low:.3g} to {high:.3g}){beside}."


# --- build servers ------------------------------------------------------------------------------


def write_junit(found: Check, file: Path) -> None:
    """Write JUnit XML: a case for each step and each criterion; open ones are skipped. Raises `MachineError`."""
    suite = ElementTree.Element("testsuite", name=_xml(found.assignment))
    for step in found.steps:
        case = ElementTree.SubElement(suite, "testcase", classname="steps", name=_xml(step.title))
        said = _xml(" ".join([step.what, *step.mend]).strip())
        if step.state == "mend this":
            ElementTree.SubElement(case, "failure", message=said)
        elif step.state == "cannot be known here":
            ElementTree.SubElement(case, "skipped", message=said)
    for line in found.criteria:
        case = ElementTree.SubElement(suite, "testcase", classname="criteria", name=_xml(line.title))
        if line.points is None:
            ElementTree.SubElement(case, "skipped", message=_xml(line.reason))
        ElementTree.SubElement(case, "system-out").text = _xml(f"{points(line)} of {line.max_points:g}: {line.reason}")
    for count, kind in (("tests", None), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(count, str(sum(kind is None or case.find(kind) is not None for case in suite)))
    ElementTree.indent(suite)
    write_whole(file, '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, "unicode") + "\n")


def _xml(text: str) -> str:
    """The text without control characters, which XML does not allow even when escaped."""
    return "".join(c if c.isprintable() else " " for c in text)


def job_of(service: Literal[Service, "auto"]) -> Service:
    """The service; with `auto`, the one that runs this job."""
    if service != "auto":
        return service
    return "github" if os.environ.get("GITHUB_ACTIONS") else "gitlab" if os.environ.get("GITLAB_CI") else "none"


@contextlib.contextmanager
def no_commands(service: Service) -> Iterator[None]:
    """Let the service take nothing that is printed for a command: a line may begin with a notebook's own words."""
    token = secrets.token_hex(16)
    if service == "github":
        say(f"::stop-commands::{token}")
    try:
        yield
    finally:
        if service == "github":
            say(f"::{token}::")


def annotate(found: Check, service: Service, *, err: bool) -> None:
    """Print what the service shows beside the job. Nothing outside of a job, or where nothing is to mend.

    `err`: to stderr. Elsewhere than what was printed between `no_commands`, it could be read before that has ended.
    """
    for step in found.to_mend:
        said = " ".join([step.what, *step.mend]).strip()
        if service == "github":
            say(f"::error title={_property(step.title)}::{_data(said)}", err=err)
        elif service == "gitlab":
            say(f"ERROR: {step.title}: {visible(said)}", err=err)


def _data(text: str) -> str:
    """The text as GitHub's workflow commands take it: without it a line of a notebook would be a command of its own."""
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
