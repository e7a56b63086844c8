"""Which of a submission's models is graded."""

from pathlib import Path

import pytest

from harness.inputs.assignment import Assignment
from harness.inputs.submission import Companion, Submission
from harness.stages import model_selection as models
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.store import Store

COURSE = {
    "title": "Objects",
    "held_out": {"path": "held_out"},
    "dataset": {"path": "train"},
    "reference": {"code": "transfer.py"},
    "criteria": [{"kind": "model_predicts", "points": 10}],
}
NOT_RUN = Skipped(reason="The notebook was not run.")


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    root = tmp_path / "handed-in"
    root.mkdir()
    for name in ("model.onnx", "labels.txt", "handin.json"):
        (root / name).write_text("handed in")
    beside = tuple(Companion(name, Path(name)) for name in ("labels.txt", "handin.json"))
    return Submission("id", "s", root, Path("notebook.ipynb"), Path("model.onnx"), beside, None, "0" * 64, ())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def ran(store: Store, tmp_path: Path) -> Done[Execution]:
    """A run that wrote a model and its labels, and no handin.json."""
    blobs = {}
    for name in ("model.onnx", "labels.txt", "executed.ipynb"):
        (tmp_path / name).write_text(f"made: {name}")
        blobs[name] = store.put(tmp_path / name, name)
    execution = Execution(
        notebook=blobs["executed.ipynb"],
        code_cells=1,
        executed_cells=1,
        errors=(),
        produced=(blobs["model.onnx"], blobs["labels.txt"]),
        network_attempts=(),
        outside_reads=(),
    )
    return Done(value=execution)


def graded(submission: Submission, executed: object, store: Store, **changes: object) -> dict[str, str] | None:
    """Name -> content of what is graded."""
    assignment = Assignment.model_validate(COURSE | changes)
    model = models.to_grade(submission, executed, assignment, store)  # type: ignore[arg-type]
    if model is None:
        return None
    return {"model": model.file.read_text()} | {name: path.read_text() for name, path in model.companions.items()}


def test_the_runs_model_comes_first_with_what_was_handed_in_beside_it(submission, ran, store):
    assert graded(submission, ran, store) == {
        "model": "made: model.onnx",
        "labels.txt": "made: labels.txt",
        "handin.json": "handed in",
    }
    assert graded(submission, NOT_RUN, store) == dict.fromkeys(("model", "labels.txt", "handin.json"), "handed in")


def test_the_one_handed_in_comes_first_where_both_are_compared(submission, ran, store):
    assert graded(submission, ran, store, execution={"mode": "both"})["model"] == "handed in"


@pytest.mark.parametrize("withholding", ["withhold", "both"])
@pytest.mark.parametrize("mode", ["rerun", "both"])
def test_nothing_that_was_handed_in_is_graded_where_images_are_withheld(submission, ran, store, withholding, mode):
    """It has seen them."""
    changes = {"held_out": {"mode": withholding, "path": "held_out"}, "execution": {"mode": mode}}
    assert graded(submission, ran, store, **changes) == {"model": "made: model.onnx", "labels.txt": "made: labels.txt"}
    assert graded(submission, NOT_RUN, store, **changes) is None
