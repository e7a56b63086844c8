"""A submission made of a few cells, and the real stage that runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import ExecutionRules
from harness.inputs.submission import Submission
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.execute.stage import execute
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=90, cell_seconds=45, memory=900 * 10**6, cpus=1, processes=128, disk=100 * 10**6)


class Notebook:
    """What the stage `execute` says of a notebook with these cells."""

    def __init__(self, engine: Sandbox, folder: Path, *cells: str, extra: dict[str, str] | None = None, **changes: Any):
        """`extra`: other files of the submission. `changes`: of the limits."""
        root = folder / "handed-in"
        root.mkdir()
        python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=python)
        nbformat.write(notebook, root / "notebook.ipynb")
        for name, content in (extra or {}).items():
            (root / name).write_text(content)
        for path in (*folder.parents[:2], folder, root, *root.iterdir()):
            path.chmod(0o755)
        self.root = root
        self.store = Store(folder / "store")
        submission = Submission("id", "student", root, Path("notebook.ipynb"), (), (), None, "0" * 64, ())
        context = StageContext(engine, self.store, LIMITS.model_copy(update=changes))
        self.result = execute(submission, None, ExecutionRules(), None, context)

    @property
    def status(self) -> str:
        return self.result.status

    @property
    def codes(self) -> list[str]:
        return [found.code for found in self.result.findings]

    @property
    def execution(self) -> Execution:
        """What ran, to the end or until it stopped."""
        execution = self.result.execution if isinstance(self.result, FailedExecution) else self.result.value
        assert execution is not None, self.result
        return execution

    @property
    def text(self) -> str:
        """All that it printed."""
        notebook = json.loads(self.store.path(self.execution.notebook).read_bytes())
        outputs = [output for cell in notebook["cells"] for output in cell["outputs"]]
        return "".join("".join(output.get("text", ())) for output in outputs)

    def said(self) -> str:
        """For the table."""
        return f"{self.status}: {', '.join(self.codes) or 'no finding'}"
