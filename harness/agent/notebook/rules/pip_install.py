"""`!pip install`, `%pip`, `!conda`, `!apt-get install`: nothing can be installed while grading."""

from __future__ import annotations

import re

from ..cell import Edit, comment_out, edited, in_shell_cell, shell_lines
from ..rule_context import Setting

TITLE = "Installations are left out: the packages of the environment are there already"
ON = True

_INSTALL = re.compile(
    r"^(?:sudo\s+)?(?:\S*python[\d.]*\s+-m\s+)?(pip[\d.]*|conda|mamba|uv\s+pip|apt(?:-get)?|easy_install)\b"
)
_PYTHON = ("pip", "conda", "mamba", "uv", "easy_install")
_MAGIC = re.compile(r"^([ \t]*)%(pip|conda|mamba)\s+(.*)$", re.MULTILINE)
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:[=<>!~].*)?$")
_TAKES_VALUE = ("-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "-t", "-n")
# Distribution -> its module, where the names differ.
_MODULES = {
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "opencv-contrib-python": "cv2",
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "tf-keras": "tf_keras",
    "python-dateutil": "dateutil",
    "beautifulsoup4": "bs4",
    "efficientnet-pytorch": "efficientnet_pytorch",
}
_NO_MATTER = {"pip", "setuptools", "wheel", "update", "upgrade"}


def apply(source: str, setting: Setting) -> str:
    def change(command: str) -> str | None:
        parts = [part.strip() for part in re.split(r"&&|;|\|\|", command)]
        installs = [part for part in parts if _INSTALL.match(part)]
        if not installs:
            return None
        for part in installs:
            _look_for(part, setting)
        others = [part for part in parts if not _INSTALL.match(part) and part]
        if in_shell_cell(source):
            return f": not run: {command}" if not others else None
        return comment_out(f"!{command}")

    changed = shell_lines(source, change)
    edits = []
    for found in _MAGIC.finditer(changed):
        _look_for(f"{found[2]} {found[3]}", setting)
        edits.append(Edit(found.span(), f"{found[1]}{comment_out(found[0].strip())}"))
    return edited(changed, edits)


def _look_for(command: str, setting: Setting) -> None:
    """Note the packages that a command installs and that are not here."""
    words = command.split()
    if not any(words[0].startswith(tool) for tool in _PYTHON) and "pip" not in words:
        return
    if "install" not in words:
        return
    skip = False
    for word in words[words.index("install") + 1 :]:
        if skip or word.startswith("-"):
            skip = not skip and word in _TAKES_VALUE
            continue
        found = _REQUIREMENT.match(word.strip("'\""))
        if found and (name := found[1].lower()) not in _NO_MATTER:
            module = _MODULES.get(name, name.replace("-", "_"))
            if not setting.can_import(module):
                setting.note("package-missing", found[1])
