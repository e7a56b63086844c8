"""All of `harness bench`: converts each model, times the models in rounds in turn, and summarises."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import harness
from harness.bench import trtexec
from harness.bench.compare import check_comparable
from harness.bench.estimates import fewest_queries
from harness.bench.host import here
from harness.bench.machine import Monitor, Window
from harness.bench.predicted import outlooks
from harness.bench.prepared import SLOWEST, Run, prepared
from harness.bench.request import Request, TorchvisionModel
from harness.bench.results import BenchResults, Key, Measurement
from harness.bench.rules import CONFIDENCE, WIDEST_INTERVAL
from harness.bench.subjects import NamedModel, check_there, named_models
from harness.bench.summary import Variant, interval_width, measurement, noticed
from harness.bench.torchvision_models import exported
from harness.bench.variants import variants_of
from harness.errors import MachineError, UsageError
from harness.sandbox import Sandbox
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.layers import layer_times
from harness.stages.progress import Progress
from harness.stages.timing import OWN_PYTHON, Budget, Setting, time_round

_IDLE_SECONDS = 5
_LAYER_SECONDS = 2.0  # of profiled queries


def measure(request: Request, sandbox: Sandbox, progress: Progress) -> BenchResults:
    """Measure the models.

    Raises `UsageError` for missing files, for combinations that make no sense, and when no model could be measured;
    `MachineError` for an engine that is not installed, and when every round was void.
    """
    _check(request)
    paths = [file for file in request.models if isinstance(file, Path)]
    times = [trtexec.read(file) for file in paths if trtexec.is_times(file)]
    for file in (*paths, request.reference, request.earlier_model):  # before anything is exported
        if isinstance(file, Path) and not trtexec.is_times(file):
            check_there(file)
    with prepared(request, sandbox, progress) as run:
        models = _on_disk(run)
        host = here(run.cores)
        if request.earlier:  # checked now, minutes before `compare`
            check_comparable(
                _planned(request, models, times), request.scenario.name, request.mode, host, request.earlier
            )
        variants = [variant for model in models for variant in variants_of(model, run)]
        _time_in_turn(variants, run)
        _profile_layers(variants, run)
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
    if request.batches and request.scenario.name != "single-stream":
        raise UsageError("--batch says how many images a query has, and so does the scenario", "leave --scenario out")
    times = any(isinstance(file, Path) and trtexec.is_times(file) for file in request.models)
    if times and request.scenario.name != "single-stream":
        raise UsageError("trtexec's times are of one inference after another", "leave --scenario out")
    if request.images is None and request.mode == "end-to-end":
        raise UsageError("end-to-end mode decodes images, and there are none", "give --images DIR")
    if request.images is None and "int8" in request.precisions:
        raise UsageError("int8 is calibrated on images, and there are none", "give --images DIR")
    own = [engine for engine in request.engines if engine in OWN_PYTHON]
    if own and set(request.precisions) != {"fp32"}:
        raise UsageError(f"the engine {own[0]} runs the model as it was handed in, in fp32", "leave --precision out")


def _on_disk(run: Run) -> tuple[NamedModel, ...]:
    """All models as files with names, the reference first; those of torchvision are exported. Raises `UsageError`."""
    request, about = run.request, dict[Path, str]()

    def file(model: Path | TorchvisionModel) -> Path:
        if isinstance(model, Path):
            return model
        path, said = exported(model, run)
        about[path] = said
        run.progress.say(said)
        return path

    reference = file(request.reference) if request.reference else None
    files = [file(one) for one in request.models if not (isinstance(one, Path) and trtexec.is_times(one))]
    earlier = [request.earlier_model] if request.earlier_model else []
    return named_models([*files, *earlier], reference, about)


def _planned(request: Request, models: Sequence[NamedModel], times: Sequence[Measurement]) -> list[Key]:
    """The keys of the measurements to come, and of those that trtexec made."""
    names = [model.name for model in models]
    batches: Sequence[int | None] = request.batches or [None]
    every = itertools.product(names, request.engines, request.precisions, [request.mode], batches)
    return [*every, *(one.key for one in times)]


# --- rounds -------------------------------------------------------------------------------------


def _time_in_turn(variants: Sequence[Variant], run: Run) -> None:
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
            run.progress.say(f"{variant.title}: {_rounds(len(variant.counted))}, interval {width:.1%}{ended}")


def _profile_layers(variants: Sequence[Variant], run: Run) -> None:
    """Take the engine's profile of each variant that ONNX Runtime runs on the CPU, if the effort has it."""
    for variant in variants if run.request.effort.layers else ():
        first = variant.batch is None or variant.batch == min(run.request.batches)
        if variant.counted and variant.engine == "cpu" and first:
            run.progress.say(f"{variant.title}: the time of each layer")
            conversion = variant.subject.conversion
            found = layer_times(conversion, run.timed, _LAYER_SECONDS, run.cores, run.timing)
            if isinstance(found, Done):
                variant.layers = found.value
            else:
                variant.no_layers = found.whole_reason


def _round(variant: Variant, run: Run) -> None:
    scenario, effort = run.request.scenario, run.request.effort
    needed = fewest_queries(scenario.percentile, CONFIDENCE) if scenario.percentile else 1
    setting = Setting(
        engine=variant.engine,
        precision=variant.precision,
        mode=run.request.mode,
        samples_per_query=variant.samples(scenario),
        rate_per_second=scenario.rate_per_second,
        budget=Budget(
            seconds=effort.round_seconds,
            fewest=-(-needed // effort.rounds),
            limit_seconds=SLOWEST * effort.round_seconds,
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


def _why(result: Failed | Skipped, run: Run) -> str:
    if result.status == "memory" and run.envelope:
        return (
            f"It does not fit a {run.envelope.title}: it used more than the "
            f"{run.envelope.memory_bytes / 1e9:.2f} GB that the board's memory leaves for programs."
        )
    return result.whole_reason


def _rounds(number: int) -> str:
    return "1 round" if number == 1 else f"{number} rounds"
