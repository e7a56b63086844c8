"""A job's control groups, version 1 and 2, where they are writable.

They measure the memory of a whole process tree and are the only hard limit on it. See the kernel's
admin-guide/cgroup-v1 and admin-guide/cgroup-v2.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from harness.sandbox.engine import Limits

_MOUNT = Path("/sys/fs/cgroup")
_PREFIX = "harness-"
_OURS = "harness"  # version 2: the group that the harness moves to
_PERIOD_US = 100_000


class Cgroup:
    """One job's group: a folder in each controller's tree (version 1), or one folder (version 2)."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders

    @property
    def entrances(self) -> list[Path]:
        """The files that a process writes `0` to, to join the group."""
        return sorted({folder / "cgroup.procs" for folder in self._folders.values()})

    @property
    def enforces(self) -> frozenset[str]:
        return frozenset(self._folders)

    def out_of_memory_kills(self) -> int:
        """How many processes the kernel killed at the memory limit."""
        text = self._read("memory", "memory.events") or self._read("memory", "memory.oom_control")
        match = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
        return int(match[1]) if match else 0

    def peak_memory_bytes(self) -> int | None:
        text = self._read("memory", "memory.peak") or self._read("memory", "memory.max_usage_in_bytes")
        return int(text) if text.strip().isdigit() else None

    def cpu_seconds(self) -> float | None:
        if match := re.search(r"^usage_usec (\d+)$", self._read("cpu", "cpu.stat"), re.MULTILINE):
            return int(match[1]) / 1e6
        text = self._read("cpuacct", "cpuacct.usage")
        return int(text) / 1e9 if text.strip().isdigit() else None

    def remove(self) -> None:
        """Kill its remaining processes and remove it. Waits at most 5 s for the kernel."""
        deadline = time.monotonic() + 5
        while True:
            for entrance in self.entrances:
                for pid in _lines(entrance):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(int(pid), signal.SIGKILL)
            left = False
            for folder in set(self._folders.values()):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    pass
                except OSError:
                    left = True
            if not left or time.monotonic() > deadline:
                return
            time.sleep(0.02)

    def _read(self, controller: str, file: str) -> str:
        try:
            return (self._folders[controller] / file).read_text()
        except (OSError, KeyError):
            return ""


def create(limits: Limits) -> Cgroup | None:
    """A fresh group with the job's limits, or None where no memory limit can be set."""
    name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    group = Cgroup(dict(_create_folders(name)))
    try:
        if "memory" not in group.enforces:
            raise OSError("no memory controller")
        _set(group, limits)
    except OSError:
        group.remove()
        return None
    return group


def remove_leftovers() -> None:
    """Remove the groups of dead harness processes, and kill what still runs in them."""
    own = _own_group() or _MOUNT
    for folders in (root.glob(f"{pattern}{_PREFIX}*") for root in {_MOUNT, own.parent} for pattern in ("", "*/")):
        for folder in folders:
            owner = folder.name.split("-")[1]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                Cgroup({folder.parent.name: folder}).remove()


def _create_folders(name: str) -> Iterator[tuple[str, Path]]:
    if (_MOUNT / "cgroup.controllers").is_file():  # version 2
        parent = _delegated()
        if parent is None:
            return
        folder = parent / name
        if _make(folder):
            for controller in ("memory", "pids", "cpu"):
                if (folder / f"{controller}.max").exists():
                    yield controller, folder
        return
    for controller in ("memory", "pids", "cpu", "cpuacct"):
        folder = _MOUNT / controller / name
        if (_MOUNT / controller).is_dir() and _make(folder):
            yield controller, folder


def _delegated() -> Path | None:
    """The folder in version 2's tree where groups with controllers can be created: the root, or our own group.

    Our own group must be delegated to us alone, as in a container or by `systemd-run --user --scope -p Delegate=yes`. A
    group with controllers for its children may not hold processes, so the harness moves to a child (cgroup-v2, "No
    Internal Process Constraint").
    """
    if _hand_down(_MOUNT):
        return _MOUNT
    own = _own_group()
    if own is None:
        return None
    if own.name == _OURS:
        return own.parent if _hand_down(own.parent) else None
    if any(int(pid) != os.getpid() for pid in _lines(own / "cgroup.procs")):
        return None
    try:
        (own / _OURS).mkdir(exist_ok=True)
        (own / _OURS / "cgroup.procs").write_text(str(os.getpid()))
    except OSError:
        return None
    return own if _hand_down(own) else None


def _own_group() -> Path | None:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::/"):
            return _MOUNT / line.removeprefix("0::/")
    return None


def _hand_down(folder: Path) -> bool:
    """Enable the controllers for the groups in `folder`; return whether they have at least memory."""
    try:
        wanted = {"memory", "pids", "cpu"} & set((folder / "cgroup.controllers").read_text().split())
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in sorted(wanted)))
    except OSError:
        return False
    return "memory" in wanted


def _make(folder: Path) -> bool:
    try:
        folder.mkdir()
    except OSError:
        return False
    return True


def _set(group: Cgroup, limits: Limits) -> None:
    folders = group._folders
    quota = -1 if limits.cores else limits.cpus * _PERIOD_US
    memory = folders["memory"]
    if (memory / "memory.max").exists():
        _write(memory / "memory.max", limits.memory_bytes)
        _write_if_there(memory / "memory.swap.max", 0)
        _write_if_there(folders.get("cpu", memory) / "cpu.max", f"{quota if quota > 0 else 'max'} {_PERIOD_US}")
    else:
        _write(memory / "memory.limit_in_bytes", limits.memory_bytes)
        _write_if_there(memory / "memory.memsw.limit_in_bytes", limits.memory_bytes)
        if "cpu" in folders:
            _write_if_there(folders["cpu"] / "cpu.cfs_period_us", _PERIOD_US)
            _write_if_there(folders["cpu"] / "cpu.cfs_quota_us", quota)
    if "pids" in folders:
        _write(folders["pids"] / "pids.max", limits.processes)


def _write(file: Path, value: int | str) -> None:
    file.write_text(str(value))


def _write_if_there(file: Path, value: int | str) -> None:
    if file.exists():
        _write(file, value)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
