"""All stage results of one submission."""

from __future__ import annotations

from typing import Literal

from harness.findings import Finding, sentence
from harness.inputs.assignment.schema import Task
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.boards import BoardPredictions
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.evaluation import Evaluation, PairedDifference
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.own_boxes import OwnBoxes
from harness.stages.evidence.own_data import OwnData
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.reading import NotebookReading
from harness.stages.evidence.record import Record
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.evidence.worse_boxes import WorseBoxes

# The model that a run made, compared with the handed-in one: no new model, one with the same answers, or another.
RerunMade = Literal["nothing", "same-answers", "another"]
STAGES_OF: dict[Task, tuple[str, ...]] = {
    "classification": (
        *("read", "audit", "execute", "convert", "predict", "inspect", "stress", "evaluate", "boards", "benchmark"),
    ),
    "detection": (
        *("read", "audit", "execute", "detect", "convert", "inspect", "detect_worse", "score_boxes", "boards"),
        "benchmark",
    ),
}
STAGES = tuple(dict.fromkeys(name for stages in STAGES_OF.values() for name in stages))
_NOT_DONE = Skipped(reason=sentence("not-done"))
OF_ANOTHER_TASK = Skipped(reason=sentence("of-another-task"))


class Evidence(Record):
    """All stage results of one submission, and later findings."""

    execute: Done[Execution] | FailedExecution | Failed | Skipped
    audit: Done[DatasetAudit] | Failed | Skipped
    convert: Done[Conversion] | Failed | Skipped = _NOT_DONE
    predict: Done[Predictions] | Failed | Skipped = _NOT_DONE
    inspect: Done[Inspection] | Failed | Skipped = _NOT_DONE
    stress: Done[RobustnessAnswers] | Failed | Skipped = _NOT_DONE
    evaluate: Done[Evaluation] | Failed | Skipped = _NOT_DONE
    detect: Done[DetectorAnswers] | Failed | Skipped = OF_ANOTHER_TASK
    detect_worse: Done[WorseBoxes] | Failed | Skipped = OF_ANOTHER_TASK
    score_boxes: Done[DetectionEvaluation] | Failed | Skipped = OF_ANOTHER_TASK
    benchmark: Done[Benchmark] | Failed | Skipped
    own: OwnData | None = None
    own_boxes: OwnBoxes | None = None  # in place of `own` where the task is detection
    read: Done[NotebookReading] | Failed | Skipped = Skipped(reason=sentence("not-read"))
    boards: Done[BoardPredictions] | Failed | Skipped = Skipped(reason=sentence("no-board-asked"))
    rerun: Evaluation | None = None  # scores of the rerun's model, if the handed-in one was graded
    rerun_difference: PairedDifference | None = None  # the rerun's model minus the handed-in one
    rerun_made: RerunMade | None = None  # if the handed-in model was graded and compared with the rerun's
    intake_findings: tuple[Finding, ...] = ()
    is_copy: bool = False  # the model is another submission's, or the reference's
    same_model_as: tuple[str, ...] = ()  # other submissions, by id; a student never sees them
    later_findings: tuple[Finding, ...] = ()  # from comparing submissions, or after the stages
    trouble: str = ""  # tracebacks of the harness's defects outside the stages; for the instructor

    @property
    def task(self) -> Task:
        """The assignment's."""
        return "classification" if self.detect == OF_ANOTHER_TASK else "detection"

    def stages(self) -> dict[str, Done[object] | Failed | Skipped]:
        """Stage name -> result, in the order in which they run; those of another task are left out."""
        return {name: getattr(self, name) for name in STAGES_OF[self.task]}

    @property
    def answered(self) -> Done[Predictions] | Done[DetectorAnswers] | Failed | Skipped:
        """What the model answered to the held-out images, whatever the task."""
        return self.detect if self.task == "detection" else self.predict

    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the stages, each once."""
        every = [*self.intake_findings, *(f for r in self.stages().values() for f in r.findings)]
        every += self.later_findings
        return tuple(dict.fromkeys(every))
