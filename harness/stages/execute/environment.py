"""Chooses a notebook's environment by its imports, among those that the assignment allows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.files.hashing import HashedFile
from harness.inputs.assignment import Assignment
from harness.inputs.submission import Submission
from harness.inputs.submissions.child import Unreadable
from harness.inputs.submissions.imports import imported_modules
from harness.sandbox import KERAS, TORCH, Sandbox, Software, course
from harness.sandbox.software import Framework
from harness.stages.cache import StageCache
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.record import Record
from harness.stages.evidence.stage_result import Done, StageResult

_NEEDS: dict[str, Framework] = {
    "tensorflow": "tensorflow",
    "tf_keras": "tensorflow",
    "tensorflow_hub": "tensorflow",
    "tensorflow_datasets": "tensorflow",
    "torch": "torch",
    "torchvision": "torch",
    "timm": "torch",
    "fastai": "torch",
    "pytorch_lightning": "torch",
    "lightning": "torch",
}
_WANTS_TENSORFLOW = re.compile(
    r"No module named '(?:tensorflow|tf_keras)|requires (?:the |installing )?`?tensorflow|"
    r"tensorflow`? (?:must|needs to|has to) be installed|install(?:ed)? (?:it via )?`?(?:pip install )?tensorflow|"
    r"only supported (?:with|by|on) (?:the )?`?tensorflow",
    re.IGNORECASE,
)
# What stops a notebook in the same way wherever it runs.
_EVERYWHERE = (
    *("NameError", "SyntaxError", "IndentationError", "TabError", "FileNotFoundError", "KeyboardInterrupt"),
    *("URLError", "HTTPError", "ConnectionError", "StdinNotImplementedError"),
)


def allowed(assignment: Assignment) -> tuple[Software, ...]:
    """The assignment's environments, the preferred first. Raises `UsageError` if the requirements are not text."""
    rules = assignment.execution
    own = (course(rules.requirements),) if rules.requirements is not None else ()
    return (*own, *({"torch": TORCH, "keras": KERAS}[name] for name in rules.environments))


def choose(imports: frozenset[str], environments: Sequence[Software], sandbox: Sandbox) -> Software:
    """The first environment with every framework that the notebook imports, else the first one.

    `import keras` alone works with either framework; TensorFlow, for which it was written, is used if built.
    """
    wanted = {_NEEDS[name] for name in imports if name in _NEEDS}
    if not wanted and "keras" in imports:
        for one in environments:
            if "tensorflow" in one.frameworks and sandbox.software_id(one) is not None:
                return one
    return next((one for one in environments if wanted <= one.frameworks), environments[0])


def another(
    result: StageResult[Execution], tried: Software, environments: Sequence[Software], imports: frozenset[str]
) -> Software | None:
    """The environment with TensorFlow, if a run without it stopped, or may have stopped, for want of it.

    An error of any cell says so, whatever its class; or the notebook imports `keras` alone, which then ran on torch
    because TensorFlow is not built, and stopped in an error that is not the same everywhere.
    """
    if not isinstance(result, FailedExecution) or result.execution is None or "tensorflow" in tried.frameworks:
        return None
    errors = [error for error in result.execution.errors if error.kind == "error"]
    says_so = any(_WANTS_TENSORFLOW.search(f"{error.message}\n{error.traceback}") for error in errors)
    fell_back = "keras" in imports and not any(name in _NEEDS for name in imports)
    perhaps = fell_back and any(error.name not in _EVERYWHERE for error in errors[:1])
    if not says_so and not perhaps:
        return None
    return next((one for one in environments if "tensorflow" in one.frameworks), None)


class Imports(Record):
    """The modules that a notebook imports."""

    names: tuple[str, ...]


def kept_imports(submission: Submission, cache: StageCache) -> frozenset[str]:
    """As `imports_of`, found once for each notebook; a failure to read it is not kept."""
    if submission.notebook is None:
        return frozenset()

    def work() -> Done[Imports]:
        return Done(value=Imports(names=tuple(sorted(imported_modules(notebook)))), origin="measured-outside")

    notebook = submission.root / submission.notebook
    try:
        kept = cache.run("imports", HashedFile(notebook), Imports, work, submission.id)
    except Unreadable:
        return frozenset()
    return frozenset(kept.result.value.names) if isinstance(kept.result, Done) else frozenset()


def for_notebook(submission: Submission, assignment: Assignment, sandbox: Sandbox, imports: frozenset[str]) -> Software:
    """The environment for the submission's notebook, which imports these."""
    if submission.notebook is None:
        return TORCH
    return choose(imports, allowed(assignment), sandbox)


def imports_of(submission: Submission) -> frozenset[str]:
    """The modules that the submission's notebook imports, read as text; empty where it cannot be read."""
    if submission.notebook is None:
        return frozenset()
    try:
        return imported_modules(submission.root / submission.notebook)
    except Unreadable:
        return frozenset()


def needed(submission: Submission, environments: Sequence[Software]) -> Software | None:
    """The environment that the notebook should have, whether or not it is built; None without a notebook.

    `keras` alone should have TensorFlow, for which it was written.
    """
    if submission.notebook is None:
        return None
    imports = imports_of(submission)
    wanted = {_NEEDS[name] for name in imports if name in _NEEDS}
    if not wanted and "keras" in imports:
        wanted = {"tensorflow"}
    return next((one for one in environments if wanted <= one.frameworks), environments[0])
