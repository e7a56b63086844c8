"""The results of `harness bench`: bench.json as types."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.bench.machine import MachineState
from harness.bench.rules import EffortName, ScenarioName
from harness.errors import UsageError
from harness.stages.evidence.benchmark import CheckedAnswers
from harness.stages.evidence.boards import BoardPredictions
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.layers import LayerTimes
from harness.stages.evidence.record import Interval, Record, Share
from harness.stages.timing import Mode

SCHEMA = 1
# Model, engine, precision, mode, batch size if it was asked for: identifies a measurement in a comparison.
Key = tuple[str, str, str, str, int | None]


class TimedRound(Record):
    """A round in a fresh process, and the machine's state meanwhile."""

    queries: int
    seconds: float
    median_ms: float
    drift: float  # relative change of the median from the first to the last third
    machine: MachineState
    void: str = ""  # why it does not count; empty when it does


class Energy(Record):
    """The energy of one inference above the idle board's, from tegrastats."""

    idle_mw: float
    mean_mw: float
    per_inference_mj: float


class Accuracy(Record):
    """Accuracy on the given labelled images, without those used to calibrate int8."""

    images: int
    value: Share
    interval: Interval


class EarlyStopped(Record):
    """MLPerf's early-stopping estimate of a percentile, at confidence 0.99."""

    percentile: int
    estimate_ms: float | None  # None: it needs at least `needed` queries
    discarded: int
    needed: int


class Fit(Record):
    """Peak memory compared with the memory that a board leaves for programs."""

    board: str
    peak_bytes: int
    available_bytes: int  # the board's memory less the system's share

    @property
    def fits(self) -> bool:
        return self.peak_bytes <= self.available_bytes


class Measurement(Record):
    """One model on one engine at one precision. Latencies are of queries, throughput of samples."""

    model: str
    sha256: str  # of the model file as handed in
    is_reference: bool = False
    engine: str  # as `--engine` takes it
    described: str  # the engine's name, version and device
    precision: Precision | Literal["unknown"]  # trtexec's times do not state it
    mode: Mode
    self_reported: bool  # the model's own Python ran, in a separate process, during the timing
    handover_ms: float | None = None  # per query, to and from that process, measured before its Python ran
    queries: int
    seconds: float
    p50_ms: float
    p50_interval: Interval
    p90_ms: float
    p99_ms: float
    early_stopping: EarlyStopped | None  # None in scenarios without a percentile
    throughput_per_s: float
    throughput_interval: Interval | None = None  # None at a fixed rate, which sets it
    batch: int | None = None  # images in a query, if `--batch` said it; None: as many as the scenario has
    missed: int = 0  # at a fixed rate: queries that began after the next one was planned
    valid: bool  # a round counts, early stopping, if any, is satisfied, and all answers were right
    believed: bool = True  # False when an answer was wrong, or the model keeps state or remembers inputs
    ended_by: Literal["interval", "limit"]  # a narrow enough interval of the median, or the limit
    peak_memory_bytes: int | None = None
    file_bytes: int | None = None
    max_abs_difference: float | None = None  # between the timed probabilities and the predict stage's at this precision
    answers: CheckedAnswers | None = None  # all timed answers; None without answers to compare with
    stateful_operators: tuple[str, ...] = ()  # of the graph: with these, equal calls can get different answers
    accuracy: Accuracy | None = None
    energy: Energy | None = None
    layers: LayerTimes | None = None  # on ONNX Runtime's CPU provider, in full runs
    fits: tuple[Fit, ...] = ()
    rounds: tuple[TimedRound, ...]
    latencies_ms: tuple[float, ...]  # of valid rounds, in order; thinned out above 10,000
    block_medians_ms: tuple[tuple[float, ...], ...]  # by round
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """The measurement's identity in a comparison."""
        return self.model, self.engine, self.precision, self.mode, self.batch


class Unmeasured(Record):
    """A model, or one of its variants, that could not be measured, and why."""

    model: str
    engine: str = ""
    precision: str = ""
    batch: int | None = None
    reason: str


class Host(Record):
    """The machine that ran the benchmark."""

    processor: str
    cores: tuple[int, ...]  # that the models were pinned to
    system: str
    board: str = ""  # a Jetson's own name, from its device tree
    power_mode: str = ""  # nvpmodel
    unfair: tuple[str, ...] = ()  # what `harness doctor --timing` reports as unfair


class Envelope(Record):
    """A board's cores and memory, on this machine."""

    board: str
    title: str
    cores: int
    board_cores: int | None
    memory_bytes: int


# "too few rounds": to see any difference. "too few queries" is what earlier versions said, and wrote into bench.json.
Verdict = Literal["faster", "slower", "no difference", "too few rounds", "too few queries"]


class Comparison(Record):
    """One measurement compared with the same one of an earlier run, or with an earlier model's of this run."""

    model: str
    engine: str
    precision: str
    batch: int | None = None
    old_ms: float
    new_ms: float
    ratio: float  # new / old, by the means of the logarithms of the rounds' medians
    ratio_interval: Interval | None  # None with too few rounds
    p_value: float | None
    smallest_change: float = 0.03  # of the median: what is certainly larger counts
    verdict: Verdict


class BenchResults(Record):
    """bench.json."""

    schema_: Literal[1] = Field(1, alias="schema")
    harness: str
    finished: str  # ISO 8601, UTC
    scenario: ScenarioName
    effort: EffortName
    mode: Mode
    sandbox: str
    images: int  # that inputs were made of; 0: noise
    host: Host
    envelope: Envelope | None = None
    measurements: tuple[Measurement, ...]
    unmeasured: tuple[Unmeasured, ...] = ()
    outlooks: tuple[BoardPredictions, ...] = ()  # predictions for boards, by model
    compared: tuple[Comparison, ...] = ()  # with the run or the model that --compare named
    earlier_model: str = ""  # the model that --compare named


def is_results(path: Path) -> bool:
    """Whether a path is named as results are, and not as a model."""
    return path.suffix == ".json"


def load(file: Path) -> BenchResults:
    """An earlier run's bench.json. Raises `UsageError` for anything else."""
    do = "give the bench.json that `harness bench --out` wrote with this version's schema"
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}", do) from error
    try:
        return BenchResults.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["loc"] == ("schema",) or where.startswith("schema"):
            found = first["input"]
            raise UsageError(f"{file}: schema {found!r}, and this version reads schema {SCHEMA}", do) from error
        raise UsageError(f"{file}: no bench.json: {where or 'the file'}: {first['msg']}", do) from error
