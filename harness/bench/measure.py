"""All of `harness bench`: converts each model, times the models in rounds in turn, and summarises."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import harness
from harness.bench import trtexec
from harness.bench.boards import Board
from harness.bench.compare import check_comparable
from harness.bench.envelope import envelope
from harness.bench.estimates import fewest_queries
from harness.bench.host import here
from harness.bench.machine import Monitor, Window
from harness.bench.machine.monitor import usable_cores
from harness.bench.predicted import outlooks
from harness.bench.results import BenchResults, Envelope, Key, Measurement, Unmeasured
from harness.bench.rules import CONFIDENCE, WIDEST_INTERVAL, Effort, Scenario
from harness.bench.scored import predictions_of, score_subject
from harness.bench.subjects import GivenImages, NamedModel, given_images, named_models
from harness.bench.summary import Variant, interval_width, measurement, noticed
from harness.bench.timed_images import images_to_time
from harness.errors import MachineError, UsageError
from harness.files.hashing import file_sha256
from harness.files.user_folders import default_folder
from harness.inputs import images
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import CHECK_IMAGES, StagedImages
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.conversion_reply import names_inside
from harness.stages.convert import convert
from harness.stages.detector import open_detector
from harness.stages.evidence.conversion import Conversion, Precision
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.precision import in_precision
from harness.stages.progress import Progress
from harness.stages.store import Store
from harness.stages.timing import OWN_PYTHON, Budget, Engine, Mode, Setting, Subject, time_round

_MEMORY = 8 * 10**9  # bytes; for converting, and for timing outside an envelope
_OVERHEAD_SECONDS = 300  # of a round, beside the timed queries
_SLOWEST = 3  # times a round's planned seconds, after which it ends with fewer queries
_IDLE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure, and how."""

    models: Sequence[Path]
    reference: Path | None
    images: Path | None
    scenario: Scenario
    effort: Effort
    engines: Sequence[Engine]
    precisions: Sequence[Precision]
    mode: Mode
    boards: Sequence[Board]  # to predict for, all if empty; if there is one, timing uses its envelope
    cores: int | None
    earlier: BenchResults | None = None  # the run to compare with
    earlier_model: Path | None = None  # the model to compare with; it is timed in turn with the others


@dataclass(slots=True)
class _Run:
    """What all models of a run share, and what could not be measured so far."""

    request: Request
    cores: tuple[int, ...]
    envelope: Envelope | None
    converting: StageContext
    timing: StageContext
    given: GivenImages | None
    staged: StagedImages | None
    timed: StagedImages  # the images that queries cycle through
    calibration: StagedImages | None
    progress: Progress
    unmeasured: list[Unmeasured] = field(default_factory=list)
    opened: dict[str, Conversion] = field(default_factory=dict)  # by model, in fp32


def measure(request: Request, sandbox: Sandbox, progress: Progress) -> BenchResults:
    """Measure the models.

    Raises `UsageError` for missing files, for combinations that make no sense, and when no model could be measured;
    `MachineError` for an engine that is not installed, and when every round was void.
    """
    _check(request)
    times = [trtexec.read(file) for file in request.models if trtexec.is_times(file)]
    files = [file for file in request.models if not trtexec.is_times(file)]
    models = named_models([*files, *([request.earlier_model] if request.earlier_model else [])], request.reference)
    with _prepared(request, sandbox, progress) as run:
        host = here(run.cores)
        if request.earlier:  # checked now, minutes before `compare`
            check_comparable(
                _planned(request, models, times), request.scenario.name, request.mode, host, request.earlier
            )
        variants = [variant for model in models for variant in _variants(model, run)]
        _time_in_turn(variants, run)
        measured = times
        for variant in variants:
            if variant.counted:
                measured.append(measurement(variant, request.scenario, request.mode))
            elif not variant.failed:
                run.unmeasured.append(variant.unmeasured(f"no round counts: {variant.rounds[-1].void}"))
        if not measured and any(variant.rounds for variant in variants):
            raise MachineError(
                f"no round counts, the machine moved too much: {run.unmeasured[-1].reason}", "harness doctor --timing"
            )
        if not measured:
            reasons = "\n".join(f"  {one.model}: {one.reason}" for one in run.unmeasured)
            raise UsageError(f"no model could be measured\n{reasons}", "correct the model, or measure another")
        return BenchResults(
            harness=harness.__version__,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            scenario=request.scenario.name,
            effort=request.effort.name,
            mode=request.mode,
            sandbox=sandbox.name,
            images=len(run.given.scored.files) if run.given else 0,
            host=host,
            envelope=run.envelope,
            measurements=tuple(measured),
            earlier_model=models[-1].name if request.earlier_model else "",
            unmeasured=tuple(run.unmeasured),
            outlooks=outlooks(run.opened, models, request.boards, request.precisions, run.converting, progress),
        )


def _check(request: Request) -> None:
    if any(trtexec.is_times(file) for file in request.models) and request.scenario.name != "single-stream":
        raise UsageError("trtexec's times are of one inference after another", "leave --scenario out")
    if request.images is None and request.mode == "end-to-end":
        raise UsageError("end-to-end mode decodes images, and there are none", "give --images DIR")
    if request.images is None and "int8" in request.precisions:
        raise UsageError("int8 is calibrated on images, and there are none", "give --images DIR")
    own = [engine for engine in request.engines if engine in OWN_PYTHON]
    if own and set(request.precisions) != {"fp32"}:
        raise UsageError(f"the engine {own[0]} runs the model as it was handed in, in fp32", "leave --precision out")


def _planned(request: Request, models: Sequence[NamedModel], times: Sequence[Measurement]) -> list[Key]:
    """The keys of the measurements to come, and of those that trtexec made."""
    every = itertools.product([model.name for model in models], request.engines, request.precisions, [request.mode])
    return [*every, *(one.key for one in times)]


@contextlib.contextmanager
def _prepared(request: Request, sandbox: Sandbox, progress: Progress) -> Iterator[_Run]:
    """The stage contexts and images of a run; its temporary files are removed afterwards."""
    given = given_images(request.images, calibrate="int8" in request.precisions) if request.images else None
    cores = usable_cores(request.cores)
    allowed = envelope(request.boards[0], len(cores)) if len(request.boards) == 1 else None
    if allowed:
        cores = cores[: allowed.cores]
    seconds = _SLOWEST * request.effort.round_seconds + 6 * request.effort.warm_up_seconds + _OVERHEAD_SECONDS
    limits = ResourceLimits(wall_seconds=seconds, cell_seconds=60, memory=_MEMORY, cpus=len(cores))
    store = Store(default_folder())
    with TemporaryDirectory(prefix="harness-bench-") as temporary:
        scratch = Path(temporary)
        staged = images.stage(given.scored, scratch / "images") if given else None
        calibration = None
        if given and given.calibration:
            calibration = images.stage(given.calibration, scratch / "calibration")
        timing_limits = limits.model_copy(update={"memory": allowed.memory_bytes}) if allowed else limits
        yield _Run(
            request,
            cores,
            allowed,
            StageContext(sandbox, store, limits),
            StageContext(sandbox, store, timing_limits),
            given,
            staged,
            images_to_time(staged, request.mode, scratch / "timed"),
            calibration,
            progress,
        )


# --- from a model to what is timed --------------------------------------------------------------


def _variants(model: NamedModel, run: _Run) -> Iterator[Variant]:
    """The model on each engine at each precision; a variant that does not convert goes to `unmeasured`."""
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
        for engine in run.request.engines:
            run.progress.say(f"{model.name}: {engine}, {precision}")
            yield Variant(
                name=model.name,
                sha256=file_sha256(model.handed.file),
                is_reference=model.is_reference,
                engine=engine,
                precision=precision,
                subject=subject,
                file_bytes=changed.model.bytes,
                predictions=(
                    scored.predictions
                    if run.timed is run.staged
                    else predictions_of(subject, run.timed, run.converting)
                ),
                evaluation=scored.evaluation,
                unscored=scored.unscored,
            )


def _opened(model: NamedModel, run: _Run) -> Subject | Failed | Skipped:
    """The model as a classifier, or an ONNX file as a detector if it is not a classifier."""
    check = run.given.scored.files[:CHECK_IMAGES] if run.given else ()
    with TemporaryDirectory(prefix="harness-bench-check-") as temporary:
        decoded = images.stage(_first(run.given, len(check)), Path(temporary)) if run.given and check else None
        paths = [decoded.folder / name for name in decoded.names] if decoded else []
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


def _in_precision(conversion: Conversion, precision: Precision, run: _Run) -> Conversion | Failed | Skipped:
    if precision == "fp32":
        return conversion
    if conversion.native:
        return Failed(status="rejected", reason=f"The model does not become ONNX, so it cannot become {precision}.")
    changed = in_precision(conversion, precision, run.calibration, run.converting)
    return changed.value if isinstance(changed, Done) else changed


# --- rounds -------------------------------------------------------------------------------------


def _time_in_turn(variants: Sequence[Variant], run: _Run) -> None:
    """Run rounds of all variants in turn, every second time in reverse, so that a slower machine slows all alike.

    A variant is done when it has the effort's rounds and its median's interval is narrow, or at the round limit.
    """
    effort = run.request.effort
    for turn in range(effort.most_rounds):
        for variant in variants if turn % 2 == 0 else reversed(variants):
            if variant.failed or variant.steady(effort):
                continue
            _round(variant, run)
            if variant.failed:
                run.unmeasured.append(variant.unmeasured(variant.failed))
    for variant in variants:
        if variant.counted:
            width = interval_width(variant)
            ended = "" if width < WIDEST_INTERVAL else ", the limit is reached"
            run.progress.say(f"{variant.title}: {len(variant.counted)} rounds, interval {width:.1%}{ended}")


def _round(variant: Variant, run: _Run) -> None:
    scenario, effort = run.request.scenario, run.request.effort
    needed = fewest_queries(scenario.percentile, CONFIDENCE) if scenario.percentile else 1
    setting = Setting(
        engine=variant.engine,
        precision=variant.precision,
        mode=run.request.mode,
        samples_per_query=scenario.samples_per_query,
        rate_per_second=scenario.rate_per_second,
        budget=Budget(
            seconds=effort.round_seconds,
            fewest=-(-needed // effort.rounds),
            limit_seconds=_SLOWEST * effort.round_seconds,
        ),
        warm_up_seconds=effort.warm_up_seconds,
        cores=run.cores,
    )
    with Monitor(run.cores) as monitor:
        if variant.idle_mw is None:
            variant.idle_mw = monitor.idle_power_mw(_IDLE_SECONDS)
        result = time_round(variant.subject, setting, run.timed, variant.predictions, run.timing)
        if not isinstance(result, Done):
            variant.failed = _why(result, run)
            return
        timed = result.value
        state = monitor.state(Window(timed.started, timed.ended, timed.cpu_seconds))
    variant.add(timed, noticed(timed, state))


def _why(result: Failed | Skipped, run: _Run) -> str:
    if result.status == "memory" and run.envelope:
        return (
            f"It does not fit a {run.envelope.title}: it used more than the "
            f"{run.envelope.memory_bytes / 1e9:.2f} GB that the board's memory leaves for programs."
        )
    return result.whole_reason
