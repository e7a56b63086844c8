"""A notebook is read without trust: whatever the file holds, something sensible is shown."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_notebooks import NOTEBOOK_CELLS, learning_curve

from harness.report.notebook import Cell, DatasetImage, NotShown, Text, read


def cells_of(tmp_path: Path, *cells: object) -> tuple[Cell, ...]:
    return read(written(tmp_path, {"cells": list(cells)})).cells


def written(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "executed.ipynb"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def code(*outputs: object, source: object = "1") -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def png(data: object) -> dict[str, Any]:
    return code({"output_type": "display_data", "data": {"image/png": data, "text/plain": "<Figure>"}})


def test_cells_and_their_outputs_are_shown_in_order(tmp_path: Path) -> None:
    cells = cells_of(tmp_path, *NOTEBOOK_CELLS)
    assert [cell.kind for cell in cells] == ["markdown", "code", "code", "code", "code", "markdown"]
    assert [cell.number for cell in cells] == [None, 1, 2, 3, 4, None]
    assert cells[2].outputs == (Text("result", "6405"),)
    assert isinstance(cells[4].outputs[0], DatasetImage)
    assert "<strong>freeze</strong>" in cells[0].source and "<table>" in cells[0].source


def test_a_progress_bar_is_shown_in_its_last_state(tmp_path: Path) -> None:
    [cell] = cells_of(tmp_path, code({"output_type": "stream", "text": "\r 1%\r\x1b[32m100%\x1b[0m\ndone\r\n"}))
    assert cell.outputs == (Text("stdout", "100%\ndone\n"),)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "unreadable"),
        ("{", "unreadable"),
        ("[" * 100_000, "unreadable"),
        ('{"cells": ' + "1" * 5000 + "}", "unreadable"),
        ("[]", "not-a-notebook"),
        ("null", "not-a-notebook"),
        ("{}", "not-a-notebook"),
        ('{"cells": {}}', "not-a-notebook"),
    ],
)
def test_a_file_that_is_no_notebook_is_said_to_be_none(tmp_path: Path, content: str, problem: str) -> None:
    assert read(written(tmp_path, content)).problem == problem


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00\x01{")
    assert read(tmp_path / "bytes").problem == "unreadable"
    assert read(tmp_path / "nothing").problem == "missing"
    assert read(tmp_path).problem == "missing"


def test_a_giant_is_not_even_read(tmp_path: Path) -> None:
    with (tmp_path / "giant").open("wb") as file:
        file.truncate(10**9)
    assert read(tmp_path / "giant").problem == "too-large"


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "cell_type", "source", "outputs", "output_type", "data", "text", "traceback", "image/png"]
            ),
            inner | st.sampled_from(["code", "markdown", "stream", "error", "display_data"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=20)  # each is read by a process of its own
@given(cells=st.lists(json_value, max_size=4))
def test_no_shape_of_json_makes_it_raise(cells: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    shown = read(written(tmp_path_factory.mktemp("json"), {"cells": cells}))
    assert len(shown.cells) == len(cells)


def test_lone_surrogates_can_be_written(tmp_path: Path) -> None:
    [cell] = cells_of(tmp_path, code({"output_type": "stream", "text": "a\ud800b"}, source="x = '\udfff'"))
    assert cell.outputs == (Text("stdout", "a\ufffdb"),)
    cell.source.encode()


@pytest.mark.parametrize(
    "data",
    [
        "bm90IGEgcG5n",
        "%%%",
        "",
        base64.b64encode(b"GIF89a  " + bytes(4) + b"IHDR" + b"\0\0\0\x08" * 2 + bytes(60)).decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + b"\x7f\xff\xff\xff" * 2 + bytes(50)).decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + bytes(60)).decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(3 * 10**6)).decode(),
        {"not": "text"},
        'AAAA" onerror="alert(1)',
    ],
    ids=["text", "no-base64", "empty", "gif", "signature-only", "giant-sides", "no-sides", "bytes", "type", "quote"],
)
def test_what_is_no_png_of_a_sensible_size_is_not_shown(tmp_path: Path, data: object) -> None:
    [cell] = cells_of(tmp_path, png(data))
    assert cell.outputs == (NotShown("image"),)


def test_images_have_a_limit_together(tmp_path: Path) -> None:
    """8 MB: four of these, and those that are left out do not shift the others."""
    large = base64.b64encode(base64.b64decode(learning_curve()) + bytes(1_900_000)).decode()
    cells = cells_of(tmp_path, *(png(large) for _ in range(5)), png(learning_curve()))
    assert [type(cell.outputs[0]) for cell in cells] == [DatasetImage] * 4 + [NotShown, DatasetImage]
    assert isinstance(cells[5].outputs[0], DatasetImage)
    assert cells[5].outputs[0].uri == f"data:image/png;base64,{learning_curve()}"


def test_html_and_svg_are_named_and_not_shown(tmp_path: Path) -> None:
    data = {"text/html": "<script>alert(1)</script>", "image/svg+xml": "<svg onload=alert(1)>"}
    [cell] = cells_of(tmp_path, code({"output_type": "display_data", "data": data}))
    assert cell.outputs == (NotShown("kind", "text/html, image/svg+xml"),)


def test_a_long_output_keeps_its_beginning_and_end(tmp_path: Path) -> None:
    text = "first\n" + "x" * 100_000 + "\nlast"
    [cell] = cells_of(tmp_path, code({"output_type": "stream", "text": text}))
    [output] = cell.outputs
    assert isinstance(output, Text)
    assert output.text.startswith("first\n") and output.text.endswith("\nlast")
    assert output.left_out == len(text) - 20_000


def test_a_huge_notebook_is_cut_and_counted(tmp_path: Path) -> None:
    shown = read(written(tmp_path, {"cells": [code(source="x = 1")] * 2_000}))
    assert len(shown.cells) == 500
    assert shown.cells_left_out == 1_500
    long = read(written(tmp_path, {"cells": [code(source="x" * 19_000)] * 100}))
    assert sum(len(cell.source) for cell in long.cells) < 420_000
    assert len(long.cells) + long.cells_left_out == 100


@pytest.mark.parametrize("kind", ["markdown", "code"])
@pytest.mark.parametrize(
    "unit", ["*", "_a", "[", "![", "`", "> ", "- ", "((", "'", '"""', "f'{", "\\", "|a", "<", "&", "~~", "# ", "0x"]
)
def test_no_repetition_takes_long(tmp_path: Path, kind: str, unit: str) -> None:
    """Setting and colouring stay far from quadratic, whatever is repeated."""
    file = written(tmp_path, {"cells": [{"cell_type": kind, "source": unit * (60_000 // len(unit))}] * 3})
    start = time.perf_counter()
    read(file)
    assert time.perf_counter() - start < 5


# Reads one notebook in a process of its own, and says by how much the memory of that process peaked.
_READ = """
import sys
from pathlib import Path
from harness.report.notebook import read

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024

before = peak()
found = read(Path(sys.argv[1]))
print(peak() - before, found.problem, len(found.cells))
"""

BOMBS = {
    "empty lists": '{"cells": [' + "[]," * 2_700_000 + "[]]}",
    "keys": '{"cells": [], "metadata": {' + ",".join(f'"{i:x}":0' for i in range(800_000)) + "}}",
    "text": json.dumps({"cells": [code({"output_type": "stream", "text": "é" * 9_000_000})]}, ensure_ascii=False),
    "outputs": '{"cells": [{"cell_type": "code", "source": "", "outputs": [' + "{}," * 2_600_000 + "{}]}]}",
    "characters of four bytes": json.dumps(
        {"cells": [code(source="😀" * 19_000) for _ in range(200)]}, ensure_ascii=False
    ),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_no_notebook_takes_the_harness_memory(tmp_path: Path, bomb: str) -> None:
    """A notebook of empty lists took 6 GB: it is parsed by a process that may die of it."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, written(tmp_path, bomb)], capture_output=True, text=True, timeout=200, check=True
    )
    peak, problem, cells = done.stdout.split()
    assert int(peak) < 100 * 2**20
    assert problem == "too-large" or int(cells) <= 500
