"""Notebooks as they are handed in: changed where it takes that to run them, given their images, and read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from readable import readable_to_the_sandbox

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ExecutionRules, NotebookParts
from harness.inputs.submission import Submission
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.reading import NotebookReading
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.read_notebook import read
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=240, cell_seconds=120, memory=3 * 10**9, cpus=2)
CLASSES = ("ball", "bottle", "mug")

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), LIMITS)


@pytest.fixture(scope="module")
def run(handins: dict[str, Submission], context: StageContext, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Execute the submission `name` with ten images of each class."""
    images = readable_to_the_sandbox(tmp_path_factory.mktemp("images"))
    for name in CLASSES:
        (images / name).mkdir()
        for number in range(10):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(images / name / f"{number}.png")

    def run(name: str, rules: dict[str, bool] | None = None, **dataset: Any) -> Any:
        given = Dataset(path=images, **dataset)
        return execute(handins[name], given, ExecutionRules(rules=rules or {}), None, context)

    return run


def whole(result: Any) -> Execution:
    """The run of a notebook that came to its end."""
    assert isinstance(result, Done), result.reason
    execution: Execution = result.value
    return execution


def printed(execution: Execution, context: StageContext) -> str:
    notebook = json.loads(context.store.path(execution.notebook).read_bytes())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return "".join("".join(output.get("text", ())) for output in outputs)


def rules_used(execution: Execution) -> set[str]:
    return {rule for change in execution.changes for rule in change.rules}


def codes(result: Any) -> set[str]:
    return {found.code for found in result.findings}


def test_a_notebook_from_colab_runs(run: Run, context: StageContext) -> None:
    result = run("from_colab", names=("/content/drive/MyDrive/objects", "objects.zip"))
    execution = whole(result)
    assert "0 uploaded" in printed(execution, context)
    assert "['ball', 'bottle', 'mug'] 24 6" in printed(execution, context)
    assert rules_used(execution) >= {"pip_install", "paths"}
    assert codes(result) >= {"notebook-changed", "package-missing", "colab-stand-in"}
    assert [blob.path for blob in execution.produced] == ["models/model.pth"]


def test_the_cell_that_was_handed_in_is_kept_beside_the_changed_one(run: Run, context: StageContext) -> None:
    execution = whole(run("from_colab", names=("objects",)))
    notebook = json.loads(context.store.path(execution.notebook).read_bytes())
    kept = ["".join(cell["metadata"].get("as_handed_in", "")) for cell in notebook["cells"]]
    assert any("!pip install -q torch" in source for source in kept)


@pytest.mark.parametrize(
    ("name", "words", "rules"),
    [
        ("windows_paths", ["mug 10", "(8, 8)", "done"], {"paths"}),
        ("keras_2_code", ["Found 24 images", "Found 6 images"],
         {"keras_arguments", "keras_files", "keras_history", "keras_names", "whole_numbers"}),
        ("keras_1_and_python_2", ["data (6, 8, 8, 3)", "trained"], {"keras_arguments", "keras_names", "python2"}),
        ("torch_of_some_years_ago", ["(4, 4)", "torch.Size([2, 3])"],
         {"magics", "no_gpu", "numpy_names", "pillow_names", "torch_names", "whole_numbers"}),
        ("collision_data_of_a_robot", ["2: "], {"archives", "no_gpu"}),
        ("data_from_the_network", ["30 pictures", "objects"], {"downloaded_data", "downloads"}),
    ],
)  # fmt: skip
def test_a_notebook_of_another_place_or_time_runs(
    name: str, words: list[str], rules: set[str], run: Run, context: StageContext
) -> None:
    execution = whole(run(name))
    text = printed(execution, context)
    assert [word for word in words if word not in text] == []
    assert rules_used(execution) == rules


def test_a_rule_that_is_switched_off_changes_nothing(run: Run) -> None:
    result = run("windows_paths", rules={"paths": False})
    assert isinstance(result, FailedExecution) and "FileNotFoundError" in result.reason
    assert result.execution is not None and result.execution.changes == ()


def test_input_gets_the_empty_answer_where_the_assignment_says_so(run: Run) -> None:
    result = run("asks_for_input", rules={"input": True})
    assert "empty-answer" in codes(result) and "Stdin" not in getattr(result, "reason", "")


@pytest.mark.parametrize(
    ("name", "what_to_do"),
    [
        ("needs_a_package_that_is_not_there", "fastai is not in the grading environment: do without it"),
        ("imports_a_module_that_was_not_handed_in", "Hand in utils.py beside the notebook"),
        ("fetches_its_own_weights", "There is no network while grading"),
        ("template_left_empty", "prepare is used before anything defines it: fill in the step"),
    ],
)
def test_a_reason_tells_what_to_do(name: str, what_to_do: str, run: Run) -> None:
    result = run(name)
    assert isinstance(result, FailedExecution) and what_to_do in result.reason


PARTS = NotebookParts(
    steps=("Load and plot the data", "Define the model", "Fit", "Evaluate", "Save the model"),
    questions=(
        "What is the object and how should it be classified?",
        "Which features are used?",
        "Why this network",
    ),
)


def test_what_a_notebook_shows_is_read_from_its_saved_outputs(
    handins: dict[str, Submission], context: StageContext
) -> None:
    result = read(handins["shows_its_training"], PARTS, context)
    assert isinstance(result, Done), result
    reading: NotebookReading = result.value
    (curve,) = reading.shown.curves
    assert curve.epochs == curve.planned == 4 and curve.metrics["val_accuracy"] == (0.55, 0.65, 0.70, 0.70)
    assert (reading.shown.trainable_parameters, reading.shown.frozen_parameters) == (24_581, 14_714_688)
    assert reading.shown.batch_size == 16
    assert reading.shown.claim is not None and reading.shown.claim.accuracy == 0.99
    assert [step.cell is not None for step in reading.steps] == [True, True, True, True, False]
    assert [question.answered for question in reading.questions] == [True, False, True]
    assert [found.code for found in result.findings] == ["step-uncommented", "step-missing", "question-unanswered"]


def test_the_course_s_template_left_empty_says_what_is_missing(
    handins: dict[str, Submission], context: StageContext
) -> None:
    result = read(handins["template_left_empty"], PARTS, context)
    assert isinstance(result, Done), result
    assert {found.code for found in result.findings} >= {"no-saved-outputs", "question-unanswered", "step-missing"}


@pytest.mark.parametrize("name", ["no_json", "for_r"])
def test_what_is_no_python_notebook_is_not_read_either(
    name: str, handins: dict[str, Submission], context: StageContext
) -> None:
    result = read(handins[name], NotebookParts(), context)
    assert result.status == "rejected" and codes(result) == {"notebook-unreadable"}
