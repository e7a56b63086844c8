"""The one reader of notebooks outside the sandbox: formats 3 and 4, and whatever else a file can hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.apart import notebook_file
from harness.apart.notebook_file import NoNotebook

CELLS = [
    {"cell_type": "markdown", "source": ["# Ann ", "Bee"]},
    7,
    {"cell_type": "code", "source": "import torch", "outputs": [{"output_type": "stream"}, "x"]},
]
OLD = [{"cell_type": "code", "input": ["import ", "keras"], "outputs": None}]


def written(folder: Path, document: Any) -> Path:
    (folder / "n.ipynb").write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return folder / "n.ipynb"


@pytest.mark.parametrize(
    ("document", "sources"),
    [
        ({"cells": CELLS}, ["# Ann Bee", "", "import torch"]),
        ({"worksheets": [{"cells": OLD}, {"cells": CELLS[:1]}, 3]}, ["import keras", "# Ann Bee"]),
        ({"cells": []}, []),
    ],
)
def test_cells_of_both_formats_in_order(document: Any, sources: list[str], tmp_path: Path):
    read = notebook_file.read(written(tmp_path, document), 10_000)
    assert [notebook_file.source(cell) for cell in notebook_file.cells(read)] == sources


def test_first_cells_are_read_of_a_file_that_is_cut_off(tmp_path: Path):
    file = written(tmp_path, json.dumps({"cells": CELLS}).encode()[:-30])
    assert [notebook_file.source(cell) for cell in notebook_file.first_cells(file, 6)] == ["# Ann Bee"]
    assert len([*notebook_file.first_cells(written(tmp_path, {"cells": CELLS[::2] * 9}), 6)]) == 6


def test_what_a_cell_shows(tmp_path: Path):
    cells = notebook_file.cells({"cells": [*CELLS, *OLD]})
    assert [len(notebook_file.outputs(cell)) for cell in cells] == [0, 0, 1, 0]
    assert [notebook_file.is_code(cell) for cell in cells] == [False, False, True, True]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b"\xff\xfe\x00", "unreadable"),
        (b"[]", "not-a-notebook"),
        (b'{"cells": {"a": 1}}', "not-a-notebook"),
        (b" " * 200_000, "too-large"),
    ],
)
def test_what_is_no_notebook_says_why(content: bytes, problem: str, tmp_path: Path):
    with pytest.raises(NoNotebook, match=problem):
        notebook_file.read(written(tmp_path, content), 150_000)
    with pytest.raises(NoNotebook, match="missing"):
        notebook_file.read(tmp_path / "none.ipynb", 10)
