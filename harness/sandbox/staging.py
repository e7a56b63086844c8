"""What is mounted at /opt/harness: a copy of the agent and of the two modules that notebooks see.

    agent/                    harness/agent/
    site/                     on the PYTHONPATH of a notebook's kernel:
    site/sitecustomize.py       makes `import torchvision` work on any torch
    site/harness/handin.py      `from harness.handin import save`

A copy, so that what is mounted is neither the harness nor a folder that holds it, and can be read by the
sandbox's own user whatever the permissions of the installation.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

_PACKAGE = Path(__file__).resolve().parent.parent
_PASSWD = "root:x:0:0::/nonexistent:/bin/false\nstudent:x:{uid}:{uid}::/work:/bin/sh\n"


class Staging:
    """A temporary folder with the copy, for the life of the engine that holds it."""

    def __init__(self) -> None:
        self._temporary = TemporaryDirectory(prefix="harness-agent-")
        self.folder = Path(self._temporary.name)
        self.folder.chmod(0o755)
        ignore = shutil.ignore_patterns("__pycache__", "site")
        shutil.copytree(_PACKAGE / "agent", self.folder / "agent", ignore=ignore)
        shutil.copytree(
            _PACKAGE / "agent" / "site", self.folder / "site", ignore=shutil.ignore_patterns("__pycache__")
        )
        notebook_side = self.folder / "site" / "harness"
        notebook_side.mkdir()
        (notebook_side / "__init__.py").touch()
        shutil.copyfile(_PACKAGE / "handin.py", notebook_side / "handin.py")
        for path in self.folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


def accounts(folder: Path, uid: int) -> dict[str, Path]:
    """Files for /etc that know nobody but the run's own user: name in /etc -> file."""
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
