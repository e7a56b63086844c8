"""Parses and records the output of tegrastats, the Jetsons' own meter, while a model runs.

NVIDIA documents the format in the Jetson Linux Developer Guide, "tegrastats Utility". Boards and releases differ in
the rails and sensors, in `mW`, and in upper and lower case.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

INTERVAL_MS = 100
_STOP_SECONDS = 5

# The rails whose sum is the input power of the module or board; the first set that a line has counts. Xavier NX, TX2,
# Orin NX and Orin Nano meter their input, the Nano its 5 V input, AGX boards only parts. A Nano 2GB has no meter.
_TOTALS: tuple[tuple[str, ...], ...] = (
    ("VDD_IN",),
    ("POM_5V_IN",),
    ("VIN",),  # AGX Thor
    ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
    ("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"),
)
_RAIL = re.compile(r"(?<!\S)([A-Z][A-Z0-9_]*) (?:(\d+)(?:mW)?(?:/\d+(?:mW)?)+|(\d+)mW)(?!\S)")
_SENSOR = re.compile(r"(?<!\S)([A-Za-z][\w-]*)@(-?\d+(?:\.\d+)?)C(?:/-?\d+(?:\.\d+)?C)?(?!\S)")
_UNREAL = ("pmic",)  # reports a constant


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of tegrastats."""

    ram_used_mb: int | None
    ram_total_mb: int | None
    cpu_mhz: tuple[int, ...]  # of the cores that are on
    gpu_load_percent: int | None
    gpu_mhz: int | None
    temperatures_c: dict[str, float]  # sensors' names in lower case
    rails_mw: dict[str, int]  # momentary, not averaged

    @property
    def power_mw(self) -> int | None:
        """The power of the whole module or board; None where it is not metered."""
        for rails in _TOTALS:
            if all(rail in self.rails_mw for rail in rails):
                return sum(self.rails_mw[rail] for rail in rails)
        return None


def parse(line: str) -> Reading | None:
    """The reading in a line; None for another line (a warning, say)."""
    memory = re.search(r"(?<!\S)RAM (\d+)/(\d+)MB", line)
    if memory is None:
        return None
    gpu = re.search(r"GR3D(?:_FREQ)? (?:(\d+)%)?(?:@\[?(\d+))?", line)
    sensors = ((name.lower(), float(value)) for name, value in _SENSOR.findall(line))
    return Reading(
        ram_used_mb=int(memory[1]),
        ram_total_mb=int(memory[2]),
        cpu_mhz=_cpu_mhz(line),
        gpu_load_percent=int(gpu[1]) if gpu and gpu[1] else None,
        gpu_mhz=int(gpu[2]) if gpu and gpu[2] else None,
        temperatures_c={name: value for name, value in sensors if name not in _UNREAL and value > -100},
        rails_mw={name: int(slashed or single) for name, slashed, single in _RAIL.findall(line)},
    )


def _cpu_mhz(line: str) -> tuple[int, ...]:
    """`CPU [5%@1224,off]`, or, as older releases have it, `CPU [0%,off]@345` or `cpu [0%,off]@345`."""
    cores = re.search(r"[Cc][Pp][Uu] \[([^\]]*)\](?:@(\d+))?", line)
    if cores is None:
        return ()
    on = [core for core in cores[1].split(",") if core.strip() != "off"]
    if cores[2]:
        return tuple(int(cores[2]) for _ in on)
    return tuple(int(clock[1]) for core in on if (clock := re.search(r"@(\d+)$", core)))


@dataclass(frozen=True, slots=True)
class Stamped:
    """A reading and when it came (`time.monotonic`)."""

    at: float
    reading: Reading


def mean_power_mw(readings: Sequence[Stamped], started: float, ended: float) -> float | None:
    """The mean power between two moments; None where nothing was metered then."""
    metered = [one.reading.power_mw for one in readings if started <= one.at <= ended]
    known = [power for power in metered if power is not None]
    return statistics.fmean(known) if known else None


def energy_mj(power_mw: float, idle_mw: float, seconds: float, inferences: int) -> float:
    """The energy of one inference above the idle board's, in millijoules. Never negative."""
    return max(power_mw - idle_mw, 0.0) * seconds / inferences


class Recorder:
    """Runs tegrastats with ten readings a second and keeps them. Use as a context manager."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._readings: list[Stamped] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @classmethod
    def found(cls) -> Recorder | None:
        """A recorder; None where this machine has no tegrastats."""
        program = shutil.which("tegrastats")
        return cls(program) if program else None

    @property
    def readings(self) -> list[Stamped]:
        return list(self._readings)

    def __enter__(self) -> Recorder:
        command = [self._program, "--interval", str(INTERVAL_MS)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process is not None and self._reader is not None
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_STOP_SECONDS)

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            if (reading := parse(line)) is not None:
                self._readings.append(Stamped(time.monotonic(), reading))


def power_mode() -> str:
    """The nvpmodel mode, for example `MAXN (0)`; empty where it is not known."""
    program = shutil.which("nvpmodel")
    if program is None:
        return ""
    try:
        done = subprocess.run([program, "-q"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return parse_power_mode(done.stdout)


def parse_power_mode(said: str) -> str:
    """The mode in the output of `nvpmodel -q`: a line with the mode's name, then one with its number."""
    match = re.search(r"NV Power Mode:\s*(\S+)[ \t]*(?:\n\s*(\d+))?", said)
    if match is None:
        return ""
    return f"{match[1]} ({match[2]})" if match[2] else match[1]
