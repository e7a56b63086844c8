"""A notebook file that lacks what Jupyter always writes is read all the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.agent.notebook.reading import Unreadable, code_cells, read

NOTEBOOK: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# One"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "source": ["x = 1\n", "x"],
            "execution_count": 1,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
        },
    ],
}

Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    "change",
    [
        lambda n: None,
        lambda n: n["cells"][0].pop("metadata"),
        lambda n: n["cells"][1].pop("outputs"),
        lambda n: n["cells"][1].pop("execution_count"),
        lambda n: n["cells"][0].pop("source"),
        lambda n: [cell.pop("id") for cell in n["cells"]],
        lambda n: [cell.update(id="same") for cell in n["cells"]],
        lambda n: n["cells"][1].update(id="not an id"),
        lambda n: n.pop("nbformat"),
        lambda n: n.pop("nbformat_minor"),
        lambda n: n.pop("metadata"),
        lambda n: n["cells"].append(None),
        lambda n: n["cells"][0].update(cell_type="html"),
        lambda n: n["cells"][0].update(foo=1),
        lambda n: n["cells"][1].update(outputs=[{"output_type": "stream", "text": "x"}, 3]),
        lambda n: n["cells"][1].update(outputs=None),
    ],
)
def test_what_is_missing_is_filled_in(change: Change, tmp_path: Path) -> None:
    notebook = copy.deepcopy(NOTEBOOK)
    change(notebook)
    (tmp_path / "n.ipynb").write_text(json.dumps(notebook))
    assert [cell.source for cell in code_cells(read(tmp_path / "n.ipynb"))] == ["x = 1\nx"]


@pytest.mark.parametrize("content", ["[]", "3", "{}", '{"cells": 3}', '{"nbformat": 9, "cells": []}', "{"])
def test_what_is_none_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text(content)
    with pytest.raises(Unreadable):
        read(tmp_path / "n.ipynb")
