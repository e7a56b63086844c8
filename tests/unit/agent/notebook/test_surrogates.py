"""A notebook with half an emoji: read with a sign in its place, in whatever part of the file it stands."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest

from harness.agent.notebook import surrogates
from harness.agent.notebook.reading import HALVES, read
from harness.agent.rerun.source import rewritten
from harness.apart.submissions.code_cells import code_cells

CELL = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": [], "source": "x"}
WHOLE = "\N{GRINNING FACE}"


def notebook(**changes: object) -> str:
    """A notebook's JSON, in ASCII: a half character is written `\\ud83d`."""
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL | changes]})


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"source": "kind = 'ball'  # \ud83d"}, 1),
        ({"source": ["a = '\ude00'\n", f"b = '{WHOLE}'"]}, 1),
        ({"metadata": {"tags\udfff": ["\ud800"]}}, 2),
        ({"outputs": [{"output_type": "stream", "name": "stdout", "text": "\udc00\udc00"}]}, 2),
        ({"cell_type": "markdown", "source": "# \ud83d"}, 1),
        ({"source": f"print('{WHOLE}')"}, 0),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_half_characters_are_replaced_and_counted(
    changes: dict[str, object], count: int, encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "n.ipynb").write_bytes(notebook(**changes).encode(encoding))
    found = read(tmp_path / "n.ipynb")
    assert found.metadata[HALVES] == count
    json.dumps(found, ensure_ascii=False).encode()
    json.loads(rewritten(found))


def test_half_characters_may_also_be_written_as_bytes(tmp_path: Path) -> None:
    text = json.dumps(json.loads(notebook(source="x = '\ud83d'")), ensure_ascii=False)
    (tmp_path / "n.ipynb").write_bytes(codecs.BOM_UTF8 + text.encode("utf-8", "surrogatepass"))
    assert read(tmp_path / "n.ipynb").cells[0].source == "x = '\ufffd'"


def test_two_halves_that_belong_together_are_one_character() -> None:
    assert surrogates.whole("\ud83d" + "\ude00") == WHOLE
    assert surrogates.whole("\ude00\ud83d!") == "\ufffd\ufffd!"


def test_what_is_sent_holds_none() -> None:
    assert json.loads(surrogates.encoded({"a\udc00": ["\ud83d", 1]})) == {"a\ufffd": ["\ufffd", 1]}


def test_nor_does_what_is_read_outside_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text(notebook(source="import keras  # \ud83d"))
    assert code_cells(tmp_path / "n.ipynb") == ["import keras  # \ufffd"]
