"""What a notebook reaches for: network and files outside its folder, noted by an audit hook in its kernel.

The kernel is the student's process, so this is evidence for the report, never the protection: the sandbox
is. The hook is installed before the first cell (IPython start-up file) and appends to a file.
"""

from __future__ import annotations

import json
from pathlib import Path

from ..paths import WORK

_NOTES = WORK / ".noticed"
_MOST_BYTES = 256 * 1024

_HOOK = r"""
def _install():
    import json, os, re, socket, sys
    here = re.compile("|".join(re.escape(p) for p in {sys.prefix, sys.base_prefix, "/work/"}))
    outside = re.compile(
        r"/etc/(passwd|shadow|group|gshadow|sudoers|ssh|hostname)|/(root|home|var|srv|mnt|media|boot)(/|$)"
        r"|/proc/\d+/(environ|mem|maps|fd|root|cmdline)|/opt/harness/agent/(?!torchvision_ops|__pycache__)"
    )
    fetches = re.compile(r"\b(wget|curl|pip3?\s+install|git\s+clone|apt(-get)?\s+install|gdown|kaggle)\b")
    notes = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    left = [500]

    def note(kind, what):
        if left[0] > 0:
            left[0] -= 1
            os.write(notes, json.dumps([kind, str(what)[:200]]).encode() + b"\n")

    def hook(event, arguments):
        try:
            if event == "open":
                path = arguments[0]
                if isinstance(path, bytes):
                    path = os.fsdecode(path)
                if isinstance(path, str) and outside.match(path) and not here.match(path):
                    note("file", path)
            elif event == "socket.connect":
                address = arguments[1]
                if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
                    note("network", f"{address[0]}:{address[1]}")
                elif isinstance(address, (str, bytes)) and "docker.sock" in os.fsdecode(address):
                    note("network", "the Docker socket")
            elif event == "socket.__new__":
                if arguments[1] not in (-1, socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
                    note("network", f"a socket of family {int(arguments[1])}")
            elif event == "socket.getaddrinfo":
                host = arguments[0]
                if host and str(host) not in ("localhost", "127.0.0.1", "sandbox", "0.0.0.0", "::1"):
                    note("network", host if isinstance(host, str) else host.decode("ascii", "replace"))
            elif event in ("subprocess.Popen", "os.exec", "os.system"):
                command = arguments[0] if event == "os.system" else arguments[1]
                if isinstance(command, (str, bytes)):
                    command = [command]
                if found := fetches.search(" ".join(map(os.fsdecode, command))):
                    note("network", found[0])
        except Exception:
            pass

    sys.addaudithook(hook)

_install()
del _install
"""


def install(home: Path) -> None:
    """Put the hook where the kernel's IPython runs it at its start."""
    startup = home / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-watch.py").write_text(_HOOK.replace("NOTES", repr(str(_NOTES))))


class Notes:
    """Reads what the hook noted since the last call."""

    def __init__(self) -> None:
        self._read = 0

    def since_last(self) -> list[tuple[str, str]]:
        """(kind, what) pairs, each once; kind is `network` or `file`."""
        try:
            with _NOTES.open("rb") as stream:
                stream.seek(self._read)
                piece = stream.read(_MOST_BYTES)
        except OSError:
            return []
        self._read += len(piece)
        found: dict[tuple[str, str], None] = {}
        for line in piece.splitlines():
            try:
                kind, what = json.loads(line)
            except (ValueError, TypeError):
                continue
            if kind in ("network", "file") and isinstance(what, str):
                found[(kind, what[:200])] = None
        return list(found)
