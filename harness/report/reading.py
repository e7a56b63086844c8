"""The part of a submission's page about its notebook besides the run: changes, outputs, steps and questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.report.curves import LinePlot, line_plot
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.reading import Curve, NotebookReading, Shown
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence
from harness.stages.reported_accuracy import shown_by

_CURVES = 6  # trainings that are drawn


@dataclass(frozen=True, slots=True)
class Training:
    """One training in the notebook."""

    curve: Curve
    accuracy: LinePlot | None
    loss: LinePlot | None


def view(evidence: Evidence, execution: Execution | None) -> dict[str, Any]:
    """The template's values: `changes`, `given`, `shown`, `trainings`, `claim_gap`, `steps`, `questions`, ..."""
    reading: NotebookReading | None = evidence.read.value if isinstance(evidence.read, Done) else None
    shown = shown_by(evidence)
    measured = evidence.evaluate.value if isinstance(evidence.evaluate, Done) else None
    return {
        "changes": execution.changes if execution else (),
        "changes_left_out": execution.changes_left_out if execution else 0,
        "given": execution.given if execution else (),
        "shown": shown if shown is not None and _says_something(shown) else None,
        "shown_is_saved": reading is not None and reading.shown.has_outputs,
        "trainings": [_training(curve) for curve in shown.curves[:_CURVES]] if shown else [],
        "claim_gap": _gap(shown, measured),
        "rerun": evidence.rerun,
        "rerun_difference": evidence.rerun_difference,
        "steps": reading.steps if reading else (),
        "questions": reading.questions if reading else (),
    }


def _says_something(shown: Shown) -> bool:
    claims = shown.claim or shown.average_precision
    return bool(shown.curves or claims or shown.parameters or shown.trainable_parameters or shown.batch_size)


def _training(curve: Curve) -> Training:
    metrics = curve.metrics
    accuracy = line_plot({"train": metrics.get("accuracy", ()), "held": metrics.get("val_accuracy", ())}, 1.0)
    return Training(curve, accuracy, line_plot({"train": metrics.get("loss", ()), "held": metrics.get("val_loss", ())}))


def _gap(shown: Shown | None, measured: Evaluation | None) -> float | None:
    """Reported minus measured accuracy."""
    if shown is None or shown.claim is None or measured is None:
        return None
    return shown.claim.accuracy - measured.accuracy
