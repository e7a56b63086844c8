"""The course's solutions as they are shown in the repository: run, with outputs that the answers rest on."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("course_kit", REPOSITORY / "tools" / "course_kit.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["solution.ipynb", "solution_keras.ipynb"])
def test_a_solution_is_saved_with_its_outputs_and_its_answers_rest_on_them(kit: ModuleType, name: str):
    notebook = json.loads((kit.COURSE / name).read_text(encoding="utf-8"))
    assert name in kit.SOLUTIONS
    assert list(kit.problems(notebook)) == []
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not any(output["output_type"] == "error" for output in outputs)
    drawn = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(drawn) >= 3  # photographs, learning curves, mistakes

    wrong = copy.deepcopy(notebook)
    wrong["cells"][-1]["source"] = "## 12. Questions\nIt reaches 0.98765."
    stream = next(o for cell in wrong["cells"] for o in cell.get("outputs", ()) if o["output_type"] == "stream")
    stream["text"] = "/root/course/data"
    said = "\n".join(kit.problems(wrong))
    assert "0.98765" in said and "/root/course" in said
