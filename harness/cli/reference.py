"""`harness reference`: the solution that submissions are compared with."""

from __future__ import annotations

from pathlib import Path

import click

from harness import sandbox
from harness.boundary.screen import Screen, say, say_json
from harness.cli.assignment_file import read_assignment
from harness.cli.options import PATH, as_json_option, force_option
from harness.cli.sandbox_options import handins_sandbox_option
from harness.cli.terminal import progress_on
from harness.errors import UsageError
from harness.grading import sample_size
from harness.grading.detection import reference as detector_reference
from harness.grading.reference import prepared, write
from harness.grading.rubric.rubric import check as check_rubric
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.reference import Reference


@click.group("reference")
def reference() -> None:
    """The reference solution that submissions are compared with."""


@reference.command("train")
@click.argument("file", metavar="ASSIGNMENT", type=PATH)
@click.option("--out", type=PATH, help="Folder for the model [default: baseline/ beside ASSIGNMENT].")
@handins_sandbox_option
@force_option
@as_json_option
def train(file: Path, out: Path | None, sandbox_name: sandbox.EngineName, force: bool, as_json: bool) -> int:
    """Train the reference and score it; `grade` does this by itself where it is missing or outdated."""
    assignment = read_assignment(file)
    if not assignment.has_shared_set:
        raise UsageError(
            f"{file}: has no shared set: a reference is trained for each student's data set while grading",
            "run harness grade",
        )
    check_rubric(assignment)
    folder = out or assignment.file.parent / "baseline"
    with (
        progress_on(Screen(stderr=True)) as progress,
        prepared(assignment, sandbox.choose(sandbox_name).sandbox, progress, force=force) as ready,
    ):
        sample_size.warn(ready)
        trained: Reference | DetectorReference
        if (detector := ready.shared.detector) is not None:
            trained, scored = detector, f"{detector_reference.title(assignment.reference)}: {detector_score(detector)}"
            detector_reference.write(detector, ready.stage_context, folder)
        else:
            assert ready.shared.reference is not None
            trained, scored = ready.shared.reference, classifier_score(ready.shared.reference)
            write(trained, ready.stage_context, folder)
    if as_json:
        say_json(trained.model_dump_json())
    else:
        say(f"{scored} held-out images; trained in {trained.training_seconds:.0f} s\n{folder}")
    return 0


def classifier_score(trained: Reference) -> str:
    """How good it is, and on how many."""
    low, high = trained.evaluation.accuracy_interval
    score = trained.evaluation
    return f"{trained.backbone}: accuracy {score.accuracy:.3f} [{low:.3f}, {high:.3f}] on {score.images}"


def detector_score(trained: DetectorReference) -> str:
    """How good it is, and on how many."""
    score = trained.evaluation
    ap50 = "not defined" if score.scores.ap50 is None else f"{score.scores.ap50:.3f}"
    interval = "" if score.ap50_interval is None else " [{:.3f}, {:.3f}]".format(*score.ap50_interval)
    return f"AP50 {ap50}{interval} on {score.images}"
