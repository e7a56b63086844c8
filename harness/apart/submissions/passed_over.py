"""What nobody hands in on purpose, by its path: litter of systems, caches, installed packages, virtual environments.

None of it is taken, and none of it counts as a file. An environment is known by a file inside it, whatever its folder
is called; only the folders that such an environment has itself are left out, so work that lies among them stays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".ds_store", ".localized", ".directory", ".apdisk"}
_FOLDERS = {
    *("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information"),  # macOS, Synology, Windows
    "__pycache__",
}
_PACKAGES = {
    "node_modules": "installed packages of JavaScript",
    "site-packages": "installed packages of Python",
    "dist-packages": "installed packages of Python",
}
_VENV, _CONDA = "pyvenv.cfg", "conda-meta"
_ENVIRONMENTS = {_VENV: "a virtual environment", _CONDA: "a conda environment"}
_OF_VENV = {"bin", "lib", "lib64", "include", "share", "etc", "man", "scripts"}
_OF_CONDA = {
    *(*_OF_VENV, "conda-meta", "condabin", "pkgs", "envs", "compiler_compat", "ssl", "sbin", "var", "libexec", "shell"),
    *("library", "dlls", "libs", "tools", "menu", "tcl", "doc", "docs", "qml", "plugins", "translations", "mkspecs"),
    *("resources", "phrasebooks", "fonts", "x86_64-conda-linux-gnu", "x86_64-conda_cos6-linux-gnu"),
    *("x86_64-conda_cos7-linux-gnu", "aarch64-conda-linux-gnu"),
}
_OWN = {_VENV: _OF_VENV, _CONDA: _OF_CONDA}
_FILES_OF_ENVIRONMENTS = {"pyvenv.cfg", "pip-selfcheck.json", ".gitignore", ".lock", "cachedir.tag"}

Folder = tuple[str, ...]
Environments = Mapping[Folder, str]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """The folder because of which a path is not taken, and what it is; `what` is empty where nobody need know."""

    folder: str
    what: str = ""


def parts_of(name: str) -> list[str]:
    """The parts of a path with `/` or `\\`, in Unicode's composed form, which every system can show and find."""
    composed = unicodedata.normalize("NFC", name.replace("\\", "/"))
    return [part for part in composed.split("/") if part not in ("", ".")]


def tells_environment(name: str) -> bool:
    """Whether a path may tell that a folder above it is an environment."""
    return _VENV in name or _CONDA in name


def environments(names: Iterable[str]) -> Environments:
    """The folders that are environments, among the paths of all files, each with the name that tells which kind."""
    found: dict[Folder, str] = {}
    for name in names:
        if not tells_environment(name):
            continue
        parts = parts_of(name)
        if parts and parts[-1] == _VENV:
            found[tuple(parts[:-1])] = _VENV
        elif _CONDA in parts[:-1]:
            found.setdefault(tuple(parts[: parts.index(_CONDA)]), _CONDA)
    return found


def passed_over(parts: Sequence[str], within: Environments, *, is_folder: bool = False) -> PassedOver | None:
    """Why the path is not taken; None for one that is. `within`: the environments of the archive or folder."""
    folders = parts if is_folder else parts[:-1]
    for at, part in enumerate(folders):
        here, plain = "/".join(parts[: at + 1]), part.casefold()
        if part.startswith(".") or plain in _FOLDERS:
            return PassedOver(here)
        kind = within.get(tuple(parts[:at])) if within else None
        if kind and plain in _OWN[kind]:
            return PassedOver("/".join(parts[:at]) or here, _ENVIRONMENTS[kind])
        if plain in _PACKAGES:
            return PassedOver(here, _PACKAGES[plain])
    if is_folder:
        return None
    name = parts[-1].casefold()
    if name in _FILES or name.startswith("._"):
        return PassedOver("/".join(parts))
    if within and name in _FILES_OF_ENVIRONMENTS and tuple(parts[:-1]) in within:
        return PassedOver("/".join(parts))
    return None
