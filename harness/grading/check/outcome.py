"""What a check found: each step, each criterion, and what the figures mean. Pure, from evidence to a record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from harness.findings import Finding, said_on_ones_own_machine, sentence
from harness.grading.check.public_run import ImagesFrom
from harness.grading.rubric.criterion import kinds
from harness.inputs.assignment.points import total
from harness.stages.evidence.grade import Grade, Mark
from harness.stages.evidence.record import Interval, Record
from harness.stages.evidence.stage_result import NOT_THE_STUDENTS, Done, Failed, Skipped
from harness.stages.evidence.submission import OF_ANOTHER_TASK, Evidence

State = Literal["fine", "mend this", "cannot be known here"]
CriterionState = Literal["expected", "marked by hand", "cannot be known here"]

_TITLES = {
    "read": "Reading the notebook",
    "audit": "Your own data set",
    "execute": "Running the notebook",
    "detect": "Loading and asking the detector",
    "convert": "Loading the model",
    "predict": "Asking the model",
    "inspect": "Looking into the model",
    "evaluate": "Its accuracy",
    "score_boxes": "Its average precision",
    "boards": "Its time on the board",
    "benchmark": "Its time on this machine",
}
_OF_A_DETECTOR = {"convert": "Writing the detector as an ONNX graph, for its time"}
_MEANS: dict[ImagesFrom, str] = {
    "public": "Measured on the course's public images. You are graded on others, which nobody here has: expect a "
    "figure within the interval, if your model learnt the objects and not these images.",
    "withheld": "Measured on a part of your own images that the notebook did not see when it was run again, as in "
    "grading. Another part is drawn there.",
    "own": "Measured on a part of your own images. Your model may have been trained on them, so the figure is higher "
    "than on images that it has never seen. It says nothing of your grade.",
    "training": "Measured on a part of the training images. Your model has been trained on them, so the figure is "
    "higher than on images that it has never seen. It says nothing of your grade.",
    "none": "There are no labelled images here, so the model was asked about noise, only to see whether it answers.",
}
_SEEN = " These images are also the training images: your model has probably seen them, so expect less in grading."


class CheckedStep(Record):
    """One step of grading, as it went here."""

    name: str
    title: str
    state: State
    what: str = ""  # why it is not fine
    mend: tuple[str, ...] = ()  # what was found wrong, and what to do
    notes: tuple[str, ...] = ()  # what is worth knowing and stops nothing
    seconds: float = 0.0


class CheckedCriterion(Record):
    """One line of the rubric, as far as it can be told here."""

    kind: str
    title: str
    state: CriterionState
    points: float | None  # None unless expected
    max_points: float
    interval: Interval | None = None  # 95 %, of the points
    reason: str


class BoardTime(Record):
    """The predicted time of one prediction on a board."""

    board: str
    latency_ms: float
    interval_90: tuple[float, float]
    reference_ms: float | None = None


class PackedHandIn(Record):
    """The zip to hand in."""

    path: str
    sha256: str
    files: int


class Check(Record):
    """All that `harness check` says."""

    schema_: Literal[1] = 1
    assignment: str  # its title
    sandbox: str
    sandbox_says: str  # why this engine, and what it does not enforce
    images: int
    images_from: ImagesFrom
    figures_mean: str
    accuracy: float | None = None
    accuracy_interval: Interval | None = None
    reference_accuracy: float | None = None
    ap50: float | None = None  # of a detector, in place of the accuracy
    ap50_interval: Interval | None = None
    reference_ap50: float | None = None
    latency_ms: float | None = None  # median, on this machine
    reference_latency: str = ""  # the reference's, and on which machine
    boards: tuple[BoardTime, ...] = ()
    steps: tuple[CheckedStep, ...]
    criteria: tuple[CheckedCriterion, ...]
    expected: float  # sum of the points that can be told
    expected_interval: Interval | None = None
    open_points: float  # of criteria marked by hand, or not to be known here
    max_points: float
    handin: PackedHandIn | None = None

    @property
    def to_mend(self) -> tuple[CheckedStep, ...]:
        return tuple(step for step in self.steps if step.state == "mend this")


@dataclass(frozen=True, slots=True)
class Seen:
    """How the submission was seen: on which images, with what missing."""

    images_from: ImagesFrom
    may_be_seen: bool
    missing_weights: tuple[str, ...]
    training_here: bool

    @property
    def meaning(self) -> str:
        """What figures on these images mean, in plain words."""
        return _MEANS[self.images_from] + (_SEEN if self.may_be_seen and self.images_from == "public" else "")

    @property
    def lacking(self) -> tuple[str, ...]:
        """What this machine lacks that grading has, and how to get it."""
        weights = [
            f"The weights {name} are not on this machine: harness weights fetch {name}" for name in self.missing_weights
        ]
        images = (
            []
            if self.training_here
            else ["The course's training images are not on this machine: put them where the assignment says."]
        )
        return (*weights, *images)


def steps(evidence: Evidence, seen: Seen) -> tuple[CheckedStep, ...]:
    """Each step of grading that this assignment has, in order."""
    found = [_handed_in(evidence.intake_findings)]
    detects = evidence.detect != OF_ANOTHER_TASK
    loading = "detect" if detects else "convert"
    titles = _TITLES | _OF_A_DETECTOR if detects else _TITLES
    results = evidence.stages()
    for name, title in titles.items():
        if name not in results:
            continue  # of another task
        result = results[name]
        if isinstance(result, Skipped) and not result.findings and name not in ("execute", loading):
            continue  # nothing was asked for, or an earlier step says why
        step = _step(name, title, result, seen)
        if name == loading and isinstance(result, Skipped) and not _run_is_open(evidence, seen):
            step = step.model_copy(update={"state": "mend this"})  # there is no model, and that is the student's doing
        found.append(step)
    if evidence.later_findings:
        found.append(_of_findings("beside", "What you say, and what was measured", evidence.later_findings))
    return tuple(found)


def _run_is_open(evidence: Evidence, seen: Seen) -> bool:
    """Whether the notebook may do better in grading than here, and save a model there."""
    found = (*evidence.execute.findings, *evidence.convert.findings, *evidence.detect.findings)
    lost = any(one.code in NOT_THE_STUDENTS for one in found)
    return lost or (isinstance(evidence.execute, Failed) and bool(seen.lacking))


def criteria(grade: Grade, evidence: Evidence | None = None) -> tuple[CheckedCriterion, ...]:
    """Each line of the rubric. `grade`: without a deadline, whose line would be no criterion.

    `evidence`: what it rests on; a criterion that reads scores cannot be known where there was nothing to score on.
    """
    results = {} if evidence is None else evidence.stages()
    unscored = {name for name, one in results.items() if one == Skipped(reason=sentence("no-labelled-images"))}
    return tuple(_criterion(mark, unscored) for mark in grade.marks)


def expected(lines: Sequence[CheckedCriterion]) -> tuple[float, Interval | None]:
    """The points that can be told, and their interval: the ends are added, since all rest on the same images."""
    told = [line for line in lines if line.points is not None]
    points = total(line.points or 0.0 for line in told)
    if all(line.interval is None for line in told):
        return points, None
    low, high = (total(line.interval[end] if line.interval else line.points or 0.0 for line in told) for end in (0, 1))
    return points, (low, high)


def _criterion(mark: Mark, unscored: Set[str]) -> CheckedCriterion:
    state: CriterionState = "expected"
    kind = kinds().get(mark.criterion)
    if kind is not None and unscored & set(kind.READS):
        mark = mark.model_copy(update={"points": None, "points_interval": None})
    if mark.points is None:
        state = "marked by hand" if mark.criterion == "manual" else "cannot be known here"
    return CheckedCriterion(
        kind=mark.criterion,
        title=mark.title,
        state=state,
        points=mark.points,
        max_points=mark.max_points,
        interval=mark.points_interval,
        reason=said_on_ones_own_machine(mark.reason),
    )


def _handed_in(findings: Iterable[Finding]) -> CheckedStep:
    return _of_findings("files", "Your files", findings)


def _of_findings(name: str, title: str, findings: Iterable[Finding]) -> CheckedStep:
    errors, others = _sorted(findings)
    return CheckedStep(name=name, title=title, state="mend this" if errors else "fine", mend=errors, notes=others)


def _step(name: str, title: str, result: Done[object] | Failed | Skipped, seen: Seen) -> CheckedStep:
    lost = [found for found in result.findings if found.code in NOT_THE_STUDENTS]
    errors, notes = _sorted(found for found in result.findings if found.code not in NOT_THE_STUDENTS)
    what = "" if isinstance(result, Done) else said_on_ones_own_machine(result.whole_reason)
    state: State = "fine"
    if lost or isinstance(result, Skipped):
        state = "cannot be known here"
        notes = (*(said_on_ones_own_machine(found.whole_message) for found in lost), *errors, *notes)
        errors = ()
    elif name == "execute" and not isinstance(result, Done) and seen.lacking:
        state = "cannot be known here"  # the failure may be what this machine lacks
        notes, errors = (*seen.lacking, *errors, *notes), ()
    elif isinstance(result, Failed) or errors:
        state = "mend this"
    return CheckedStep(
        name=name,
        title=title,
        state=state,
        what=what,
        mend=tuple(one for one in errors if one != what),
        notes=tuple(one for one in dict.fromkeys(notes) if one != what),
        seconds=result.usage.seconds,
    )


def _sorted(findings: Iterable[Finding]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Messages of errors, and of all others. Nothing is secret here, so each comes with its detail."""
    every = list(
        dict.fromkeys((one.severity == "error", said_on_ones_own_machine(one.whole_message)) for one in findings)
    )
    return tuple(text for is_error, text in every if is_error), tuple(text for is_error, text in every if not is_error)
