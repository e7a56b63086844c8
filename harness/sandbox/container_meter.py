"""Reads a container's resource use from its control group while it runs, if this process may."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


class ContainerMeter:
    """The latest figures of one container; None, or 0 kills, until `read` has found its control group.

    Version 1 has a folder for each controller; version 2 has one, named by one of the Engine's two drivers.
    """

    def __init__(self, container_id: str) -> None:
        memory, cpu = _ROOT / "memory" / "docker" / container_id, _ROOT / "cpuacct" / "docker" / container_id
        unified = (_ROOT / "docker" / container_id, _ROOT / "system.slice" / f"docker-{container_id}.scope")
        self._peaks = (memory / "memory.max_usage_in_bytes", *(folder / "memory.peak" for folder in unified))
        self._kills = (memory / "memory.oom_control", *(folder / "memory.events" for folder in unified))
        self._nanoseconds = cpu / "cpuacct.usage"
        self._cpu_stats = tuple(folder / "cpu.stat" for folder in unified)
        self.peak_memory_bytes: int | None = None
        self.out_of_memory_kills = 0
        self.cpu_seconds: float | None = None

    def read(self) -> None:
        if (peak := _first_value(self._peaks)) is not None:
            self.peak_memory_bytes = peak
        if (kills := _first_value(self._kills, "oom_kill")) is not None:
            self.out_of_memory_kills = kills
        if (nanoseconds := _first_value((self._nanoseconds,))) is not None:
            self.cpu_seconds = nanoseconds / 1e9
        elif (microseconds := _first_value(self._cpu_stats, "usage_usec")) is not None:
            self.cpu_seconds = microseconds / 1e6


def _first_value(files: tuple[Path, ...], key: str = "") -> int | None:
    """The number in the first readable file: its whole content, or the rest of the line that begins with `key`."""
    for file in files:
        try:
            lines = [line.split() for line in file.read_text().splitlines()]
            return int(lines[0][0]) if not key else next(int(line[1]) for line in lines if line[0] == key)
        except (OSError, ValueError, IndexError, StopIteration):
            continue
    return None
