"""A class whose assignment is detection: drawn images with objects, and detectors that are drawn as well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_class import HOSTILE_NAME, SyntheticClass
from synthetic_detectors import answers_of, as_arrays, drawn_detector, labelled_images, with_trials
from synthetic_models import benchmark_of, inspection_of

from harness.findings import finding
from harness.gradebook.results import (
    AssignmentResult,
    ReferenceResult,
    Results,
    RunInfo,
    SubmissionResult,
    submission_result,
)
from harness.inputs.images import HeldOutSet
from harness.report import Sources
from harness.stages.evaluate.detection import Detections, LabelledImages
from harness.stages.evaluate.detection.evaluation import Answers, evaluation
from harness.stages.evidence.detection_scores import DetectionEvaluation, LabelRemedy
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.grade import Grade, Mark
from harness.stages.evidence.reading import NotebookReading, PrecisionClaim, Shown
from harness.stages.evidence.stage_result import Done, Failed, Skipped, Usage
from harness.stages.evidence.submission import OF_ANOTHER_TASK, Evidence
from harness.stages.store import Store


def build(folder: Path, held_out: HeldOutSet | None = None) -> SyntheticClass:
    """The class; its images lie under `folder`. `held_out`: other images, with their objects."""
    rng = np.random.default_rng(11)
    if held_out is None:
        held_out = labelled_images(folder / "heldout", rng)
    images = as_arrays(held_out)
    theirs = drawn_detector(rng, images, recall=0.92, noise=0.05, alarms=0.3)
    reference = DetectorReference(
        backbone="mobilenet_v2",
        answers=answers_of("reference", len(held_out.classes)),
        evaluation=with_trials(evaluation(theirs, images), rng),
        training_seconds=214.0,
        seed=7,
    )
    rows = list(_submissions(rng, images, theirs))
    score = reference.evaluation
    results = Results(
        schema=1,
        assignment=AssignmentResult(
            title="Find five objects with SSD-MobileNet",
            task="detection",
            file="/srv/courses/ml5/assignment.toml",
            max_points=100,
        ),
        reference=ReferenceResult(
            backbone=reference.backbone,
            accuracy=None,
            accuracy_interval=None,
            ap50=score.scores.ap50,
            ap50_interval=score.ap50_interval,
            images=score.images,
            training_seconds=reference.training_seconds,
            latency=benchmark_of(rng, 24.0).model,
        ),
        run=RunInfo(
            harness="0.1.0",
            sandbox="bubblewrap",
            sandbox_reason="",
            not_enforced=(),
            finished="2026-11-24T13:59:11+00:00",
        ),
        submissions=tuple(result for result, _ in rows),
    )
    evidence = {result.id: found for result, found in rows}
    sources = Sources(evidence, None, held_out, Store(folder / "store"), detector_reference=reference)
    return SyntheticClass(results, sources)


# --- submissions ----------------------------------------------------------------------------------


def _submissions(
    rng: np.random.Generator, images: LabelledImages, theirs: Answers
) -> Iterable[tuple[SubmissionResult, Evidence]]:
    no_notebook = Skipped(reason="There is no notebook.")
    classes = images.classes

    def scored(
        id: str, student: str, found: Answers, milliseconds: float, remedy: LabelRemedy | None = None,
        findings: Iterable[Any] = (), answers: DetectorAnswers | None = None, manual: bool = False,
        reading: Done[NotebookReading] | Skipped = no_notebook,
    ) -> tuple[SubmissionResult, Evidence]:  # fmt: skip
        score = with_trials(evaluation(found, images, theirs), rng).model_copy(update={"remedy": remedy})
        evidence = Evidence(
            read=reading,
            execute=no_notebook,
            audit=Skipped(reason="There is no data set."),
            convert=Skipped(reason="The detector is an ONNX graph already."),
            predict=OF_ANOTHER_TASK,
            detect=Done(value=answers or answers_of("ssd-mobilenet", len(classes)), usage=Usage(seconds=14.2)),
            inspect=Done(value=inspection_of("fine-tuned", rng)),
            stress=OF_ANOTHER_TASK,
            evaluate=OF_ANOTHER_TASK,
            score_boxes=Done(value=score, findings=tuple(findings), usage=Usage(seconds=1.4)),
            benchmark=Done(value=benchmark_of(rng, milliseconds), usage=Usage(seconds=9.4)),
        )
        return _result(id, student, evidence, _marks(score, manual), "needs-review" if manual else "graded")

    good = drawn_detector(rng, images, 0.95, 0.04, 0.3)
    shifted = Answers(
        *(replace(one, label=(one.label + 1) % np.int32(len(classes))) for one in (good.every, good.board))
    )
    words = "Average Precision Across All Classes:0.931"
    shown = Shown(has_outputs=True, average_precision=PrecisionClaim(measure="voc", value=0.931, cell=3, words=words))
    told = Done(value=NotebookReading(code_cells=3, shown=shown))
    yield scored("team-01", "Anna de Vries, Bram Jansen", good, 24.4, reading=told)
    yield scored(
        "team-02",
        "Chidi Okafor",
        shifted,
        24.1,
        LabelRemedy(names=("BACKGROUND", *classes), ap50=0.02, would=0.88),
        [finding("labels-swapped", swaps="ball ↔ book", would=0.88, is_=0.02)],
    )
    yield scored("team-03", "Zoë Ångström", drawn_detector(rng, images, 0.5, 0.16, 3.0, 0.2), 23.9, manual=True)
    own = answers_of("predict", len(classes), "own_code", model=None, depends_on_order=True)
    yield scored("team-04", HOSTILE_NAME, drawn_detector(rng, images, 0.8, 0.08, 1.0), 71.0, answers=own)
    nothing = Detections(
        *(array[:0] for array in (good.every.image, good.every.box, good.every.score, good.every.label))
    )
    yield scored("team-05", "Emil Novák", Answers(nothing, nothing), 24.0)
    reason = "model.onnx cannot be loaded: the file ends in the middle."
    failed = Evidence(
        execute=no_notebook, audit=no_notebook, convert=no_notebook, predict=OF_ANOTHER_TASK, inspect=no_notebook,
        evaluate=OF_ANOTHER_TASK, benchmark=no_notebook, score_boxes=Skipped(reason="There are no boxes."),
        detect=Failed(status="failed", reason=reason, findings=(
            finding("model-unreadable", name="model.onnx", reason="the file ends in the middle"),)),
    )  # fmt: skip
    yield _result("team-06", "Fatima al-Fihri", failed, _marks(None, False), "failed")


def _marks(score: DetectionEvaluation | None, manual: bool) -> tuple[Mark, ...]:
    difference = score.difference if score and score.difference is not None else -1.0
    share = min(max((difference + 0.5) / 0.47, 0), 1)
    answers = "A person reads the answers." if manual else "Good measurements."
    return (
        Mark(
            criterion="ap_vs_reference",
            title="AP50 against the reference",
            points=round(60 * share, 2),
            max_points=60,
            reason=f"AP50 is {difference:+.2f} from the reference's; −0.03 gives all points, −0.50 none.",
            more="" if share == 1 else "Write BACKGROUND as the first line of labels.txt: AP50 0.020 -> 0.880.",
        ),
        Mark(
            criterion="manual",
            title="Open questions",
            points=None if manual else 32,
            max_points=40,
            reason=answers,
        ),
    )


def _result(
    id: str, student: str, evidence: Evidence, marks: tuple[Mark, ...], status: Any
) -> tuple[SubmissionResult, Evidence]:
    grade = Grade(status=status, marks=marks, points=sum(mark.points or 0 for mark in marks), max_points=100)
    return submission_result(id, student, evidence, grade, frozenset()), evidence
