"""Checks what makes timing unfair on this machine, and names the command that fixes it.

The checks follow isolate-check-environment. Each reads the kernel's files under a root, so that tests can use a
made-up machine.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_BUSY = 0.2  # share of the cores, by the load average, that other programs may use
_CPU = "sys/devices/system/cpu"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can make timing unfair. `fair` is None where the machine does not say."""

    name: str
    fair: bool | None
    detail: str
    do: str = ""  # the command that fixes it; empty when there is none

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def checks(root: Path = Path("/")) -> list[Check]:
    """Every check, in a fixed order."""
    return [check(root) for check in _CHECKS]


def unfair(root: Path = Path("/")) -> tuple[str, ...]:
    """A sentence for each check that found timing unfair."""
    return tuple(f"{check.name}: {check.detail}" for check in checks(root) if check.fair is False)


def processor(root: Path = Path("/")) -> str:
    """The processor's name, as the kernel has it."""
    for line in _text(root / "proc/cpuinfo").splitlines():
        if line.startswith(("model name", "Hardware", "Model")):
            return line.partition(":")[2].strip()
    return _text(root / "proc/device-tree/model").strip("\0 \n") or platform.machine()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _cores(root: Path) -> list[Path]:
    return sorted((root / _CPU).glob("cpu[0-9]*"), key=lambda path: int(path.name[3:]))


def _values(root: Path, file: str) -> list[str]:
    """The distinct contents of a file of every core."""
    return sorted({text for core in _cores(root) if (text := _text(core / file))})


def _swap(root: Path) -> Check:
    areas = _text(root / "proc/swaps").splitlines()[1:]
    if not areas:
        return Check("swap", True, "off")
    used = sum(int(area.split()[3]) for area in areas) * 1024
    return Check("swap", False, f"on, {used / 1e6:.0f} MB used: a page that has to come back stalls", "sudo swapoff -a")


def _smt(root: Path) -> Check:
    match _text(root / _CPU / "smt/active"):
        case "1":
            do = "echo off | sudo tee /sys/devices/system/cpu/smt/control"
            return Check("SMT", False, "two threads share each core, and slow each other", do)
        case "0":
            return Check("SMT", True, "off")
    return Check("SMT", None, "the kernel does not say")


def _frequency_scaling(root: Path) -> Check:
    governors = _values(root, "cpufreq/scaling_governor")
    if not governors:
        return Check("frequency scaling", None, "the kernel does not say (a virtual machine: its host decides)")
    if governors == ["performance"]:
        return Check("frequency scaling", True, "governor performance")
    detail = f"governor {', '.join(governors)}: the clock follows the load"
    return Check("frequency scaling", False, detail, "sudo cpupower frequency-set -g performance")


def _boost(root: Path) -> Check:
    if no_turbo := _text(root / _CPU / "intel_pstate/no_turbo"):
        on, do = no_turbo == "0", "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
    elif boost := _text(root / _CPU / "cpufreq/boost"):
        on, do = boost == "1", "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
    else:
        return Check("boost", None, "the kernel does not say")
    if not on:
        return Check("boost", True, "off")
    return Check("boost", False, "on: the clock depends on temperature and on the other cores", do)


def _address_randomisation(root: Path) -> Check:
    level = _text(root / "proc/sys/kernel/randomize_va_space")
    if not level:
        return Check("address randomisation", None, "the kernel does not say")
    if level == "0":
        return Check("address randomisation", True, "off")
    detail = "on: each start has another memory layout; `harness bench` times several fresh starts for this reason"
    return Check("address randomisation", False, detail, "sudo sysctl kernel.randomize_va_space=0")


def _huge_pages(root: Path) -> Check:
    setting = _text(root / "sys/kernel/mm/transparent_hugepage/enabled")
    if not setting:
        return Check("transparent huge pages", None, "the kernel does not say")
    if "[always]" not in setting:
        return Check("transparent huge pages", True, setting)
    do = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
    return Check("transparent huge pages", False, "always: pages are merged while a model runs", do)


def _mixed_cores(root: Path) -> Check:
    kinds = _values(root, "cpu_capacity") or _values(root, "cpufreq/cpuinfo_max_freq")
    if not kinds:
        return Check("mixed cores", None, "the kernel does not say")
    if len(kinds) == 1:
        return Check("mixed cores", True, "all cores are alike")
    return Check("mixed cores", False, f"{len(kinds)} kinds of core", "taskset -c CORES harness bench ...")


def _shared_host(root: Path) -> Check:
    cpuinfo = _text(root / "proc/cpuinfo")
    if not any("hypervisor" in line for line in cpuinfo.splitlines() if line.startswith("flags")):
        return Check("shared host", True, "no hypervisor is seen")
    stolen = next((line.split() for line in _text(root / "proc/stat").splitlines() if line.startswith("cpu ")), [])
    taken = int(stolen[8]) / max(sum(map(int, stolen[1:9])), 1) if len(stolen) > 8 else 0.0
    detail = f"a virtual machine; {taken:.1%} of the processor's time since its start went to others"
    return Check("shared host", False, detail, "time on a machine of your own")


def _load(root: Path) -> Check:
    load = _text(root / "proc/loadavg").split()
    cores = len(_cores(root)) or os.cpu_count() or 1
    if not load:
        return Check("load", None, "the kernel does not say")
    busy = float(load[0])
    if busy <= _BUSY * cores:
        return Check("load", True, f"{busy:g} on {cores} cores")
    return Check("load", False, f"{busy:g} on {cores} cores: other programs run", "stop them; `top` names them")


_CHECKS: tuple[Callable[[Path], Check], ...] = (
    _swap,
    _smt,
    _frequency_scaling,
    _boost,
    _address_randomisation,
    _huge_pages,
    _mixed_cores,
    _shared_host,
    _load,
)


def cgroup_folders(root: Path = Path("/")) -> Iterator[Path]:
    """The control groups that limit this process' time, its own and those around it (versions 1 and 2)."""
    mount = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = mount / controllers if controllers else mount
        folder = base / path.strip("/")
        while folder.is_relative_to(base):
            if (folder / "cpu.stat").is_file():
                yield folder
            if folder == base:
                break
            folder = folder.parent
