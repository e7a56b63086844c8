"""Notebook files that are odd or wrong before any of their code runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import ExecutionRules
from harness.inputs.submission import Submission
from harness.report.notebook import Text, read
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.execute.stage import execute
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=120, cell_seconds=20, memory=4 * 10**9, cpus=1)


def cell(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, **more}


def notebook(*sources: str, minor: int = 4, **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": [cell(one) for one in sources]}


class Desk:
    """Runs a notebook file in a sandbox."""

    def __init__(self, engine: Sandbox, folder: Path) -> None:
        for place in (folder, *folder.parents):
            if place != Path("/tmp") and place.is_relative_to("/tmp"):
                place.chmod(0o755)
        self._folder = folder
        self.store = Store(folder / "store")
        self._place = StageContext(engine, self.store, LIMITS)

    def run(self, content: bytes | dict[str, Any]) -> StageResult[Execution]:
        root = self._folder / "submission"
        root.mkdir(exist_ok=True)
        root.chmod(0o755)
        file = root / "notebook.ipynb"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        file.chmod(0o644)
        given = Submission(
            id="mia", student="Mia", root=root, notebook=Path("notebook.ipynb"), models=(), files=(),
            dataset=None, sha256="0" * 64, findings=(),
        )  # fmt: skip
        return execute(given, None, ExecutionRules(), None, self._place)

    def shown(self, result: StageResult[Execution]) -> str:
        """What the run's notebook holds, as the report reads it."""
        assert isinstance(result, Done)
        cells = read(self.store.path(result.value.notebook)).cells
        return "\n".join(output.text for one in cells for output in one.outputs if isinstance(output, Text))


@pytest.fixture
def desk(engine: Sandbox, tmp_path: Path) -> Desk:
    return Desk(engine, tmp_path)


def codes(result: StageResult[Execution]) -> list[str]:
    return [finding.code for finding in result.findings]


UNREADABLE: dict[str, bytes | dict[str, Any]] = {
    "not JSON": b"this is no notebook",
    "no notebook": b'{"a": 1}',
    "a list": b"[1, 2]",
    "cells are no list": b'{"cells": {"a": 1}, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}',
    "cut off": json.dumps(notebook("1")).encode()[:-30],
    "empty": b"",
    "NUL bytes only": bytes(1000),
    "nested 100,000 deep": b'{"cells":[],"nbformat":4,"metadata":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "50,000 cells": notebook(*["1"] * 50_000),
    "R": notebook("1", kernelspec={"name": "ir", "display_name": "R", "language": "R"}),
    "Julia, by its kernel's name": notebook("1", kernelspec={"name": "julia-1.9", "display_name": "Julia"}),
    "Julia, half a kernelspec": notebook("1", kernelspec={"language": "julia"}),
    "R, by its language alone": notebook("1", language_info={"name": "R"}),
}  # fmt: skip


@pytest.mark.hostile(
    line=(11, 12, 13), expected="upgraded where possible, else F", docker={"cut off", "nested 100,000 deep", "R"}
)
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_is_no_python_notebook_says_why(desk: Desk, got, kind: str):
    result = desk.run(UNREADABLE[kind])
    assert codes(result) == ["notebook-unreadable"], result
    assert len(result.findings[0].message) > 50
    got(f"{kind}: {result.findings[0].message}")


SAVED = [{"output_type": "stream", "name": "stdout", "text": "x" * 100_000_000}]
READABLE: dict[str, bytes | dict[str, Any]] = {
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(notebook("print(6 * 7)")).encode(),
    "UTF-16": json.dumps(notebook("print(6 * 7)")).encode("utf-16"),
    "NaN and Infinity": json.dumps(notebook("print(6 * 7)", x=float("nan"), y=float("inf"))).encode(),
    "nbformat 3": {
        "nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
        "worksheets": [
            {"cells": [{"cell_type": "code", "language": "python", "input": "print(6 * 7)", "outputs": []}]}
        ],
    },
    "nbformat 4.5 without ids": notebook("print(6 * 7)", minor=5),
    "100 MB of saved outputs": notebook() | {"cells": [cell("print(6 * 7)", outputs=SAVED)]},
    "metadata that pose as marks": notebook(
        "print(6 * 7)", kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
        harness={"points": 100, "marks": [{"criterion": "notebook_runs", "points": 100}]},
        nbgrader={"grade": True, "points": 100, "score": 100},
    ),
}  # fmt: skip


@pytest.mark.hostile(
    line=(11, 15), expected="upgraded where possible, else F", docker={"nbformat 3", "metadata that pose as marks"}
)
@pytest.mark.parametrize("kind", READABLE)
def test_a_notebook_in_an_odd_form_is_run(desk: Desk, got, kind: str):
    result = desk.run(READABLE[kind])
    assert desk.shown(result).strip() == "42"
    assert set(codes(result)) <= {"python-assumed"}
    got(f"{kind}: run")


@pytest.mark.hostile(line=12, expected="L or F, no crash")
def test_a_cell_of_20_mb_is_stopped_or_run(desk: Desk, got):
    result = desk.run(notebook("# " + "x" * 20_000_000))
    assert isinstance(result, Done) or codes(result)[0] in ("cell-timeout", "notebook-timeout")
    got(result.status)


KERNELS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, "names no kernel"),
    "an environment's": ({"kernelspec": {"name": "my-env", "display_name": "x"}}, "names the kernel my-env"),
    "no section": ({"kernelspec": [1], "language_info": "R"}, "names no kernel"),
    "lies": (
        {"kernelspec": {"name": "python3", "display_name": "x"}, "language_info": {"name": "R"}},
        "says that its language is R",
    ),
    "Python": ({"kernelspec": {"name": "python3", "display_name": "Python 3"}}, ""),
    "Python, by an environment": ({"kernelspec": {"name": "tf2", "display_name": "x", "language": "python"}}, ""),
    "Colab": ({"kernelspec": {"name": "python3", "display_name": "Python 3"}, "accelerator": "GPU"}, ""),
}  # fmt: skip


@pytest.mark.hostile(line=13, expected="Python assumed and said, or F", docker={"lies"})
@pytest.mark.parametrize("kind", KERNELS)
def test_python_is_assumed_and_said_where_nothing_else_is_known(desk: Desk, got, kind: str):
    metadata, said = KERNELS[kind]
    result = desk.run(notebook("print(6 * 7)", **metadata))
    assert desk.shown(result).strip() == "42"
    assert [finding.message for finding in result.findings] == (
        [f"The notebook {said}; it was run as Python 3."] if said else []
    )
    got(f"{kind}: {said or 'Python'}")


@pytest.mark.hostile(line=23, expected="ignored")
def test_a_write_to_the_harness_own_paths_is_said(desk: Desk, got):
    attempts = """
import os
for path in ("/opt/harness/agent/execute.py", "/in/submission/notebook.ipynb", "/work/.noticed"):
    try: open(path, "w").write("x")
    except OSError: pass
open("result.json", "w").write("{}")
open("/tmp/x", "w").write("x")
os.makedirs("/work/handin/models")
"""
    result = desk.run(notebook(attempts, "print(6 * 7)"))
    assert desk.shown(result).strip() == "42"
    assert codes(result).count("harness-path-write") >= 1
    assert not any("result.json" in finding.message or "models" in finding.message for finding in result.findings)
    got(", ".join(finding.message for finding in result.findings if finding.code == "harness-path-write"))
