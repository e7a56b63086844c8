"""A process that has imported what phases need, and forks a child for each job: `__main__.py zygote:models---`.

It runs in a sandbox of its own, without inputs, and has never seen anything of a job: it gets only a socket, on its
stdin, and passes that to the child it forks. What a child is told there (JSON), and with it descriptors:

    phase     what `main` is to run
    settings  for `privileges.give_up`
    cores     to which the job is pinned
    filter    the system call filter, as hexadecimal BPF instructions
    files     what each descriptor is: stdin, stdout, stderr, life, the job's namespaces, its control groups' entrances

The child joins the PID namespace and forks the agent, which joins all else, gives up its rights and says `joined`. Then
it waits for the agent and says `ended` with its exit status. It alone holds `life`, the pipe that keeps the sandbox
alive: with the agent, the sandbox ends. No code of a student runs in a sandbox before its agent has joined.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from ..notebook import warm_kernel
from . import joining, spare_process

# Phases that measure time or memory, or train for long, start cold: nothing that they say depends on a zygote.
COLD_PHASES = frozenset({"benchmark", "timing", "layers", "train", "train_detector"})
_LIBRARIES = ("onnx", "torch", "torch.onnx", "onnxscript")
_NOTEBOOKS = "execute"  # the phase; its zygote has imported what a kernel has, and nothing else
_WITHOUT_SPARE = "selfcheck"  # runs a program of its own
_LONGEST_MESSAGE = 1 << 16  # bytes
_MOST_FILES = 32


def serve(main: Callable[[str], None]) -> None:
    """Serve jobs until the harness closes stdin: a child runs `main` with the phase of each. Never returns."""
    asked = socket.socket(fileno=os.dup(0))
    _preload()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the children
    if not _is_single_threaded() or _shares_memory():
        sys.exit("a library keeps a thread, or writable memory that children would share: no warm start")
    gc.collect()
    gc.freeze()
    asked.sendall(b"ready")
    while True:
        _, descriptors, _, _ = socket.recv_fds(asked, 1, 1)
        if not descriptors:
            os._exit(0)
        if os.fork() == 0:
            asked.close()
            phase = _joined(socket.socket(fileno=descriptors[0]))
            _run_and_exit(partial(main, phase))
        os.close(descriptors[0])


def _run(work: Callable[[], object]) -> NoReturn:
    """Run it and exit as Python does: a kernel waits for its threads and calls what was registered for its end."""
    work()
    sys.exit()


def _run_and_exit(work: Callable[[], object]) -> NoReturn:
    """Run it and exit as Python does, but without taking apart what was imported: that would copy all shared memory."""
    status = 0
    try:
        work()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _preload() -> None:
    """Import what it is for. A library that the environment lacks is passed over."""
    if sys.argv[1].startswith("zygote:notebooks"):
        names = list(warm_kernel.MODULES)
    else:
        phases = {file.stem for file in Path(__file__).parents[1].joinpath("phases").glob("*.py")}
        names = [f"agent.phases.{phase}" for phase in sorted(phases - COLD_PHASES - {_NOTEBOOKS})]
        names += _LIBRARIES
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name.partition(".")[0]:
                raise
    if "torch" in sys.modules:
        importlib.import_module("agent.torchvision_ops").declare_missing()


def _is_single_threaded() -> bool:
    """Whether a fork leaves one thread here; OpenBLAS ends its own before a fork, and starts them when needed."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    return len(list(Path("/proc/self/task").iterdir())) == 1


def _shares_memory() -> bool:
    """Whether children would share memory that they can write: a channel from one job to another."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return any(line.split()[1].endswith("s") and "w" in line.split()[1] for line in lines)


def _joined(told: socket.socket) -> str:
    """Fork the agent, wait for it and exit; return in the agent, when it has joined its job."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    content, descriptors, _, _ = socket.recv_fds(told, _LONGEST_MESSAGE, _MOST_FILES)
    job = json.loads(content)
    files = joining.Files(job["files"], descriptors)
    files.enter_pid_namespace()
    agent = os.fork()
    if agent == 0:
        joining.join(job, files)
        told.sendall(b"joined")
        joining.close_all_but_standard()
        if job["phase"] == _NOTEBOOKS:
            spare_process.fork(warm_kernel.become, _run)
        elif job["phase"] != _WITHOUT_SPARE:
            spare_process.fork(spare_process.become_a_model, _run_and_exit)
        return str(job["phase"])
    files.close_all_but("life")
    if _ends_before_the_harness(agent, told):
        _, status = os.waitpid(agent, 0)
        code = os.waitstatus_to_exitcode(status)
        told.sendall(b"ended %d" % (code if code >= 0 else 128 - code))
    os._exit(0)


def _ends_before_the_harness(agent: int, told: socket.socket) -> bool:
    """Wait for the agent; False when the harness, which says nothing more, has closed its end or was killed."""
    import select  # Windows, where no zygote runs, has it for sockets only

    ends = os.pidfd_open(agent)
    return ends in select.select([ends, told.fileno()], [], [])[0]
