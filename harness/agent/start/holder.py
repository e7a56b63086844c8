"""PID 1 of a sandbox that a zygote's child joins: `python -I -S -B /opt/harness/agent/start/holder.py`.

It holds the namespaces, reaps orphans, and ends when its stdin is closed, by which the kernel ends the whole sandbox.
Stdin begins with a line of JSON, the settings of `privileges.give_up`; `ready` on stdout says that the sandbox stands.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    importlib.import_module("agent.start.privileges").give_up(json.loads(sys.stdin.buffer.readline()))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them itself
    os.write(1, b"ready\n")
    os.closerange(1, os.sysconf("SC_OPEN_MAX"))
    while os.read(0, 1):
        pass
    os._exit(0)
