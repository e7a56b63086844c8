"""A submission graded on images that were withheld of the student's own data set."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from harness.errors import MachineError
from harness.findings import Finding, finding
from harness.grading import reference
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import Dataset, ExecutionRules, OwnDataset
from harness.inputs.images import HeldOutSet, StagedImages
from harness.inputs.submission import Submission
from harness.sandbox import KERAS
from harness.stages.audit.folders import folder_names
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evaluate.score import score
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.own_data import OwnData, SeenScore
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.execute import epochs
from harness.stages.execute.rewrite import NotRewritten, Rewritten, rewrite
from harness.stages.execute.stage import execute
from harness.stages.predict import predict
from harness.stages.progress import Progress
from harness.stages.runner import guarded

T = TypeVar("T", bound=BaseModel)

_CHECK_IMAGES = 12
_CHANCE = 0.05
_NAMES_NO_CLASS = {
    "robustness",
    "robustness_clean",
    "robustness_images",
    "unseen_auroc",
    "unseen_images",
    "unseen_confidence",
    "unseen_source",
}  # of the reference's scores on worse and unseen images: true whatever its classes are called


@dataclass(frozen=True, slots=True)
class Ground:
    """What a submission is graded on, and what its rerun sees; the folders are there as long as `laid_out` is open."""

    held_out: HeldOutSet
    staged: StagedImages
    dataset: Dataset  # the training part in class folders; empty until `rewritten` was called
    training_sha256: str
    check_images: Callable[[], Sequence[Path]]  # some of the training part; made when first asked for
    rewritten: Callable[[], Rewritten]  # what the rerun sees, made when first asked for; raises `NotRewritten`


def can_be_graded(audit: DatasetAudit) -> bool:
    """Whether images of two classes, at least, were withheld."""
    return len(audit.heldout) >= 2


@contextlib.contextmanager
def laid_out(
    submission: Submission, audit: DatasetAudit, assignment: Assignment, context: StageContext
) -> Iterator[Ground]:
    """The withheld images, and folders for what the rerun sees, on disk for a while."""
    with tempfile.TemporaryDirectory(prefix="harness-own-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)  # the sandbox's own user reads what is mounted from here
        held_out = _held_out(audit, context)
        train, rerun = scratch / "train", scratch / "rerun"

        @functools.cache
        def rewritten() -> Rewritten:
            for place in (train, rerun):
                shutil.rmtree(place, ignore_errors=True)  # of a try that failed
                place.mkdir()
            return rewrite(submission, audit, assignment.own_dataset, rerun, train, context)

        def check_images() -> Sequence[Path]:
            try:
                rewritten()
            except NotRewritten:
                return ()  # conversions are then checked on noise
            return _some_of(train)

        yield Ground(
            held_out,
            StagedImages(*_in_store(held_out, context), held_out.sha256),
            assignment.dataset.model_copy(update={"path": train}) if assignment.dataset else Dataset(path=train),
            _training_sha256(audit),
            check_images,
            rewritten,
        )


def _training_sha256(audit: DatasetAudit) -> str:
    """Identity of the training part: of what the images show, what they are called and which class they have."""
    withheld = {one.picture for one in audit.withheld}
    rows = [
        (name, label, audit.pixels.get(name)) for name, label in sorted(audit.labels.items()) if name not in withheld
    ]
    return hashlib.sha256(json.dumps([rows, sorted(audit.own_test)]).encode()).hexdigest()


def _held_out(audit: DatasetAudit, context: StageContext) -> HeldOutSet:
    """The withheld images with their labels. Their files were re-encoded inside, and are not opened outside."""
    classes = tuple(sorted(audit.heldout))
    truth = tuple(classes.index(one.label) for one in audit.withheld)
    digest = hashlib.sha256()
    for one in audit.withheld:
        digest.update(f"{one.file.sha256} {one.label}\n".encode())
    return HeldOutSet(classes, tuple(context.store.path(one.file) for one in audit.withheld), truth, digest.hexdigest())


def _some_of(train: Path) -> tuple[Path, ...]:
    """Some images of the training part, drawn by their paths: the withheld ones are for grading only."""

    def draw(file: Path) -> str:
        return hashlib.sha256(str(file.relative_to(train)).encode("utf-8", "surrogateescape")).hexdigest()

    return tuple(sorted((path for path in train.rglob("*") if path.is_file()), key=draw)[:_CHECK_IMAGES])


def _in_store(held_out: HeldOutSet, context: StageContext) -> tuple[Path, tuple[str, ...]]:
    """The folder and the names of the images where they are kept; they go in from there."""
    folder = context.store.folder
    return folder, tuple(str(file.relative_to(folder)) for file in held_out.files)


def train_reference(
    ground: Ground,
    audit: DatasetAudit,
    assignment: Assignment,
    weights_file: Path,
    context: StageContext,
    cache: StageCache,
    progress: Progress,
    unseen: StagedImages | None,
) -> Reference:
    """The reference, trained on the training part and scored on the withheld images.

    It is tried on worse images and on the `unseen` only where submissions are, on the same withheld images.
    Raises `MachineError` when the instructor's code fails on these images.
    """
    folders = folder_names(tuple(audit.classes))
    named = tuple(folders.get(name, name) for name in ground.held_out.classes)
    held_out = HeldOutSet(named, ground.held_out.files, ground.held_out.truth, ground.held_out.sha256)
    robustness = assignment.robustness
    if assignment.has_shared_set:
        robustness = robustness.model_copy(update={"enabled": False})

    def lay_out() -> None:
        try:
            ground.rewritten()
        except NotRewritten as error:
            raise MachineError(error.result.reason, "look at the data set") from error

    trained = reference.prepare(
        assignment.model_copy(update={"dataset": ground.dataset, "robustness": robustness}),
        held_out,
        ground.staged,
        ground.training_sha256,
        ground.check_images,
        weights_file,
        context,
        cache,
        progress,
        unseen,
        lay_out,
    )
    labels = {folder: name for name, folder in folders.items()}
    renamed = tuple(labels.get(name, name) for name in trained.predictions.labels)
    predictions = trained.predictions.model_copy(update={"labels": renamed})
    tried = trained.evaluation.model_dump(include=_NAMES_NO_CLASS)
    evaluation = score(predictions, ground.held_out, None, context.store).value.model_copy(update=tried)
    return trained.model_copy(update={"predictions": predictions, "evaluation": evaluation})


def rerun_context(context: StageContext, asked: OwnDataset) -> StageContext:
    """The same with the time that the assignment gives to a rerun, in which a model is trained."""
    if asked.rerun_seconds is None:
        return context
    seconds = {"wall_seconds": asked.rerun_seconds, "cell_seconds": asked.rerun_seconds}
    return replace(context, limits=context.limits.model_copy(update=seconds))


def rerun(
    ground: Ground, rules: ExecutionRules, asked: OwnDataset, weights: Path | None, context: StageContext
) -> StageResult[Execution]:
    """The notebook on the training part. One that does not finish is run again with fewer epochs, if the assignment
    says so, which is declared in a finding."""
    try:
        anew = ground.rewritten()
    except NotRewritten as error:
        return error.result
    assert anew.rerun is not None  # there is a notebook
    result = anew.unreadable or _rerun(ground, anew.rerun, rules, asked, weights, context)
    return result.model_copy(update={"findings": (*anew.findings, *result.findings)})


def _rerun(
    ground: Ground,
    submission: Submission,
    rules: ExecutionRules,
    asked: OwnDataset,
    weights: Path | None,
    context: StageContext,
) -> StageResult[Execution]:
    first = execute(submission, ground.dataset, rules, weights, context)
    if not isinstance(first, FailedExecution) or first.status != "timeout" or first.execution is None:
        return first
    seen = epochs.pace(context.store.path(first.execution.notebook))
    if seen is None:
        return first
    limit = context.limits.wall_seconds
    slow = finding("rerun-too-slow", limit=limit / 60, done=seen.done, total=seen.total, minutes=seen.minutes(limit))
    first = first.model_copy(update={"findings": (*first.findings, slow)})
    notebook = submission.root / (submission.notebook or "")
    fewer = notebook.with_name(f"{notebook.name}.fewer")  # no notebook to the rerun: it has another suffix
    if asked.too_slow != "fewer-epochs" or not epochs.with_fewer_epochs(notebook, seen.share, fewer):
        return first
    fewer.chmod(0o644)
    whole = notebook.rename(submission.root.parent / f"{fewer.name}.whole")
    fewer.rename(notebook)
    try:
        again = execute(submission, ground.dataset, rules, weights, context)
    finally:
        whole.rename(notebook)  # the stage may be tried again
    declared = (slow, finding("rerun-fewer-epochs", share=seen.share))
    return again.model_copy(update={"findings": (*again.findings, *declared)})


def own_data(
    submission: Submission,
    ground: Ground,
    rerun: Conversion | None,
    handed_in: HandedModel | None,
    trained: Reference | None,
    weights: Path | None,
    weights_sha256: Mapping[str, str],
    context: StageContext,
    cache: StageCache,
    progress: Progress,
) -> tuple[OwnData | None, tuple[Finding, ...]]:
    """The scores on the withheld images of the rerun's model, and of the handed-in one, which has seen them.

    None when no reference could be trained on the data set.
    """
    if trained is None:
        return None, (finding("harness-defect", reason="the reference could not be trained on this data set"),)
    limits = context.limits

    def done(name: str, value: type[T], inputs: object, work: Callable[[], StageResult[T]]) -> T | None:
        result, _ = guarded(submission.id, name, value, inputs, work, cache=cache, progress=progress, limits=limits)
        return result.value if isinstance(result, Done) else None

    def predictions(conversion: Conversion | None) -> Predictions | None:
        if conversion is None:
            return None
        inputs = [conversion, ground.staged.sha256, weights_sha256, limits]
        work = partial(predict, conversion, ground.staged, context)
        return done("predict", Predictions, inputs, work)

    def scored(answers: Predictions | None, other: Predictions | None) -> Evaluation | None:
        return score(answers, ground.held_out, other, context.store).value if answers else None

    handed: Conversion | None = None
    if handed_in is not None:
        identity = [handed_in.key(), ground.held_out.sha256, ground.training_sha256, weights_sha256]
        inputs = ["seen", *identity, KERAS.lock, limits]

        def converted() -> StageResult[Conversion]:
            return convert(handed_in, ground.held_out.classes, ground.check_images(), weights, context)

        handed = done("convert", Conversion, inputs, converted)
    of_rerun = predictions(rerun)
    seen = scored(predictions(handed), of_rerun)
    value = OwnData(
        reference=trained,
        rerun=scored(of_rerun, trained.predictions),
        seen=SeenScore(
            accuracy=seen.accuracy,
            accuracy_interval=seen.accuracy_interval,
            difference=seen.difference,
            difference_interval=seen.difference_interval,
            mcnemar_p=seen.mcnemar_p,
        )
        if seen
        else None,
    )
    return value, _noticed(value)


def _noticed(value: OwnData) -> tuple[Finding, ...]:
    """A handed-in model that does better on what it has seen than the rerun's, by more than chance."""
    seen, rerun = value.seen, value.rerun
    if seen is None or rerun is None or seen.difference is None or seen.mcnemar_p is None:
        return ()
    if seen.difference <= 0 or seen.mcnemar_p >= _CHANCE:
        return ()
    return (finding("seen-better-than-rerun", seen=seen.accuracy, rerun=rerun.accuracy, difference=seen.difference),)
