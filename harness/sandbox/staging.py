"""Makes the folder that is mounted at /opt/harness: a copy of the agent and of the two modules that notebooks see.

    agent/                    harness/agent/
    site/                     on the PYTHONPATH of a notebook's kernel:
    site/kernel_startup.py      makes a notebook's kernel lenient with what only shows something
    site/sitecustomize.py       makes `import torchvision` work on any torch
    site/harness/__init__.py    a `%check` that does nothing: the starting notebook ends with it
    site/harness/handin.py      `from harness.handin import save`

A copy, so that neither the harness nor a folder that holds it is mounted, and so that the sandbox's user can read
it whatever the installation's permissions are.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_PASSWD = "root:x:0:0::/nonexistent:/bin/false\nstudent:x:{uid}:{uid}::/work:/bin/sh\n"


class Staging:
    """A temporary folder with the copy, for the lifetime of the engine that holds it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="harness-agent-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        ignore = shutil.ignore_patterns("__pycache__", "site")
        shutil.copytree(_PACKAGE / "agent", self.folder / "agent", ignore=ignore)
        site = self.folder / "site"
        shutil.copytree(_PACKAGE / "agent" / "site", site, ignore=shutil.ignore_patterns("__pycache__"))
        notebook_side = site / "harness"
        notebook_side.mkdir()
        (site / "harness_in_notebooks.py").rename(notebook_side / "__init__.py")
        shutil.copyfile(_PACKAGE / "handin.py", notebook_side / "handin.py")
        self.nothing = self.folder / "nothing"  # an empty file, to mount over others
        self.nothing.touch()
        open_to_all(self.folder)


def accounts(folder: Path, uid: int) -> dict[str, Path]:
    """Name in /etc -> file; the files list only the run's own user."""
    contents = {
        "passwd": _PASSWD.format(uid=uid),
        "group": f"root:x:0:\nstudent:x:{uid}:\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "hosts": "127.0.0.1 localhost\n",
    }
    files = {}
    for name, content in contents.items():
        files[name] = folder / f"{name}.{uid}"
        files[name].write_text(content)
        files[name].chmod(0o644)
    return files


def readable_by_all(path: Path, scratch: Path) -> Path:
    """The file or folder itself if every user may read it, else a copy in `scratch` that all may read.

    The sandbox's user reads what is mounted; the instructor's private files stay private.
    """
    if all(_is_open(part) for part in (path, *path.rglob("*"))):
        return path
    copy = scratch / path.name
    if path.is_dir():
        shutil.copytree(path, copy)
    else:
        shutil.copyfile(path, copy)
    open_to_all(copy)
    return copy


def open_to_all(path: Path) -> None:
    """Let every user read the file, or the folder with its content."""
    for part in (path, *path.rglob("*")):
        part.chmod(0o755 if part.is_dir() else 0o644)


def _is_open(path: Path) -> bool:
    needed = 0o005 if path.is_dir() else 0o004
    return path.stat().st_mode & needed == needed
