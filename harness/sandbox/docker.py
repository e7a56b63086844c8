"""The engine Docker: one container for each job, from the image that `harness env build` makes."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import docker
import docker.errors
import psutil
import requests.exceptions
from docker.models.containers import Container
from docker.types import LogConfig, Mount, Ulimit

from harness.errors import EngineFailed, EnvironmentMissing, NoSandbox
from harness.sandbox import cores, system_calls
from harness.sandbox.container_meter import ContainerMeter
from harness.sandbox.engine import Job, Outcome
from harness.sandbox.frames import BadFrames
from harness.sandbox.image import image_tag
from harness.sandbox.process import Conversation, Ended, Stopped, status_of
from harness.sandbox.software import TORCH, Software
from harness.sandbox.staging import Staging, accounts

_PYTHON = "/opt/env/bin/python"
_LABEL_PID, _LABEL_STARTED = "transfer-harness.pid", "transfer-harness.started"
_FIRST_UID, _UIDS = 1_000_000_000, 1_000_000_000  # far from any real user
_SHM_BYTES = 512 * 2**20
_INODES = 200_000
_API_SECONDS = 60
_TICK_SECONDS = 0.1
_STDOUT, _STDERR = 1, 2  # stream numbers in the Engine's multiplexed stream
_BROKEN = (docker.errors.DockerException, requests.exceptions.RequestException, OSError)


class Docker:
    """The engine, connected."""

    name = "docker"

    def __init__(self, runtime: str | None = None) -> None:
        """`runtime`: its name in the Engine (`runsc` is gVisor's), else the Engine's default.

        Raises `NoSandbox` when no Engine answers, or when it lacks our image or the runtime.
        """
        try:
            self._client = docker.from_env(timeout=_API_SECONDS)
            self._client.ping()
        except _BROKEN as error:
            raise NoSandbox("no Docker Engine answers", "start Docker, and allow this user to use it") from error
        self._image_ids: dict[str, str] = {}
        if self._image_id(TORCH) is None:
            raise NoSandbox(f"the Docker Engine lacks the image {image_tag(TORCH)}", TORCH.build_command)
        if runtime is not None and runtime not in (known := self._client.info().get("Runtimes", {})):
            raise NoSandbox(
                f"the Docker Engine knows no runtime {runtime!r}, only {', '.join(sorted(known))}",
                "install it, and name it under 'runtimes' in /etc/docker/daemon.json, or leave --runtime out",
            )
        self._runtime = runtime
        self._is_local = self._client.info().get("NCPU") == os.cpu_count()  # else on another machine
        self._staging = Staging()
        self._stopping = threading.Event()
        # Names of containers that may still have to be removed: the Engine was gone when we tried, or it never
        # confirmed that it created them, and may do so later.
        self._abandoned, self._unheard = set[str](), set[str]()
        self._remove_leftovers()

    @property
    def environment_id(self) -> str:
        return self.software_id(TORCH) or "docker"

    def software_id(self, software: Software) -> str | None:
        image = self._image_id(software)
        return " ".join(("docker", *filter(None, [self._runtime]), image)) if image else None

    def _image_id(self, software: Software) -> str | None:
        """The id of the lock's image, remembered once found; None when the Engine lacks it."""
        if software.lock not in self._image_ids:
            try:
                self._image_ids[software.lock] = str(self._client.images.get(image_tag(software)).id)
            except docker.errors.ImageNotFound:
                return None
        return self._image_ids[software.lock]

    @property
    def not_enforced(self) -> tuple[str, ...]:
        info = self._client.info()
        missing = []
        if self._runtime == "runsc":
            missing.append(
                "system calls, control groups: gVisor's own kernel stands between, not our list of calls; memory and "
                "processes are limited only where runsc runs without --ignore-cgroups"
            )
            missing.append(
                "the agent's memory map, environment and list of descriptors: gVisor shows them to the processes that "
                "it starts, though not its memory"
            )
        elif not any("seccomp" in option for option in info.get("SecurityOptions", ())):
            missing.append("system calls are not filtered: this Engine has no seccomp")
        features = {
            "MemoryLimit": "memory",
            "SwapLimit": "swap",
            "PidsLimit": "processes",
            "CpuCfsQuota": "CPU cores",
        }
        missing += [f"{what}: the Engine cannot limit it here" for key, what in features.items() if not info.get(key)]
        return tuple(missing)

    def version(self) -> str:
        return str(self._client.version()["Version"])

    def stop(self) -> None:
        self._stopping.set()

    def run(self, job: Job, outputs: Path) -> Outcome:
        name = f"harness-{secrets.token_hex(16)}"  # our own name, so that it can be removed even if the request fails
        try:
            self._remove_abandoned()
            with cores.reserved(job.limits.cpus, job.limits.cores) as reserved:
                container = self._create(name, job, reserved)
                meter = ContainerMeter(str(container.id))
                ended, oom_killed = self._supervise(container, job, outputs, meter)
        except _BROKEN as error:
            raise EngineFailed(f"Docker failed: {error}", "harness doctor") from error
        finally:
            if name not in self._unheard:
                self._abandoned.add(name)
            self._remove_abandoned()
        hit = oom_killed or ended.stopped == "memory"
        return Outcome(
            status=status_of(ended, memory_limit_hit=hit),
            exit_code=ended.exit_code,
            log=ended.log,
            seconds=ended.seconds,
            cpu_seconds=meter.cpu_seconds,
            peak_memory_bytes=meter.peak_memory_bytes,
            memory_limit_hit=hit,
        )

    def _create(self, name: str, job: Job, reserved: frozenset[int]) -> Container:
        limits = job.limits
        image = self._image_id(job.software)
        if image is None:
            raise EnvironmentMissing(
                f"the notebook needs the environment {job.software.name}", job.software.build_command
            )
        uid = _FIRST_UID + secrets.randbelow(_UIDS)
        tmpfs = f"rw,nosuid,nodev,exec,uid={uid},gid={uid},nr_inodes={_INODES},size={limits.disk_bytes}"
        staged = self._staging.folder
        mounts = {
            **{f"/etc/{name}": file for name, file in accounts(staged, uid).items() if name != "hosts"},
            **{f"/opt/harness/{part}": staged / part for part in ("agent", "site")},
            **{f"/in/{name}": path.resolve() for name, path in job.inputs.items()},
        }
        mounts["/etc/resolv.conf"] = self._staging.nothing  # otherwise Docker copies the host's
        return self._made(
            name,
            image,
            entrypoint=[],
            command=[_PYTHON, "-I", "-B", "/opt/harness/agent/__main__.py", job.phase],
            user=f"{uid}:{uid}",
            working_dir="/work",
            environment=_variables(job),
            hostname="sandbox",
            labels={_LABEL_PID: str(os.getpid()), _LABEL_STARTED: _started(os.getpid())},
            network_mode="none",
            ipc_mode="private",
            cgroupns="private",
            read_only=True,
            tmpfs={"/work": tmpfs, "/tmp": tmpfs, "/sys": "ro,nosuid,nodev,noexec,size=0"},
            shm_size=_SHM_BYTES,
            mounts=[Mount(inside, str(path), type="bind", read_only=True) for inside, path in mounts.items()],
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true", f"seccomp={system_calls.docker_profile()}"],
            pids_limit=limits.processes,
            mem_limit=limits.memory_bytes,
            memswap_limit=limits.memory_bytes,
            nano_cpus=0 if limits.cores else limits.cpus * 10**9,
            cpuset_cpus=cores.as_list(reserved) if self._is_local else None,
            ulimits=[
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="nofile", soft=4096, hard=4096),
                Ulimit(name="fsize", soft=limits.disk_bytes, hard=limits.disk_bytes),
                Ulimit(name="msgqueue", soft=0, hard=0),
            ],
            init=False,  # the agent is PID 1; Docker's init runs as the job's user and is open to the job
            runtime=self._runtime,
            stdin_open=True,
            log_config=LogConfig(type="none"),  # its output is read from the stream, and stored nowhere
        )

    def _made(self, name: str, image: str, **options: Any) -> Container:
        """A new container; its name is remembered if the Engine did not answer, because it may create it later."""
        try:
            return self._client.containers.create(image, name=name, **options)
        except BaseException:
            self._unheard.add(name)
            raise

    def _supervise(self, container: Container, job: Job, outputs: Path, meter: ContainerMeter) -> tuple[Ended, bool]:
        started = time.monotonic()
        settings = {"alone": True, "rlimits": {"NPROC": job.limits.processes}}
        conversation = Conversation(job, settings, outputs)
        attached = self._client.api.attach_socket(
            str(container.id), params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        try:
            stream: socket.socket = attached._sock
            container.start()
            stopped = self._converse(stream, conversation, meter)
            if not stopped and not self._ends(container, conversation.deadline):  # it closed its output but still runs
                stopped = "stop" if self._stopping.is_set() else "timeout"
            if stopped:
                stream.shutdown(socket.SHUT_RDWR)  # the Engine cannot stop a container whose output nobody reads
                container.kill()
            exit_code = int(container.wait(timeout=_API_SECONDS)["StatusCode"])
            container.reload()
        finally:
            conversation.frames.close()
            attached.close()
        state = container.attrs["State"]
        if state.get("Status") in ("removing", "dead"):  # not removed by us, so the end says nothing about the job
            raise EngineFailed("somebody removes the job's container", "harness doctor")
        oom_killed = bool(state.get("OOMKilled")) or meter.out_of_memory_kills > 0
        seconds = time.monotonic() - started
        frames = conversation.frames
        return Ended(stopped, exit_code, frames.begun, frames.ended, conversation.log.text(), seconds), oom_killed

    def _ends(self, container: Container, deadline: float) -> bool:
        """Whether the container ends itself before `deadline`."""
        while time.monotonic() < deadline and not self._stopping.is_set():
            try:
                container.wait(timeout=max(0.1, min(1.0, deadline - time.monotonic())))
                return True
            except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError):
                continue  # it still runs, or the Engine is gone, which the next call shows
        return False

    def _converse(self, stream: socket.socket, conversation: Conversation, meter: ContainerMeter) -> Stopped:
        """Feed the agent, and read the Engine's stream.

        Each piece of it has an 8-byte header (kind, three zeros, big-endian length), then its bytes.
        """
        frames, log = conversation.frames, conversation.log
        held = bytearray()
        kind, missing = 0, 0
        telling = [stream]  # until everything is written
        while True:
            now, deadline = time.monotonic(), conversation.deadline
            if now >= deadline:
                return "timeout"
            if self._stopping.is_set():
                return "stop"
            meter.read()
            readable, writable, _ = select.select([stream], telling, [], min(_TICK_SECONDS, deadline - now))
            if writable and conversation.feed.write_to(lambda piece: stream.send(piece, socket.MSG_DONTWAIT)):
                telling = []
                with contextlib.suppress(OSError):  # the job has ended
                    stream.shutdown(socket.SHUT_WR)
            if not readable:
                continue
            piece = stream.recv(1 << 16)
            if not piece:
                return ""
            held += piece
            while held:
                if missing == 0:
                    if len(held) < 8:
                        break
                    kind, missing = struct.unpack(">BxxxL", held[:8])
                    del held[:8]
                    continue
                taken = bytes(held[:missing])
                del held[: len(taken)]
                missing -= len(taken)
                if kind == _STDERR:
                    log.feed(taken)
                elif kind == _STDOUT:
                    try:
                        frames.feed(taken)
                    except BadFrames as error:
                        log.feed(f"\nresults refused: {error}\n".encode())
                        return "output"

    def _remove_abandoned(self) -> None:
        """Remove finished jobs' containers. One that cannot be removed is remembered, and raises `EngineFailed`."""
        for name in list(self._abandoned):
            self._remove(name)
            self._abandoned.discard(name)
        for name in list(self._unheard):
            if self._remove(name):
                self._unheard.discard(name)

    def _remove_leftovers(self) -> None:
        """Remove the containers of dead harness processes."""
        for container in self._client.containers.list(all=True, filters={"label": _LABEL_PID}):
            pid = int(container.labels[_LABEL_PID])
            if _started(pid) != container.labels.get(_LABEL_STARTED):
                self._remove(str(container.id))

    def _remove(self, container: str) -> bool:
        """Remove a container by name or id, and kill what runs in it; False when it does not exist."""
        try:
            self._client.api.remove_container(container, force=True, v=True)
        except docker.errors.NotFound:
            return False
        except docker.errors.APIError as error:
            if error.status_code != 409:  # 409: it is being removed already
                raise EngineFailed(f"Docker does not remove a container: {error}", "docker ps -a") from error
        except _BROKEN as error:
            raise EngineFailed(f"Docker does not remove a container: {error}", "docker ps -a") from error
        return True


def _variables(job: Job) -> dict[str, str]:
    return {
        "PATH": "/opt/env/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/work",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **cores.thread_variables(job.limits.cpus, job.phase),
    }


def _started(pid: int) -> str:
    """When the process started, to detect a reused process id; empty when it is gone."""
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return ""
