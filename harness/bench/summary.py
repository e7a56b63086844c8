"""Summarises a variant's rounds as its measurement. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.bench.envelope import fits
from harness.bench.estimates import block_medians, drift, early_stopping, median_interval, p_value, rate_interval
from harness.bench.machine import MachineState
from harness.bench.machine.tegrastats import energy_mj
from harness.bench.results import Accuracy, EarlyStopped, Energy, Measurement, TimedRound, Unmeasured
from harness.bench.rules import CONFIDENCE, WIDEST_INTERVAL, Effort, Scenario
from harness.stages.evidence.benchmark import CheckedAnswers
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.layers import LayerTimes
from harness.stages.evidence.predictions import Predictions
from harness.stages.latency_statistics import nearest_rank
from harness.stages.timed_answers import together
from harness.stages.timing import OWN_PYTHON, Engine, Mode, Repeated, Round, Subject

Floats = NDArray[np.float64]

MOST_KEPT = 10_000  # latencies in bench.json
_MOST_DRIFT = 0.05
_MOST_OTHER_LOAD = 0.1  # cores
_MOST_STOLEN = 0.02  # cores
_REPEATED = 1.1  # ratio: MLPerf's TEST04 allows repeated inputs to be 10 % faster
_DOUBT = 0.01  # p-value of the hypothesis that repeated inputs are not faster


@dataclass(slots=True)
class Variant:
    """One model on one engine at one precision, with its rounds so far."""

    name: str
    sha256: str
    is_reference: bool
    engine: Engine
    precision: Precision
    subject: Subject
    file_bytes: int
    predictions: Predictions | None  # for the timed images
    evaluation: Evaluation | None
    unscored: str = ""  # why there is no evaluation, although there are labels
    batch: int | None = None  # images in a query; None: as many as the scenario has
    about: str = ""  # where the model comes from, if it was not given as a file
    idle_mw: float | None = None
    failed: str = ""  # why it cannot be timed
    layers: LayerTimes | None = None
    no_layers: str = ""  # why they could not be timed
    timed: list[Round] = field(default_factory=list)
    rounds: list[TimedRound] = field(default_factory=list)

    @property
    def title(self) -> str:
        batch = f", batch {self.batch}" if self.batch else ""
        return f"{self.name} ({self.engine}, {self.precision}{batch})"

    def samples(self, scenario: Scenario) -> int:
        """How many images a query has."""
        return self.batch or scenario.samples_per_query

    @property
    def counted(self) -> list[Round]:
        """The rounds that are not void."""
        return [timed for timed, seen in zip(self.timed, self.rounds, strict=True) if not seen.void]

    def add(self, timed: Round, seen: TimedRound) -> None:
        self.timed.append(timed)
        self.rounds.append(seen)

    def steady(self, effort: Effort) -> bool:
        """Whether there are enough rounds and seconds, and the median's interval is narrow enough to stop."""
        seconds = sum(timed.ended - timed.started for timed in self.counted)
        enough = len(self.counted) >= effort.rounds and seconds >= effort.seconds
        return enough and interval_width(self) < WIDEST_INTERVAL

    def unmeasured(self, reason: str) -> Unmeasured:
        return Unmeasured(
            model=self.name, engine=self.engine, precision=self.precision, batch=self.batch, reason=reason
        )


def noticed(timed: Round, state: MachineState) -> TimedRound:
    """A round with the machine's state, void if the state says so."""
    latencies = np.array(timed.latencies_ms)
    return TimedRound(
        queries=len(latencies),
        seconds=timed.ended - timed.started,
        median_ms=float(np.median(latencies)),
        drift=drift(latencies),
        machine=state,
        void=state.void(),
    )


def interval_width(variant: Variant) -> float:
    """The width of the median's interval, relative to the median."""
    latencies = [np.array(timed.latencies_ms) for timed in variant.counted]
    low, high = median_interval(latencies)
    return (high - low) / float(np.median(np.concatenate(latencies)))


def measurement(variant: Variant, scenario: Scenario, mode: Mode) -> Measurement:
    """The measurement from the valid rounds."""
    counted = variant.counted
    by_round = [np.array(timed.latencies_ms) for timed in counted]
    latencies = np.concatenate(by_round)
    seconds = sum(timed.ended - timed.started for timed in counted)
    rate = variant.samples(scenario) * len(latencies) / seconds
    stopped = early_stopped(latencies, scenario.percentile) if scenario.percentile else None
    peak = max(timed.peak_memory_bytes for timed in counted)
    width = interval_width(variant)
    answers = together([timed.answers for timed in counted if timed.answers is not None])
    remembers = remembered([timed.repeated for timed in counted if timed.repeated is not None])
    believed = not (answers and answers.different) and not remembers and not counted[0].stateful_operators
    return Measurement(
        model=variant.name,
        sha256=variant.sha256,
        is_reference=variant.is_reference,
        engine=variant.engine,
        described=counted[0].engine,
        precision=variant.precision,
        mode=mode,
        self_reported=variant.engine in OWN_PYTHON,
        handover_ms=handover_ms(counted),
        queries=len(latencies),
        seconds=seconds,
        p50_ms=nearest_rank(latencies, 50),
        p50_interval=median_interval(by_round),
        p90_ms=nearest_rank(latencies, 90),
        p99_ms=nearest_rank(latencies, 99),
        early_stopping=stopped,
        throughput_per_s=rate,
        throughput_interval=None if scenario.rate_per_second else rate_interval(by_round, rate),
        batch=variant.batch,
        missed=sum(timed.missed for timed in counted),
        valid=believed and (stopped is None or stopped.estimate_ms is not None),
        believed=believed,
        ended_by="interval" if width < WIDEST_INTERVAL else "limit",
        peak_memory_bytes=peak,
        file_bytes=variant.file_bytes,
        max_abs_difference=answers.largest_difference if answers else None,
        answers=answers,
        stateful_operators=counted[0].stateful_operators,
        accuracy=_accuracy(variant.evaluation),
        energy=_energy(variant, scenario),
        layers=variant.layers,
        fits=fits(peak),
        rounds=tuple(variant.rounds),
        latencies_ms=tuple(float(ms) for ms in thinned(latencies)),
        block_medians_ms=tuple(tuple(row) for row in block_medians(by_round).tolist()),
        notes=tuple(_notes(variant, scenario, answers, remembers)),
    )


def handover_ms(rounds: Sequence[Round]) -> float | None:
    """The median over the rounds; None where no model code runs."""
    found = [timed.handover_ms for timed in rounds if timed.handover_ms is not None]
    return float(np.median(found)) if found else None


def early_stopped(latencies: Floats, percentile: int) -> EarlyStopped:
    """MLPerf's estimate of the percentile, for bench.json."""
    found = early_stopping(latencies, percentile, CONFIDENCE)
    return EarlyStopped(
        percentile=found.percentile, estimate_ms=found.estimate, discarded=found.discarded, needed=found.needed
    )


def _accuracy(evaluation: Evaluation | None) -> Accuracy | None:
    if evaluation is None:
        return None
    return Accuracy(images=evaluation.images, value=evaluation.accuracy, interval=evaluation.accuracy_interval)


def _energy(variant: Variant, scenario: Scenario) -> Energy | None:
    """The energy above the idle board's power, from the rounds in which power was metered."""
    if variant.idle_mw is None:
        return None
    metered = [
        (seen.machine.power_mw, seen.seconds, seen.queries * variant.samples(scenario))
        for seen in variant.rounds
        if not seen.void and seen.machine.power_mw is not None
    ]
    if not metered:
        return None
    seconds = sum(length for _, length, _ in metered)
    mean = sum(power * length for power, length, _ in metered) / seconds
    inferences = sum(count for _, _, count in metered)
    return Energy(
        idle_mw=variant.idle_mw,
        mean_mw=mean,
        per_inference_mj=energy_mj(mean, variant.idle_mw, seconds, inferences),
    )


def thinned(latencies: Floats) -> Floats:
    """At most 10,000 latencies, chosen evenly, in order."""
    if len(latencies) <= MOST_KEPT:
        return latencies
    chosen: Floats = latencies[np.linspace(0, len(latencies) - 1, MOST_KEPT).astype(int)]
    return chosen


def remembered(rounds: Sequence[Repeated]) -> float | None:
    """The ratio of new to repeated inputs' latency, if it is significant and above 10 %; else None."""
    seen = np.array([ms for one in rounds for ms in one.seen_ms])
    unseen = np.array([ms for one in rounds for ms in one.unseen_ms])
    if not len(seen) or not len(unseen) or p_value(unseen, seen) >= _DOUBT:
        return None
    times = float(np.median(unseen) / max(float(np.median(seen)), 1e-6))
    return times if times > _REPEATED else None


def _notes(variant: Variant, scenario: Scenario, answers: CheckedAnswers | None, remembers: float | None) -> list[str]:
    """What a reader must know about the figures, one sentence each."""
    notes = [variant.about] if variant.about else []
    seen = [one for one in variant.rounds if not one.void]
    if variant.samples(scenario) > 1 and not variant.subject.conversion.dynamic_batch:
        notes.append(f"It takes one image at a time, so a query is {variant.samples(scenario)} runs.")
    if variant.no_layers:
        notes.append(variant.no_layers)
    if variant.unscored:
        notes.append(variant.unscored)
    if void := [one.void for one in variant.rounds if one.void]:
        were = "was" if len(void) == 1 else "were"
        notes.append(f"{len(void)} of {len(variant.rounds)} rounds {were} void: {void[0]}.")
    if (worst := max((one.drift for one in seen), key=abs)) and abs(worst) > _MOST_DRIFT:
        longer = "longer" if worst > 0 else "less time"
        notes.append(
            f"In one round the last third of the queries took {abs(worst):.0%} {longer} than the first third, so the "
            "speed had not settled."
        )
    if (other := max(one.machine.other_load or 0.0 for one in seen)) > _MOST_OTHER_LOAD:
        notes.append(f"Other programs took up to {other:.1f} cores meanwhile.")
    if (stolen := max(one.machine.stolen or 0.0 for one in seen)) > _MOST_STOLEN:
        notes.append(f"The host gave the time of up to {stolen:.2f} cores to other machines.")
    if (handover := handover_ms(variant.counted)) is not None:
        notes.append(
            f"The model's own code runs in a separate process. Of each query, {handover:.2g} ms are the way there and "
            "back, as measured before that code was loaded."
        )
    if answers is None:
        notes.append(
            "The answers that it gave while it was timed were not checked, because there are none to compare them with."
        )
    elif answers.different:
        notes.append(
            f"Not valid: {answers.different} of {answers.checked} answers while timed are not those that it gave "
            f"before on the same images; they differ by up to {answers.largest_difference:.2g}."
        )
    if stateful := variant.counted[0].stateful_operators:
        notes.append(f"Not valid: it can give another answer each time it is asked ({', '.join(stateful)}).")
    if remembers is not None:
        notes.append(
            f"Not valid: it remembers its inputs. An image that it has not seen before takes {remembers:.2g} times as "
            f"long."
        )
    if scenario.rate_per_second and (missed := sum(timed.missed for timed in variant.counted)):
        total = sum(len(timed.latencies_ms) for timed in variant.counted)
        notes.append(f"It does not keep up: {missed} of {total} images began after the next was due.")
    return notes
