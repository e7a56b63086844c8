"""Grades a submission on images withheld from the student's own data set."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import MachineError
from harness.findings import Finding, finding, sentence
from harness.grading import model_run, reference
from harness.grading.context import GradedOn, KnownObjects, RunContext
from harness.grading.detection import reference as detector_reference
from harness.grading.detection.withheld_objects import with_boxes
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import Dataset
from harness.inputs.images import CHECK_IMAGES, HeldOutSet, StagedImages, TrainingImages
from harness.inputs.images.folders import images_in
from harness.inputs.submission import Submission
from harness.stages import model_selection
from harness.stages.audit.findings import can_be_graded
from harness.stages.audit.folders import folder_names
from harness.stages.context import StageContext
from harness.stages.evaluate.stage import score
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.own_data import OwnData, SeenScore
from harness.stages.evidence.reference import Reference
from harness.stages.execute.rerun import Rerun
from harness.stages.execute.rewrite import NotRewritten, Rewritten, rewrite
from harness.stages.runner import StageRunner

_CHANCE = 0.05
_NAMES_NO_CLASS = {
    "robustness",
    "robustness_clean",
    "robustness_images",
    "unseen_auroc",
    "unseen_images",
    "unseen_confidence",
    "unseen_source",
}  # the reference's scores on corrupted and unseen images, which do not depend on its class names


@dataclass(frozen=True, slots=True)
class WithheldSplit:
    """A data set in two parts, one for grading and one that a rerun sees. Its folders exist while it is open."""

    audit: DatasetAudit
    graded_on: GradedOn  # the withheld part; its folder of training images is empty until `rewritten` is called
    rerun: Rerun


@contextlib.contextmanager
def opened(
    submission: Submission, audit: DatasetAudit | None, run_context: RunContext
) -> Iterator[WithheldSplit | None]:
    """Yield the submission's split; None where the assignment withholds nothing, or the data set is too small.

    Where the course has no images of its own, the reference is trained on the split if its code is here.
    """
    assignment = run_context.assignment
    detection = assignment.task == "detection"
    if not assignment.withholds or audit is None or not can_be_graded(audit, detection):
        yield None
        return
    with laid_out(submission, audit, assignment, run_context.stage_context) as split:
        if assignment.has_shared_set or not run_context.trains_reference:
            yield split
            return
        if detection:
            detector = trained_detector(split, run_context)
            yield replace(split, graded_on=replace(split.graded_on, detector=detector))
            return
        trained = trained_reference(split, run_context)
        yield replace(split, graded_on=replace(split.graded_on, reference=trained))


@contextlib.contextmanager
def laid_out(
    submission: Submission, audit: DatasetAudit, assignment: Assignment, context: StageContext
) -> Iterator[WithheldSplit]:
    """Yield the withheld images and the folders for the rerun's part; temporary folders are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="harness-own-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)  # the sandbox's user reads mounts from here
        detection = assignment.task == "detection"
        held_out = _withheld(audit, context, detection)
        train, place = scratch / "train", scratch / "rerun"

        @functools.cache
        def rewritten() -> Rewritten:
            for part in (train, place):
                shutil.rmtree(part, ignore_errors=True)  # left by a failed try
                part.mkdir()
            asked = assignment.own_dataset
            return rewrite(submission, audit, asked, place, train, context, by_class=not detection)

        def check_images() -> Sequence[Path]:
            try:
                rewritten()
            except NotRewritten:
                return ()  # conversions are checked on noise then
            return _some_of(train)

        def by_class() -> Mapping[str, Sequence[Path]]:
            if detection:
                return {}  # an image shows several
            with contextlib.suppress(NotRewritten):
                rewritten()
                folders = folder_names(tuple(audit.classes))
                return {name: _images_in(train / folder) for name, folder in folders.items()}
            return {}

        dataset = assignment.dataset.model_copy(update={"path": train}) if assignment.dataset else Dataset(path=train)
        if detection:
            dataset = dataset.model_copy(update={"layout": "as-it-is"})
        yield WithheldSplit(
            audit,
            GradedOn(
                held_out,
                staged_in_store(held_out, context),
                TrainingImages(dataset, _training_sha256(audit), check_images, by_class),
                known=_known(audit, context) if audit.known else None,
            ),
            Rerun(assignment.own_dataset, rewritten, held_out.sha256),
        )


def _training_sha256(audit: DatasetAudit) -> str:
    """The SHA-256 of the training part: of the images' pixels, names and classes, and of all boxes."""
    withheld = {one.picture for one in audit.withheld}
    rows = [
        (name, label, audit.pixels.get(name)) for name, label in sorted(audit.labels.items()) if name not in withheld
    ]
    boxes = [audit.objects_sha256] if audit.objects_sha256 else []
    return hashlib.sha256(json.dumps([rows, sorted(audit.own_test), *boxes]).encode()).hexdigest()


def withheld_set(audit: DatasetAudit, context: StageContext) -> HeldOutSet:
    """The withheld images with their labels and scenes, and only those classes of which there are images.

    The files were re-encoded in the sandbox, and are not opened outside.
    """
    classes = tuple(sorted(audit.heldout))
    truth = tuple(classes.index(one.label) for one in audit.withheld)
    digest = hashlib.sha256()
    for one in audit.withheld:
        digest.update(f"{one.file.sha256} {one.label}\n".encode())
    files = tuple(context.store.path(one.file) for one in audit.withheld)
    return HeldOutSet(classes, files, truth, digest.hexdigest(), _scenes(audit))


def _withheld(audit: DatasetAudit, context: StageContext, detection: bool) -> HeldOutSet:
    """The withheld images with their labels, or with the student's boxes."""
    if not detection:
        return withheld_set(audit, context)
    return with_boxes(audit.withheld, tuple(sorted(audit.heldout)), context.store, _scenes(audit))


def _known(audit: DatasetAudit, context: StageContext) -> KnownObjects:
    """Images of the training part with their boxes."""
    labelled = with_boxes(audit.known, tuple(sorted(audit.heldout)), context.store)
    return KnownObjects(labelled, staged_in_store(labelled, context))


def _scenes(audit: DatasetAudit) -> tuple[int, ...]:
    """A number for each withheld image, equal for images of one scene."""
    first_of = {name: together[0] for together in audit.groups for name in together}
    scenes = [first_of.get(one.picture, one.picture) for one in audit.withheld]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(scenes))}
    return tuple(numbers[name] for name in scenes)


def _some_of(train: Path) -> tuple[Path, ...]:
    """Some images of the training part, chosen by their paths; the withheld images are for grading only."""

    def draw(file: Path) -> str:
        return hashlib.sha256(str(file.relative_to(train)).encode("utf-8", "surrogateescape")).hexdigest()

    return tuple(sorted(images_in(train), key=draw)[:CHECK_IMAGES])


def _images_in(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.iterdir() if path.is_file()))


def staged_in_store(held_out: HeldOutSet, context: StageContext) -> StagedImages:
    """The withheld images in the store's folder; they are sent to the sandbox from there."""
    folder = context.store.folder
    return StagedImages(folder, tuple(str(file.relative_to(folder)) for file in held_out.files), held_out.sha256)


def trained_reference(split: WithheldSplit, run_context: RunContext) -> Reference | None:
    """The reference, trained on the training part, with its scores on the withheld images.

    It answers corrupted images only where submissions do, on the same withheld images. None when the instructor's code
    fails on these images; the log says so.
    """
    folders = folder_names(tuple(split.audit.classes))
    held_out = split.graded_on.held_out
    named = replace(held_out, classes=tuple(folders.get(name, name) for name in held_out.classes))

    on = replace(split.graded_on, held_out=named)
    try:
        trained = reference.trained(run_context, on, _depth(run_context), functools.partial(_lay_out, split))
    except MachineError as error:
        _say_none(error, run_context)
        return None
    labels = {folder: name for name, folder in folders.items()}
    renamed = tuple(labels.get(name, name) for name in trained.predictions.labels)
    predictions = trained.predictions.model_copy(update={"labels": renamed})
    tried = trained.evaluation.model_dump(include=_NAMES_NO_CLASS)
    store = run_context.stage_context.store
    evaluation = score(predictions, held_out, None, store).value.model_copy(update=tried)
    return trained.model_copy(update={"predictions": predictions, "evaluation": evaluation})


def trained_detector(split: WithheldSplit, run_context: RunContext) -> DetectorReference | None:
    """The reference detector, trained on the training part, with its scores on the withheld images.

    None when it fails on these images; the log says so.
    """
    lay_out = functools.partial(_lay_out, split)
    try:
        return detector_reference.trained(run_context, split.graded_on, _depth(run_context), lay_out)
    except MachineError as error:
        _say_none(error, run_context)
        return None


def _depth(run_context: RunContext) -> model_run.Depth:
    """Corrupted images are answered only where submissions answer them, on the same withheld images."""
    return "answers" if run_context.assignment.has_shared_set else "reference"


def _lay_out(split: WithheldSplit) -> None:
    try:
        split.rerun.rewritten()
    except NotRewritten as error:
        raise MachineError(error.result.reason, "look at the data set") from error


def _say_none(error: MachineError, run_context: RunContext) -> None:
    run_context.progress.say(f"No reference for one data set: {error.message.splitlines()[0]}")


def own_data(
    submission: Submission,
    split: WithheldSplit | None,
    graded: Conversion | None,
    run_context: RunContext,
    runner: StageRunner,
) -> tuple[OwnData | None, tuple[Finding, ...]]:
    """Scores on the withheld images: the rerun's model, and the handed-in model, which has seen them.

    `graded`: the rerun's model. None where nothing is withheld, and when no reference could be trained on the data set.
    """
    if split is None or not run_context.trains_reference:
        return None, ()
    on = split.graded_on
    trained = trained_reference(split, run_context) if run_context.assignment.has_shared_set else on.reference
    if trained is None:
        return None, (finding("harness-defect", reason=sentence("reference-not-trained-here")),)
    of_rerun = model_run.value(model_run.predict(graded, on, runner))
    rerun = model_run.value(model_run.evaluate(of_rerun, on, trained.predictions, runner))
    seen: Evaluation | None = None
    handed_in = model_selection.handed_in(submission, run_context.assignment.handin)
    if handed_in:
        converted = model_run.value(model_run.convert(handed_in, on, run_context, runner))
        answers = model_run.value(model_run.predict(converted, on, runner))
        seen = model_run.value(model_run.evaluate(answers, on, of_rerun, runner))
    value = OwnData(
        reference=trained,
        rerun=rerun,
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
    """A finding if the handed-in model, which has seen the images, is significantly better than the rerun's."""
    seen, rerun = value.seen, value.rerun
    if seen is None or rerun is None or seen.difference is None or seen.mcnemar_p is None:
        return ()
    if seen.difference <= 0 or seen.mcnemar_p >= _CHANCE:
        return ()
    return (finding("seen-better-than-rerun", seen=seen.accuracy, rerun=rerun.accuracy, difference=seen.difference),)
