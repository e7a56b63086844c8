"""The identity of all code that decides a stage's result, so that results of other code are not reused.

The code is found by following imports from the modules that start a stage's work, so no list can become outdated.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from harness.stages.store import Store

_PACKAGE = Path(__file__).parents[1]
# Modules in which work for the cache begins; `tests/unit/test_code_identity.py` finds one that is not reached.
_ROOTS = (
    "grading/submission_run",
    "grading/model_run",
    "grading/withheld_split",
    "grading/reference",
    "grading/scene_variety",
    "grading/similarity/models",
    "grading/similarity/images",
    "grading/similarity/class_texts",
    "grading/check/public_run",
    "grading/similarity/course_images",
)
# Folders and modules that no import leads to: code in the sandbox or in separate processes, and the kinds of files.
_STAGED = ("agent", "handin", "inputs/submissions", "apart/__main__", "apart/submissions", "apart/epochs")
_DISCOVERY = "plugins"  # a folder that it searches counts as a whole


def kept_code_sha256(store: Store, roots: tuple[str, ...] = _ROOTS) -> str:
    """As `code_sha256`; it is found once for each state of the package, since following imports takes a second."""
    key = hashlib.sha256(f"code {' '.join(roots)} {_whole_sha256()}".encode()).hexdigest()
    kept = store.result(key)
    if kept is None:
        kept = code_sha256(roots=roots).encode()
        store.keep(key, kept)
    return kept.decode()


@functools.cache
def code_sha256(package: Path = _PACKAGE, roots: tuple[str, ...] = _ROOTS) -> str:
    """The SHA-256 of names and contents of the deciding modules and of the data files beside them, in hex."""
    return _sha256_of(package, deciding_files(package, roots))


@functools.cache
def _whole_sha256(package: Path = _PACKAGE) -> str:
    """Of every file of the package."""
    folders = (folder for folder in os.walk(package) if Path(folder[0]).name != "__pycache__")
    found = (Path(parent, name) for parent, _, names in folders for name in names)
    return _sha256_of(package, sorted(file for file in found if file.is_file()))  # an editor's lock is a dangling link


def _sha256_of(package: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(package).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def deciding_files(package: Path = _PACKAGE, roots: tuple[str, ...] = _ROOTS) -> list[Path]:
    """Every module that a stage's work can reach, and the data files in these modules' folders."""
    files = {module for name in _STAGED for module in _modules_below(package, name)}
    waiting = [*files, *(module for root in roots for module in _modules_of(package, tuple(root.split("/"))))]
    while waiting:
        module = waiting.pop()
        if module in files and module.relative_to(package).parts[0] == "agent":
            continue  # already included as a whole
        files.add(module)
        waiting += [found for found in _imported(package, module) if found not in files]
    return sorted(files | {beside for folder in {file.parent for file in files} for beside in _data(folder)})


def _imported(package: Path, module: Path) -> Iterator[Path]:
    """The modules of the package that `module` imports, anywhere in it, and the packages that they lie in."""
    here = module.relative_to(package).parts[:-1]
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.Import):
            wanted = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                base = (package.name, *here[: len(here) + 1 - node.level], *base)
            wanted = [base, *((*base, alias.name) for alias in node.names)]
        else:
            continue
        for name in (name[1:] for name in wanted if name[:1] == (package.name,)):
            yield from _modules_of(package, name)
            if name[:1] == (_DISCOVERY,):
                yield from module.parent.rglob("*.py")


def _modules_of(package: Path, name: tuple[str, ...]) -> Iterator[Path]:
    """The module of this dotted name below the package, with the `__init__` of each folder on the way."""
    place = package
    for part in name:
        if (place / "__init__.py").is_file() and place != package:
            yield place / "__init__.py"
        place = place / part
    yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


def _modules_below(package: Path, name: str) -> Iterator[Path]:
    yield from _modules_of(package, tuple(name.split("/")))
    yield from (package / name).rglob("*.py")


def _data(folder: Path) -> Iterator[Path]:
    """Tables, lists and settings that modules read from beside them, also from folders that hold no module."""
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not any(path.rglob("*.py")):
            yield from (inner for inner in path.rglob("*") if inner.is_file())
