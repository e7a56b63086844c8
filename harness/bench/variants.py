"""From a model to what is timed: it is opened once, changed to each precision, and scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.bench.prepared import Run
from harness.bench.results import Unmeasured
from harness.bench.scored import predictions_of, score_subject
from harness.bench.subjects import GivenImages, NamedModel
from harness.bench.summary import Variant
from harness.files.hashing import file_sha256
from harness.inputs import images
from harness.inputs.images import CHECK_IMAGES
from harness.stages.conversion_reply import names_inside
from harness.stages.convert import convert
from harness.stages.detection.detector import open_detector
from harness.stages.evidence.conversion import Conversion, Precision
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.precision import in_precision
from harness.stages.timing import Subject


def variants_of(model: NamedModel, run: Run) -> Iterator[Variant]:
    """The model on each engine at each precision and batch size; what does not convert goes to `unmeasured`."""
    run.progress.say(f"{model.name}: loading ...")
    opened = _opened(model, run)
    if not isinstance(opened, Subject):
        run.unmeasured.append(Unmeasured(model=model.name, reason=opened.whole_reason))
        return
    run.opened[model.name] = opened.conversion
    for precision in run.request.precisions:
        changed = _in_precision(opened.conversion, precision, run)
        if isinstance(changed, (Failed, Skipped)):
            run.unmeasured.append(Unmeasured(model=model.name, precision=precision, reason=changed.whole_reason))
            continue
        subject = replace(opened, conversion=changed)
        scored = score_subject(subject, run.given, run.staged, run.converting)
        predictions = (
            scored.predictions if run.timed is run.staged else predictions_of(subject, run.timed, run.converting)
        )
        for engine in run.request.engines:
            run.progress.say(f"{model.name}: {engine}, {precision}")
            for batch in run.request.batches or (None,):
                yield Variant(
                    name=model.name,
                    sha256=file_sha256(model.handed.file),
                    is_reference=model.is_reference,
                    engine=engine,
                    precision=precision,
                    batch=batch,
                    about=model.about,
                    subject=subject,
                    file_bytes=changed.model.bytes,
                    predictions=predictions,
                    evaluation=scored.evaluation,
                    unscored=scored.unscored,
                )


def _opened(model: NamedModel, run: Run) -> Subject | Failed | Skipped:
    """The model as a classifier, or an ONNX file as a detector if it is not a classifier."""
    check = run.given.scored.files[:CHECK_IMAGES] if run.given else ()
    with TemporaryDirectory(prefix="harness-bench-check-") as temporary:
        decoded = images.stage(_first(run.given, len(check)), Path(temporary)) if run.given and check else None
        paths = decoded.files() if decoded else []
        converted = convert(model.handed, None, paths, None, run.converting)
    files = {"model": model.handed.file, **model.handed.companions}
    if isinstance(converted, Done):
        classes = run.given.scored.classes if run.given and run.given.labelled else None
        return Subject(_labelled(converted.value, model, classes), files)
    if model.handed.file.suffix == ".onnx":
        detector = open_detector(model.handed.file, run.converting)
        if isinstance(detector, Done):
            return Subject(detector.value.conversion, files, detector.value.head)
    return converted


def _first(given: GivenImages, count: int) -> images.HeldOutSet:
    scored = given.scored
    return images.HeldOutSet(scored.classes, scored.files[:count], scored.truth[:count], scored.sha256)


def _labelled(conversion: Conversion, model: NamedModel, classes: tuple[str, ...] | None) -> Conversion:
    """The conversion with the images' class names, if the model declares none and has as many outputs.

    Names that the model's file holds say their order.
    """
    if classes is None or model.handed.companions.keys() & {"labels.txt", "handin.json"}:
        return conversion
    if len(classes) != conversion.outputs:
        return conversion
    return conversion.model_copy(update={"labels": names_inside(conversion.labels, classes) or classes})


def _in_precision(conversion: Conversion, precision: Precision, run: Run) -> Conversion | Failed | Skipped:
    if precision == "fp32":
        return conversion
    if conversion.native:
        return Failed(status="rejected", reason=f"The model does not become ONNX, so it cannot become {precision}.")
    changed = in_precision(conversion, precision, run.calibration, run.converting)
    return changed.value if isinstance(changed, Done) else changed
