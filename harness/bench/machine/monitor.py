"""Monitors the machine while a model is timed: clock, temperature, throttling, other programs' load, power."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil
from pydantic import Field

from harness.bench.machine import tegrastats
from harness.bench.machine.fairness import cgroup_folders
from harness.files.system import usable_cores as cores
from harness.stages.evidence.record import Record

_INTERVAL_SECONDS = 0.5
_CPU = Path("/sys/devices/system/cpu")

# Limits beyond which a round is void; limits that are only noted are in bench/summary.py.
MOST_FREQUENCY_CHANGE = 0.05  # between the slowest and the fastest clock, relative to the fastest
MOST_WARMING_C = 15.0


class MachineState(Record):
    """The machine's state in a window of time. None where this machine does not report a value."""

    frequency_mhz: tuple[float, float] | None = None  # the lowest and the highest mean over the cores
    temperature_c: tuple[float, float] | None = None  # the hottest sensor, at the start and at its highest
    throttled: int | None = None  # times that a control group had used up its share of processor time
    other_load: float | None = Field(None, ge=0)  # cores that other programs used, on average
    stolen: float | None = Field(None, ge=0)  # cores that a hypervisor gave to other machines, on average
    power_mw: float | None = Field(None, ge=0)  # mean, of the whole board

    def void(self) -> str:
        """Why a timing in this window does not count; empty when it does."""
        if self.throttled:
            return f"the processor time of the control group ran out {self.throttled} times"
        if self.frequency_mhz:
            low, high = self.frequency_mhz
            if high > 0 and 1 - low / high > MOST_FREQUENCY_CHANGE:
                return f"the processor's clock moved between {low:.0f} and {high:.0f} MHz"
        if self.temperature_c:
            start, high = self.temperature_c
            if high - start > MOST_WARMING_C:
                return f"the machine warmed from {start:.0f} to {high:.0f} °C"
        return ""


@dataclass(frozen=True, slots=True)
class Window:
    """When something was timed (`time.monotonic`), and its own processor time."""

    started: float
    ended: float
    own_cpu_seconds: float


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    frequency_mhz: float | None
    temperature_c: float | None
    throttled: int | None
    busy_seconds: float  # of all cores together
    stolen_seconds: float


class Monitor:
    """Samples the machine twice a second, in a thread. Use as a context manager."""

    def __init__(self, cores: Sequence[int]) -> None:
        self._cores = tuple(cores)
        self._samples: list[_Sample] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._power = tegrastats.Recorder.found()

    def __enter__(self) -> Monitor:
        if self._power:
            self._power.__enter__()
        self._samples.append(_sample(self._cores))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        if self._power:
            self._power.__exit__(kind, error, at)

    def idle_power_mw(self, seconds: float) -> float | None:
        """The board's mean power over the next `seconds`, while we run nothing; without a meter, None at once."""
        if self._power is None:
            return None
        started = time.monotonic()
        time.sleep(seconds)
        return tegrastats.mean_power_mw(self._power.readings, started, time.monotonic())

    def state(self, window: Window) -> MachineState:
        """The state in the window, from the samples in it and the nearest one on either side."""
        self._samples.append(_sample(self._cores))
        seen = _around(self._samples, window)
        first, last = seen[0], seen[-1]
        seconds = max(last.at - first.at, 1e-9)
        # Samples reach a little beyond the window; scale the busy time down to it.
        share = min((window.ended - window.started) / seconds, 1.0)
        length = max(window.ended - window.started, 1e-9)
        others = (last.busy_seconds - first.busy_seconds) * share - window.own_cpu_seconds
        inside = [s for s in seen if window.started < s.at < window.ended]  # cores rest before and after
        clocks = [s.frequency_mhz for s in inside if s.frequency_mhz is not None]
        degrees = [s.temperature_c for s in seen if s.temperature_c is not None]
        throttles = [s.throttled for s in seen if s.throttled is not None]
        power = tegrastats.mean_power_mw(self._power.readings, window.started, window.ended) if self._power else None
        return MachineState(
            frequency_mhz=(min(clocks), max(clocks)) if clocks else None,
            temperature_c=(degrees[0], max(degrees)) if degrees else None,
            throttled=throttles[-1] - throttles[0] if throttles else None,
            other_load=max(others / length, 0.0),
            stolen=max((last.stolen_seconds - first.stolen_seconds) / seconds, 0.0),
            power_mw=power,
        )

    def _watch(self) -> None:
        while not self._done.wait(_INTERVAL_SECONDS):
            self._samples.append(_sample(self._cores))


def _around(samples: Sequence[_Sample], window: Window) -> list[_Sample]:
    """The samples in the window, the last before it and the first after it."""
    before = [s for s in samples if s.at <= window.started][-1:]
    within = [s for s in samples if window.started < s.at < window.ended]
    after = [s for s in samples if s.at >= window.ended][:1]
    return before + within + after


def _sample(cores: Sequence[int]) -> _Sample:
    busy, stolen = _processor_seconds()
    return _Sample(time.monotonic(), _frequency_mhz(cores), _temperature_c(), _throttled(), busy, stolen)


def _frequency_mhz(cores: Sequence[int]) -> float | None:
    clocks = []
    for core in cores:
        try:
            clocks.append(int((_CPU / f"cpu{core}/cpufreq/scaling_cur_freq").read_text()) / 1000)
        except (OSError, ValueError):
            return None
    return sum(clocks) / len(clocks) if clocks else None


def _temperature_c() -> float | None:
    sensors = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
    degrees = [sensor.current for chip in sensors.values() for sensor in chip if sensor.current]
    return max(degrees, default=None)


def _throttled() -> int | None:
    """How often a control group around this process was throttled."""
    counts = []
    for folder in cgroup_folders():
        try:
            lines = (folder / "cpu.stat").read_text().splitlines()
        except OSError:
            continue
        counts += [int(line.split()[1]) for line in lines if line.startswith("nr_throttled ")]
    return sum(counts) if counts else None


def _processor_seconds() -> tuple[float, float]:
    """Busy and stolen time of all cores since the start, seconds."""
    times = psutil.cpu_times()
    busy = times.user + times.nice + times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
    return float(busy), float(getattr(times, "steal", 0.0))


def usable_cores(wanted: int | None) -> tuple[int, ...]:
    """The cores to pin to: the first `wanted` of those that this process may use; all when None."""
    allowed = cores()
    return allowed[: wanted or len(allowed)]
