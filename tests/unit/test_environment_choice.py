"""Which environment a notebook runs in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.inputs.submission import Submission
from harness.inputs.submissions import child
from harness.inputs.submissions.imports import imported_modules
from harness.sandbox.software import KERAS, TORCH, Software, course
from harness.stages.cache import StageCache
from harness.stages.evidence.execution import CellError, Execution, FailedExecution
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Usage
from harness.stages.execute.environment import another, choose, kept_imports
from harness.stages.store import Store

BOTH = (TORCH, KERAS)
NUMPY, KERAS_ALONE = frozenset({"numpy"}), frozenset({"keras", "numpy"})


class Engine:
    """Has these environments built; runs nothing."""

    name = "test"
    environment_id = "test"
    not_enforced = ()

    def __init__(self, *built: Software) -> None:
        self._built = built

    def software_id(self, software: Software) -> str | None:
        return software.lock if software in self._built else None

    def run(self, job: object, outputs: object) -> None:
        raise AssertionError("nothing runs here")

    def stop(self) -> None:
        raise AssertionError("nothing runs here")


def notebook(folder: Path, *cells: str | list[str], **top: object) -> Path:
    document = {
        "nbformat": 4,
        "cells": [{"cell_type": "code", "source": cell, "outputs": []} for cell in cells],
        **top,
    }
    file = folder / "notebook.ipynb"
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import tensorflow as tf", {"tensorflow"}),
        ("from tensorflow.keras.applications import VGG16", {"tensorflow"}),
        ("import numpy, torch as t\n  from torchvision import models", {"numpy", "torch", "torchvision"}),
        (["import keras\n", "x = 'import torch'\n", "# import torch\n"], {"keras"}),
        ("print('nothing')", set()),
    ],
)
def test_imports_are_read_from_code_cells(source: str | list[str], modules: set[str], tmp_path: Path) -> None:
    assert imported_modules(notebook(tmp_path, source)) == modules


def test_text_and_outputs_import_nothing(tmp_path: Path) -> None:
    file = notebook(tmp_path)
    file.write_text(
        json.dumps(
            {
                "cells": [
                    {"cell_type": "markdown", "source": "import tensorflow"},
                    {"cell_type": "code", "source": "1", "outputs": [{"text": "import tensorflow\n"}]},
                ]
            }
        )
    )
    assert imported_modules(file) == set()


def test_the_third_format_is_read_too(tmp_path: Path) -> None:
    sheet = {"cells": [{"cell_type": "code", "input": ["import keras\n"]}]}
    assert imported_modules(notebook(tmp_path, worksheets=[sheet])) == {"keras"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[1, 2]",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"cells": 3}',
        b'{"cells": [null, {"source": {}}]}',
    ],
)
def test_what_is_no_notebook_imports_nothing(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "notebook.ipynb"
    file.write_bytes(content)
    assert imported_modules(file) == frozenset()


def test_a_framework_runs_where_it_is_installed_even_if_that_is_not_built() -> None:
    nothing_built = Engine(TORCH)
    assert choose(frozenset({"torch", "numpy"}), BOTH, nothing_built) is TORCH
    assert choose(frozenset({"tensorflow"}), BOTH, nothing_built) is KERAS
    assert choose(frozenset({"numpy"}), BOTH, nothing_built) is TORCH


def test_keras_alone_runs_on_tensorflow_where_that_is_built() -> None:
    keras = frozenset({"keras", "numpy"})
    assert choose(keras, BOTH, Engine(TORCH, KERAS)) is KERAS
    assert choose(keras, BOTH, Engine(TORCH)) is TORCH
    assert choose(keras | {"torch"}, BOTH, Engine(TORCH, KERAS)) is TORCH


def test_the_assignment_decides_before_the_imports() -> None:
    assert choose(frozenset({"tensorflow"}), (TORCH,), Engine(TORCH, KERAS)) is TORCH


def test_a_courses_own_requirements_come_first_where_they_have_the_framework(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("torch==2.9.0\n")
    own = course(file)
    environments = (own, TORCH, KERAS)
    assert choose(frozenset({"torch"}), environments, Engine(TORCH)) is own
    assert choose(frozenset(), environments, Engine(TORCH)) is own
    assert choose(frozenset({"tensorflow"}), environments, Engine(TORCH)) is KERAS


def stopped(name: str, message: str) -> FailedExecution:
    error = CellError(cell=2, kind="error", name=name, message=message, traceback="")
    run = Execution(
        notebook=Blob(name="executed.ipynb", sha256="0" * 64, bytes=2),
        code_cells=3,
        executed_cells=1,
        errors=(error,),
        produced=(),
    )
    return FailedExecution(status="failed", reason="", usage=Usage(), execution=run)


@pytest.mark.parametrize(
    ("name", "message", "again"),
    [
        ("ModuleNotFoundError", "No module named 'tensorflow'", True),
        ("ModuleNotFoundError", "No module named 'tensorflow.keras'", True),
        ("ImportError", "This requires the tensorflow module. You can install it via `pip install tensorflow`", True),
        ("ImportError", "Layer StringLookup requires TensorFlow. Install it via `pip install tensorflow`.", True),
        ("RuntimeError", "Handling remote paths requires installing TensorFlow Alternately ...", True),
        ("ValueError", "No module named 'tensorflow'", True),
        ("ModuleNotFoundError", "No module named 'fastai'", False),
        ("ValueError", "tensorflow was faster", False),
    ],
)
def test_a_run_that_stopped_for_want_of_tensorflow_is_tried_where_it_is(name: str, message: str, again: bool) -> None:
    assert another(stopped(name, message), TORCH, BOTH, NUMPY) is (KERAS if again else None)


def test_a_run_is_not_tried_elsewhere_without_such_an_environment_or_twice() -> None:
    wanting = stopped("ModuleNotFoundError", "No module named 'tensorflow'")
    assert another(wanting, TORCH, (TORCH,), NUMPY) is None
    assert another(wanting, KERAS, BOTH, NUMPY) is None
    assert wanting.execution is not None
    assert another(Done(value=wanting.execution, origin="measured-inside"), TORCH, BOTH, KERAS_ALONE) is None


def test_keras_alone_that_stops_on_torch_waits_for_tensorflow_unless_it_stops_so_everywhere() -> None:
    """Its own backend is the likely reason; points are not lost to what the instructor did not build."""
    elsewhere = stopped("AttributeError", "'Tensor' object has no attribute 'get_shape'")
    assert another(elsewhere, TORCH, BOTH, KERAS_ALONE) is KERAS
    assert another(elsewhere, TORCH, BOTH, KERAS_ALONE | {"torch"}) is None
    assert another(stopped("NameError", "name 'x' is not defined"), TORCH, BOTH, KERAS_ALONE) is None


def test_a_later_cell_that_wants_tensorflow_counts_too() -> None:
    first, later = (stopped(*said) for said in (("NameError", "x"), ("ImportError", "No module named 'tensorflow'")))
    assert first.execution is not None and later.execution is not None
    both = first.execution.model_copy(update={"errors": (*first.execution.errors, *later.execution.errors)})
    assert another(first.model_copy(update={"execution": both}), TORCH, BOTH, NUMPY) is KERAS


def test_imports_that_could_not_be_read_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a TensorFlow notebook would run on torch in all later runs, for one moment of a busy machine."""
    file = notebook(tmp_path, "import tensorflow")
    submission = Submission("mia", "Mia", tmp_path, Path(file.name), (), (), None, "", ())
    cache = StageCache(Store(tmp_path / "store"), "engine")
    with monkeypatch.context() as busy:
        busy.setattr(child, "_READING_SECONDS", -15)  # no wall time is left
        assert kept_imports(submission, cache) == frozenset()
        with pytest.raises(child.Unreadable):
            imported_modules(file)
    assert kept_imports(submission, cache) == {"tensorflow"}
    monkeypatch.setattr(child, "_PROGRAM", tmp_path / "nothing to ask")
    assert kept_imports(submission, cache) == {"tensorflow"}  # found once
