"""`python tools/course_kit.py [solution.ipynb ...]`: execute the course's solutions and keep their outputs in them.

Each notebook runs from top to bottom in the sandbox as a student's would, on the example's images (`make data`), with
the weights that `harness weights fetch mobilenet_v2 keras_vgg16_notop` brings. Its cells stay as they are: only outputs
are written. Afterwards, every number in the answers must be one that the notebook printed.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness.files.temporary_folders import own_folder
from harness.files.user_folders import default_folder
from harness.grading.context import given_weights
from harness.grading.materials import readable
from harness.inputs.assignment import load
from harness.inputs.submissions import collect
from harness.inputs.submissions.imports import imported_modules
from harness.sandbox import KERAS, TORCH
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.environment import choose
from harness.stages.execute.stage import execute
from harness.stages.store import Store

COURSE = Path(__file__).parents[1] / "reference_solution" / "classification"
SOLUTIONS = ("solution.ipynb", "solution_keras.ipynb")
ANSWERS = "Questions"  # the heading of the cell with the answers
WEIGHTS = ("mobilenet_v2", "keras_vgg16_notop")
LIMITS = {"wall_seconds": 1800, "cell_seconds": 1800, "idle_seconds": 600, "cpus": 2}
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{2,}")  # what was measured; other numbers are choices
_PATH = re.compile(r"/(?:work|root|home|tmp|in|opt|usr)/[\w.-]+")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=[COURSE / name for name in SOLUTIONS])
    wrong = []
    for file in parser.parse_args().notebooks:
        print(f"{file}: running ...", flush=True)
        notebook = with_outputs(json.loads(file.read_text(encoding="utf-8")), executed(file))
        file.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
        wrong += [f"{file}: {what}" for what in problems(notebook)]
    print("\n".join(wrong) or "All numbers in the answers were printed.")
    return 1 if wrong else 0


def executed(file: Path) -> dict[str, Any]:
    """The notebook as its run left it. Raises `SystemExit` with the reason if a cell failed."""
    assignment = load(COURSE / "assignment.toml")
    assignment = assignment.model_copy(
        update={"weights": WEIGHTS, "limits": assignment.limits.model_copy(update=LIMITS)}
    )
    engine = Bubblewrap()
    with own_folder("harness-course-kit-", default_folder()) as scratch, tempfile.TemporaryDirectory() as handed_in:
        store = Store(scratch / "store")
        (Path(handed_in) / "solution.ipynb").write_bytes(file.read_bytes())
        (submission,) = collect(Path(handed_in), scratch / "submissions")
        assert submission.notebook is not None
        software = choose(imported_modules(submission.root / submission.notebook), (TORCH, KERAS), engine)
        result = execute(
            submission,
            readable(assignment, scratch).dataset,
            assignment.execution,
            given_weights(assignment, scratch).hub,
            StageContext(engine, store, assignment.limits, software),
        )
        if not isinstance(result, Done):
            raise SystemExit(f"{file}: {result.reason}")
        notebook: dict[str, Any] = json.loads(store.path(result.value.notebook).read_bytes())
        return notebook


def with_outputs(notebook: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its run, without what libraries say beside: it names folders of the machine."""
    kept = copy.deepcopy(notebook)
    for cell, ran in zip(kept["cells"], run["cells"], strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"] = [said for output in ran["outputs"] if (said := _of_the_notebook(output)) is not None]
            cell["execution_count"] = ran["execution_count"]
    return kept


def _of_the_notebook(output: dict[str, Any]) -> dict[str, Any] | None:
    """The output without a library's warnings; None where nothing is left."""
    if output["output_type"] != "stream":
        return output
    lines = "".join(output["text"]).splitlines(keepends=True)
    own = [line for line in lines if not line.startswith("WARNING:")]
    return {**output, "text": "".join(own)} if own and output["name"] == "stdout" else None


def problems(notebook: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the saved outputs, a sentence for each."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if not all(cell["execution_count"] for cell in code):
        yield "a cell was not run"
    said = "".join(_texts(code))
    for path in sorted(set(_PATH.findall(said))):
        yield f"an output holds a path of the machine: {path}"
    answers = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    (answers,) = (text for text in answers if text.splitlines()[0].endswith(ANSWERS))
    printed = set(_NUMBER.findall(said))
    for number in _NUMBER.findall(answers):
        if number not in printed:
            yield f"the answers say {number}, which no output does"
    if not _NUMBER.search(answers):
        yield "the answers name no number"


def _texts(code: list[dict[str, Any]]) -> Iterator[str]:
    for output in (output for cell in code for output in cell["outputs"]):
        yield "".join(output.get("text", ""))
        for kind, content in output.get("data", {}).items():
            if not kind.startswith("image/"):
                yield "".join(content) if isinstance(content, (str, list)) else json.dumps(content)


if __name__ == "__main__":
    sys.exit(main())
