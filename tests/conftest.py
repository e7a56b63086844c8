"""Fixtures of fast tests and of real sandboxes, and how tests are dealt out to processes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import harness

_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if _IS_WORKER:
    # OpenMP's threads burn a core while they wait for each other. Beside other workers that is the others' core, and
    # what a test does with torch took twice the processor time. It is read when torch is loaded, which comes later.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_WITHOUT_LINUX = Path(__file__).parent / "without_linux"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of `--dist loadfile`: one engine's tests of a file at a time, and the longest first."""
    if config.getvalue("dist") != "loadfile":
        return None
    from scheduling import LongestFirst  # here, since xdist need not be installed to run one test

    return LongestFirst(config, log)


@pytest.fixture(scope="session")
def without_linux() -> dict[str, str]:
    """The environment of a process whose harness finds nothing of what only Linux has."""
    package = Path(harness.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(_WITHOUT_LINUX), str(package)])}


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """`made_once(name, make)`: the folder of that name, which `make(folder)` fills once for all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if _IS_WORKER else own

    def folder_of(name: str, make: Callable[[Path], object]) -> Path:
        folder, is_whole = shared / name, shared / f"{name}.whole"
        with FileLock(shared / f"{name}.lock"):
            if not is_whole.exists():
                make(folder)
                is_whole.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def fetched_weights(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A cache with the one pre-trained weights file that the courses of tests name. Tests work with copies of it."""
    from small_course import fetch_weights

    return made_once("fetched-weights", fetch_weights)


@pytest.fixture(scope="session")
def small_course(made_once: Callable[[str, Callable[[Path], object]], Path], fetched_weights: Path) -> Any:
    """The `Course` of `small_course.py`, whose reference is trained once for all workers."""
    from small_course import Course, make_course, train_reference, with_weights

    def make(folder: Path) -> None:
        cache = with_weights(fetched_weights, folder / "cache")
        train_reference(make_course(folder / "course"), folder / "reference", cache)

    return Course(made_once("small-course", make))
