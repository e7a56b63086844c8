"""A reason tells its author what to do."""

from __future__ import annotations

import pytest

from harness.stages.evidence.execution import CellError
from harness.stages.execute.advice import for_cell


@pytest.mark.parametrize(
    ("name", "message", "words"),
    [
        ("ModuleNotFoundError", "No module named 'fastai'", "fastai is not in the grading environment"),
        ("ModuleNotFoundError", "No module named 'utils'", "Hand in utils.py beside the notebook"),
        (
            "ModuleNotFoundError",
            "No module named 'keras.layers.core'",
            "keras.layers.core is not in the installed version",
        ),
        ("ImportError", "cannot import name 'Merge' from 'keras.layers'", "Merge is not in the installed version"),
        ("AttributeError", "module 'numpy' has no attribute 'typeDict'", "typeDict is not in the installed version"),
        ("StdinNotImplementedError", "raw_input was called", "Nobody types"),
        ("URLError", "<urlopen error [Errno -3] Temporary failure in name resolution>", "There is no network"),
        ("Exception", "URL fetch failure on https://a.b: None", "There is no network"),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: 'cat_to_name.json'",
            "cat_to_name.json is neither in",
        ),
        ("NameError", "name 'model' is not defined", "model is used before anything defines it"),
        ("NotImplementedError", "", "Fill in what the assignment left open"),
        ("SyntaxError", "invalid syntax (1.py, line 3)", "no valid Python"),
        ("AssertionError", "Torch not compiled with CUDA enabled", "no graphics card"),
        ("ValueError", "num_samples should be a positive integer value, but got num_samples=0", "no images"),
        ("ValueError", "Sum of input lengths does not equal the length of the input dataset!", "fewer images"),
        ("ZeroDivisionError", "division by zero", ""),
    ],
)
def test_an_error_asks_something_of_its_author(name: str, message: str, words: str) -> None:
    said = for_cell(CellError(cell=1, kind="error", name=name, message=message, traceback=""))
    assert words in said and bool(words) == bool(said)
    assert not said.endswith(".")
