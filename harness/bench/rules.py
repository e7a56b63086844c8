"""What is timed, and for how long: the scenarios of MLPerf Inference, and a camera's fixed rate.

MLPerf's are in github.com/mlcommons/inference_policies, inference_rules.adoc. Scenarios and percentiles are those of
the rules since they have early stopping (read as of the v3.0 round): SingleStream's result is the 90th percentile of
one sample at a time, MultiStream's the 99th of queries of 8 samples, Offline's the throughput with all samples
available at once; for a percentile, as many queries as early stopping needs at confidence 0.99. A run's length is that
of v0.5 (60 s, for SingleStream also 1,024 queries); the later rules say 600 s. `fixed-rate` is ours: a camera's images,
each timed from its planned moment, so that a stall counts for every image that it delays (no coordinated omission).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScenarioName = Literal["single-stream", "multi-stream", "offline", "fixed-rate"]
EffortName = Literal["full", "quick"]

CONFIDENCE = 0.99  # of the early-stopping estimate
WIDEST_INTERVAL = 0.03  # of the median's 95 % interval, relative to the median; narrow enough to stop


@dataclass(frozen=True, slots=True)
class Scenario:
    """How queries arrive, and which figure counts."""

    name: ScenarioName
    percentile: int | None  # the latency that counts; None where throughput does
    samples_per_query: int
    rate_per_second: float | None = None  # of queries; None: the next comes when the last is done


SCENARIOS: dict[ScenarioName, Scenario] = {
    "single-stream": Scenario("single-stream", 90, 1),
    "multi-stream": Scenario("multi-stream", 99, 8),
    "offline": Scenario("offline", None, 8),
    "fixed-rate": Scenario("fixed-rate", 99, 1, 30.0),
}


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each model is timed: in rounds, each in a fresh process, the models in turn."""

    name: EffortName
    seconds: float  # of timed queries in all rounds together, at least; 60: MLPerf v0.5, of which later rules say 600
    rounds: int
    most_rounds: int  # if the median's interval stays too wide
    warm_up_seconds: float
    layers: bool = False  # whether the engine's own profile of each layer is taken too

    @property
    def round_seconds(self) -> float:
        return self.seconds / self.rounds


EFFORTS: dict[EffortName, Effort] = {
    "full": Effort("full", 60.0, 5, 15, 3.0, layers=True),
    # Its length is its promise, so no rounds are added where the interval stays wide.
    "quick": Effort("quick", 4.0, 4, 4, 0.4),
}

# What a quick run leaves out, for the page and the terminal.
QUICK_LEAVES_OUT = (
    "A quick run: 4 rounds of 1 s for each model, where a full run takes at least 5 of 12 s. It leaves out the rounds "
    "that make an interval narrower than 3 %, and the time of each layer."
)
