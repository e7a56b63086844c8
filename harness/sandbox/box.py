"""bwrap's options for a box: what of the machine is in it, and what is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.sandbox import cores, python_environment
from harness.sandbox.engine import Job
from harness.sandbox.python_environment import PythonEnvironment
from harness.sandbox.staging import Staging, accounts

USER_NAMESPACE_UID = 1000
_SHM_BYTES = 512 * 2**20
_ZYGOTES_DISK_BYTES = 2**24
# Files of the machine that everyone can read and no job needs; Docker hides the same ones.
_HIDDEN_FILES = ("kcore", "keys", "key-users", "latency_stats", "timer_list", "sched_debug", "interrupts", "config.gz")
_HIDDEN_FOLDERS = ("acpi", "asound", "scsi")
_NAMESPACES = ("--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_OF_A_JOB = ("--unshare-pid", "--die-with-parent", "--as-pid-1", *_NAMESPACES)
_OF_AN_AGENT = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")  # it drops these before anything else
# It joins namespaces besides; and has no PID namespace of its own, from which a job's could not be joined.
_OF_A_ZYGOTE = (*_OF_AN_AGENT, "CAP_SYS_ADMIN", "CAP_SYS_CHROOT")


@dataclass(frozen=True, slots=True)
class Box:
    """What decides the options of a box."""

    python: PythonEnvironment
    staging: Staging
    variables: Mapping[str, str]
    inputs: Mapping[str, Path]  # name under /in -> the host's path
    disk_bytes: int
    uid: int | None  # the job's user where root starts it; None in a user namespace

    def of_a_job(self) -> Iterator[str]:
        """Options for a job: as root with the rights to leave root, else in a user namespace without any."""
        yield from _OF_A_JOB
        if self.uid is None:
            user = str(USER_NAMESPACE_UID)
            yield from ("--cap-drop", "ALL", "--unshare-user", "--disable-userns", "--uid", user, "--gid", user)
        else:
            yield from _capabilities(_OF_AN_AGENT)
        yield from self._content()

    def of_a_zygote(self) -> Iterator[str]:
        """Options for a zygote, which only root has."""
        yield from (*_NAMESPACES, *_capabilities(_OF_A_ZYGOTE))
        yield from self._content()

    def for_a_zygote(self, more_variables: Mapping[str, str]) -> Box:
        """The same box for no job of its own."""
        variables = {**self.variables, **more_variables}
        return replace(self, inputs={}, uid=None, disk_bytes=_ZYGOTES_DISK_BYTES, variables=variables)

    def _content(self) -> Iterator[str]:
        """Later mounts cover earlier ones."""
        yield from ("--new-session", "--clearenv", "--hostname", "sandbox")
        for name, value in self.variables.items():
            yield from ("--setenv", name, value)
        yield from ("--proc", "/proc", "--dev", "/dev")
        disk = str(self.disk_bytes)
        for place, size in (("/dev/shm", str(_SHM_BYTES)), ("/tmp", disk), ("/work", disk)):
            yield from ("--perms", "1777", "--size", size, "--tmpfs", place)
        hidden = {Path("/proc", name): self.staging.nothing for name in _HIDDEN_FILES}
        yield from _read_only({path: nothing for path, nothing in hidden.items() if path.exists()})
        for name in _HIDDEN_FOLDERS:
            if Path("/proc", name).is_dir():
                yield from ("--perms", "0555", "--tmpfs", f"/proc/{name}", "--remount-ro", f"/proc/{name}")
        system = python_environment.system_folders()
        yield from _read_only({folder: folder for folder in system if not folder.is_symlink()})
        for link in filter(Path.is_symlink, system):
            yield from ("--symlink", str(link.readlink()), str(link))
        yield from _read_only(self._mounts())
        for folder in self.python.masked_folders():
            yield from ("--perms", "0555", "--tmpfs", str(folder), "--remount-ro", str(folder))
        for file in self.python.masked_files():
            yield from ("--ro-bind", str(self.staging.nothing), str(file))
        yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/work")

    def _mounts(self) -> dict[Path, Path]:
        """Path inside -> the host's path."""
        same = [*python_environment.etc_files(), *self.python.paths()]
        staged = self.staging.folder
        return {
            **{path: path for path in same},
            **{Path("/etc", name): file for name, file in accounts(staged, self.uid or USER_NAMESPACE_UID).items()},
            **{Path("/opt/harness", part): staged / part for part in ("agent", "site")},
            **{Path("/in", name): path.resolve() for name, path in self.inputs.items()},
        }


def box_of(job: Job, python: PythonEnvironment, staging: Staging, uid: int | None) -> Box:
    """The box for a job."""
    return Box(python, staging, variables(job, python), job.inputs, job.limits.disk_bytes, uid)


def variables(job: Job, python: PythonEnvironment) -> dict[str, str]:
    """The environment variables of a job."""
    return {
        "PATH": f"{python.prefix / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/work",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **cores.thread_variables(job.limits.cpus, job.phase),
    }


def _capabilities(kept: tuple[str, ...]) -> Iterator[str]:
    yield from ("--cap-drop", "ALL")
    for capability in kept:
        yield from ("--cap-add", capability)


def _read_only(mounts: Mapping[Path, Path]) -> Iterator[str]:
    """Options for the mounts and their parent folders, which bwrap would otherwise create for root only."""
    made: set[Path] = {Path("/")}
    for inside, outside in mounts.items():
        for parent in reversed(inside.parents):
            if parent not in made and not any(parent.is_relative_to(known) for known in mounts):
                made.add(parent)
                yield from ("--perms", "0755", "--dir", str(parent))
        yield from ("--ro-bind", str(outside), str(inside))
