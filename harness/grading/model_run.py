"""One model through the stages that say how good it is and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from harness.bench.boards.report import by_memory, on_boards
from harness.bench.boards.report import identity as predictions_rest_on
from harness.grading.context import RunContext
from harness.inputs.submission import Submission
from harness.sandbox import KERAS
from harness.stages import model_selection as models
from harness.stages.convert import HandedModel, convert
from harness.stages.evaluate.score import score, trial
from harness.stages.evaluate.transfer import concluded
from harness.stages.evidence.boards import BoardPredictions
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.evidence.stage_result import Done, Skipped, StageResult, told_to_student
from harness.stages.inspect import inspect
from harness.stages.predict import predict
from harness.stages.robustness import affordable, stress
from harness.stages.runner import guarded

T = TypeVar("T", bound=BaseModel)
NO_MODEL = Skipped(reason="There is no usable model.")
# Stages whose sandboxes hold no held-out or withheld image: what the student's own code says there, he may read.
_SEE_NO_SECRET = ("read", "audit", "execute", "convert", "boards")


class ModelStages:
    """The results of one submission's stages so far, and which of them an earlier run did.

    The stages are called in the order in which they stand here; each reads the results of those before it.
    `inspect` and `stress` may be left out: a model that is only compared is not looked into.
    """

    def __init__(self, submission: Submission, run_context: RunContext) -> None:
        self.submission, self.run_context = submission, run_context
        self.results: dict[str, Any] = {}
        self.cached: set[str] = set()

    def stage(self, name: str, value: type[T], inputs: object, work: Callable[[], StageResult[T]]) -> Any:
        """Run the stage, or take it from the cache, and keep its result."""
        sees_no_secret = name in _SEE_NO_SECRET
        result, was_cached = guarded(
            self.submission.id,
            name,
            value,
            inputs,
            (lambda: told_to_student(work())) if sees_no_secret else work,
            cache=self.run_context.cache,
            progress=self.run_context.progress,
            limits=self.run_context.assignment.limits,
        )
        self.results[name] = result
        if was_cached:
            self.cached.add(name)
        return result

    def value(self, name: str, kind: type[T]) -> T | None:
        """What the stage found; None when it has not run or came to nothing."""
        result = self.results.get(name)
        return result.value if isinstance(result, Done) and isinstance(result.value, kind) else None

    def answer(self, model: HandedModel | None) -> None:
        """The model converted, and what it says of the held-out images."""
        run_context, limits = self.run_context, self.run_context.assignment.limits
        context = run_context.stage_context
        classes, hub = run_context.held_out.classes, run_context.weights.hub
        self.stage(
            "convert",
            Conversion,
            [
                model and model.key(),
                classes,
                run_context.training.sha256,
                run_context.weights.sha256,
                KERAS.lock,
                limits,
            ],
            lambda: (
                convert(model, classes, run_context.training.check_images(), hub, context)
                if model is not None
                else models.none_to_grade(run_context.assignment)
            ),
        )
        conversion = self.value("convert", Conversion)
        self.stage(
            "predict",
            Predictions,
            [conversion, run_context.staged.sha256, run_context.weights.sha256, limits],
            lambda: predict(conversion, run_context.staged, context) if conversion else NO_MODEL,
        )

    def inspect(self) -> None:
        """What the model is made of."""
        known, staged, classes = (
            self.run_context.pretrained,
            self.run_context.staged,
            len(self.run_context.held_out.classes),
        )
        context, conversion = self.run_context.stage_context, self.value("convert", Conversion)
        self.stage(
            "inspect",
            Inspection,
            [conversion, known.key(), staged.sha256, classes, self.run_context.assignment.limits],
            lambda: inspect(conversion, known.files, staged, classes, context) if conversion else NO_MODEL,
        )

    def stress(self) -> None:
        """Its answers to worse images, to images of none of the classes, and with parts covered."""
        run_context, rules = self.run_context, self.run_context.assignment.robustness
        conversion, answers = self.value("convert", Conversion), self.value("predict", Predictions)
        inspection = self.value("inspect", Inspection)
        multiply_adds = inspection.multiply_adds if inspection else None
        unseen, held_out = run_context.unseen, run_context.held_out

        def work() -> StageResult[RobustnessAnswers]:
            if not rules.enabled:
                return Skipped(reason="This assignment does not ask for it.")
            if conversion is None or answers is None:
                return NO_MODEL
            images = affordable(rules, multiply_adds)
            attempt = trial(answers, held_out, rules, images, unseen, run_context.stage_context.store)
            return stress(conversion, attempt, run_context.staged, run_context.stage_context)

        limits, unseen_sha256 = run_context.assignment.limits, unseen and unseen.sha256
        inputs = [conversion, answers, held_out.sha256, rules, multiply_adds, unseen_sha256, limits]
        self.stage("stress", RobustnessAnswers, inputs, work)

    def evaluate(self) -> None:
        """How good its answers are, also against the reference's."""
        run_context, conversion = self.run_context, self.value("convert", Conversion)
        answers, stressed = self.value("predict", Predictions), self.value("stress", RobustnessAnswers)
        compared_with = run_context.reference.predictions if run_context.reference else None
        self.stage(
            "evaluate",
            Evaluation,
            [answers, run_context.held_out.sha256, compared_with, conversion and conversion.preprocess, stressed],
            lambda: (
                score(answers, run_context.held_out, compared_with, run_context.stage_context.store, stressed)
                if answers is not None
                else Skipped(reason="There are no predictions to score.")
            ),
        )

    def conclude(self) -> None:
        """The inspection with the verdict that its weights and its score together give."""
        inspection, entries = self.value("inspect", Inspection), self.run_context.pretrained.entries
        entry = entries.get(inspection.backbone) if inspection and inspection.backbone else None
        self.results["inspect"] = concluded(
            self.results["inspect"],
            self.results["evaluate"],
            self.value("convert", Conversion),
            entry.trained_on if entry else None,
        )

    def boards(self) -> None:
        """How fast the model would be on the boards that the assignment names."""
        run_context, assignment = self.run_context, self.run_context.assignment
        boards = by_memory(assignment.boards) if assignment.boards else ()
        conversion, reference = (
            self.value("convert", Conversion),
            run_context.reference.kernels if run_context.reference else None,
        )
        self.stage(
            "boards",
            BoardPredictions,
            [conversion, reference, [board.model_dump() for board in boards], predictions_rest_on(), assignment.limits],
            lambda: (
                on_boards("The model", conversion, reference, boards, run_context.stage_context)
                if conversion and boards
                else NO_MODEL
                if boards
                else Skipped(reason="No board is asked for.")
            ),
        )
