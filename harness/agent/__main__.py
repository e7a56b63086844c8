"""The agent's entry point inside the sandbox: `python -I -B /opt/harness/agent/__main__.py PHASE`.

Stdin holds a line of JSON with the settings (`nonce`, `rlimits`, `uid`, `alone`, `request_bytes`, `images`), then the
phase's request, then the images, which `images/incoming.py` reads. The agent drops the privileges that the engine left
it (user, resource limits), moves the results' stream off stdout, and runs one phase: the function `run(request, send)`
of the module `agent.phases.PHASE`. `request["images"]` holds the images.

As PID 1 it forks a child for this work and only reaps zombies itself. Processes that a notebook starts could read and
write an init process of the same user, and it would hold the results' stream.

Started as `zygote`, it stays outside of every job, and each child that it forks joins one and goes on as the agent
(`start/zygote.py`). Another program is PID 1 there then.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import BinaryIO


def main(phase: str) -> None:
    """Run `phase` with the request on stdin. Whatever it raises ends the process with status 1."""
    results = _results_stream()
    settings = json.loads(sys.stdin.buffer.readline())
    importlib.import_module("agent.start.privileges").give_up(settings)
    if os.getpid() == 1:
        _become_init()
    request = json.loads(sys.stdin.buffer.read(settings["request_bytes"]))
    request["images"] = importlib.import_module("agent.images.incoming").Incoming(sys.stdin.buffer, settings["images"])
    frames = importlib.import_module("agent.frames")
    frames.begin(results, settings["nonce"])
    if not re.fullmatch(r"[a-z_]+", phase):
        raise ValueError(f"no phase {phase!r}")
    if settings.get("alone"):
        importlib.import_module("agent.process").declare()

    def send(name: str, content: Path | bytes) -> None:
        frames.send(results, settings["nonce"], name, content)

    importlib.import_module(f"agent.phases.{phase}").run(request, send)
    frames.end(results, settings["nonce"])


def _results_stream() -> BinaryIO:
    """Stdout's stream under another number that children do not inherit; prints go to stderr."""
    kept = os.dup(1)
    os.set_inheritable(kept, False)
    os.dup2(2, 1)
    return os.fdopen(kept, "wb")


def _become_init() -> None:
    """Fork a child and return in it; this process reaps it and all orphans, and exits with its status.

    The kernel delivers a signal from inside the sandbox to PID 1 only if PID 1 has a handler, and kills all processes
    of the sandbox when PID 1 ends.
    """
    runner = os.fork()
    if runner == 0:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import resource

    os.closerange(0, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    while True:
        ended, status = os.wait()
        if ended == runner:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    if sys.argv[1].startswith("zygote"):
        importlib.import_module("agent.start.zygote").serve(main)
    else:
        main(sys.argv[1])
