"""The model that a notebook wrote, and what lies beside it."""

from __future__ import annotations

import stat
from pathlib import Path

# In the order in which they are preferred; outside, `harness/intake/collect.py` has the same for hand-ins.
_MODELS = (".onnx", ".keras", ".h5", ".hdf5", ".pt2", ".pt", ".pth", ".safetensors", ".pkl", ".tflite")
_COMPANIONS = ("labels.txt", "handin.json", "model.py")
_DEEPEST = 6


def produced(folder: Path, handed_in: Path, started_ns: int, notebook_folder: Path) -> dict[str, Path]:
    """Name to send under -> file: the best model that was written or changed since `started_ns`, and its
    companions, from its folder or else from the notebook's. Empty when no model was written."""
    models = [
        file
        for file in _plain_files(folder)
        if file.suffix.lower() in _MODELS
        and (file.lstat().st_mtime_ns >= started_ns or not (handed_in / file.relative_to(folder)).exists())
    ]
    if not models:
        return {}
    best = min(models, key=lambda file: _rank(file, folder))
    found = {f"model{best.suffix.lower()}": best}
    for name in _COMPANIONS:
        for place in (best.parent, notebook_folder):
            if _is_plain(place / name):
                found[name] = place / name
                break
    return found


def _rank(file: Path, folder: Path) -> tuple[bool, int, int, str]:
    depth = len(file.relative_to(folder).parts)
    return (file.stem.lower() != "model", depth, _MODELS.index(file.suffix.lower()), file.name)


def _plain_files(folder: Path) -> list[Path]:
    found, level = [], [folder]
    for _ in range(_DEEPEST):
        below: list[Path] = []
        for place in level:
            try:
                entries = list(place.iterdir())
            except OSError:
                continue
            found += [entry for entry in entries if _is_plain(entry)]
            below += [e for e in entries if e.is_dir() and not e.is_symlink() and not e.name.startswith(".")]
        level = below
    return found


def _is_plain(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False
