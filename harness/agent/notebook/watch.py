"""Notes what a notebook accesses: network, files outside its folder, files of the harness, by a hook in its kernel.

The kernel is the student's process, so this is only evidence for the report; the sandbox protects. The hook is
installed before the first cell (IPython start-up file) and appends to a file.
"""

from __future__ import annotations

import json
from pathlib import Path

from ..paths import SITE, WORK

_NOTES = WORK / ".noticed"
_MOST_BYTES = 256 * 1024
KINDS = (
    "network",
    "file",  # a read outside
    "harness",  # a write to it
    "image",  # one that was to be shown and is not there
    "flood",  # a cell wrote more than is passed on
)

_HOOK = r"""
def _install():
    import json, os, re, socket, sys
    here = re.compile("|".join(re.escape(p) for p in {sys.prefix, sys.base_prefix, "/work/"}))
    outside = re.compile(
        r"/etc/(passwd|shadow|group|gshadow|sudoers|ssh|hostname)|/(root|home|var|srv|mnt|media|boot)(/|$)"
        r"|/proc/\d+/(environ|mem|maps|fd|root|cmdline)|/opt/harness/agent/(?!torchvision_ops|__pycache__)"
    )
    of_the_harness = re.compile(r"/opt/harness/(?!.*__pycache__)|/in/(submission|images|model)\b|/work/\.noticed")
    changes = ("os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.truncate", "os.chmod")
    fetches = re.compile(r"\b(wget|curl|pip3?\s+install|git\s+clone|apt(-get)?\s+install|gdown|kaggle)\b")
    weights = re.compile(r"\.(h5|hdf5|keras|pth|pt|safetensors|npz|gz|tgz|zip|tar|bz2|mat)$")  # and image sets
    given = os.path.expanduser("~/.cache/downloads/")
    try:
        notes = os.open(NOTES, os.O_WRONLY | os.O_APPEND)
        os.unlink(NOTES)  # so that no cell finds it by name
    except OSError:
        return  # another IPython, started by the notebook
    left = [500]

    def note(kind, what):
        if left[0] > 0:
            left[0] -= 1
            os.write(notes, json.dumps([kind, str(what)[:200]]).encode() + b"\n")

    def as_path(given):
        return os.path.normpath(os.fsdecode(given)) if isinstance(given, (str, bytes, os.PathLike)) else ""

    def hook(event, arguments):
        try:
            if event == "open":
                path = as_path(arguments[0])
                writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
                if writes and of_the_harness.match(path):
                    note("harness", path)
                elif path and outside.match(path) and not here.match(path):
                    note("file", path)
            elif event in changes:
                for path in map(as_path, arguments[:2]):
                    if of_the_harness.match(path):
                        note("harness", path)
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
            elif event == "urllib.Request":
                address = str(arguments[0])
                if weights.search(address) and not os.path.isfile(given + address.partition("://")[2]):
                    note("network", address)
            elif event in ("subprocess.Popen", "os.exec", "os.system"):
                command = arguments[0] if event == "os.system" else arguments[1]
                if isinstance(command, (str, bytes)):
                    command = [command]
                if found := fetches.search(" ".join(map(os.fsdecode, command))):
                    note("network", found[0])
            elif event == "notebook.image_missing":
                note("image", arguments[0])
            elif event == "notebook.flood":
                note("flood", "")
        except Exception:
            pass

    sys.addaudithook(hook)

_install()
del _install
"""


def install(home: Path) -> None:
    """Install the hook, and what makes a kernel lenient (`site/kernel_startup.py`), as IPython's start-up files."""
    startup = home / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-watch.py").write_text(_HOOK.replace("NOTES", repr(str(_NOTES))))
    (startup / "01-kernel.py").write_text((SITE / "kernel_startup.py").read_text())


class Notes:
    """Reads the hook's notes."""

    def __init__(self) -> None:
        """Create the file that the hook appends to."""
        _NOTES.touch(0o600)
        self._stream = _NOTES.open("rb")

    def since_last(self) -> list[tuple[str, str]]:
        """New (kind, what) pairs, each once, of the `KINDS`."""
        try:
            piece = self._stream.read(_MOST_BYTES)
        except OSError:
            return []
        found: dict[tuple[str, str], None] = {}
        for line in piece.splitlines():
            try:
                kind, what = json.loads(line)
            except (ValueError, TypeError):
                continue
            if kind in KINDS and isinstance(what, str):
                found[(kind, what[:200])] = None
        return list(found)
