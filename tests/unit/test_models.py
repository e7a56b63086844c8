"""Which of a submission's models is graded."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.grading import submission_run
from harness.inputs.assignment import Assignment
from harness.inputs.submission import Companion, ModelFile, Submission
from harness.stages import model_selection as models
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.execution import Execution, Produced
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.store import Store

COURSE = {
    "title": "Objects",
    "held_out": {"path": "held_out"},
    "dataset": {"path": "train"},
    "reference": {"code": "transfer.py"},
    "criteria": [{"kind": "model_predicts", "points": 10}],
}
COURSE_READ = Assignment.model_validate(COURSE)
NOT_RUN = Skipped(reason="The notebook was not run.")


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    root = tmp_path / "handed-in"
    root.mkdir()
    for name in ("model.onnx", "labels.txt", "handin.json"):
        (root / name).write_text("handed in")
    beside = tuple(Companion(name, Path(name)) for name in ("labels.txt", "handin.json"))
    models = (ModelFile(Path("model.onnx"), "onnx", beside),)
    return Submission("id", "s", root, Path("notebook.ipynb"), models, (), None, "0" * 64, ())


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
        produced=tuple(
            Produced(**blobs[name].model_dump(), path=f"out/{name}", kind=kind)
            for name, kind in (("model.onnx", "onnx"), ("labels.txt", "text"))
        ),
        network_attempts=(),
        outside_reads=(),
    )
    return Done(value=execution)


def graded(submission: Submission, executed: object, store: Store, **changes: object) -> dict[str, str] | None:
    """Name -> content of what is graded."""
    assignment = Assignment.model_validate(COURSE | changes)
    candidates = models.to_grade(submission, executed, assignment, store)  # type: ignore[arg-type]
    if not candidates:
        return None
    model = candidates[0]
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


def test_what_the_run_made_is_called_as_the_student_calls_it_and_what_was_handed_in_comes_next(submission, ran, store):
    ours, theirs = models.to_grade(submission, ran, Assignment.model_validate(COURSE), store)
    assert (ours.shown, ours.by_the_run) == ("out/model.onnx", True) != (theirs.shown, theirs.by_the_run)


def test_what_the_run_made_and_cannot_be_graded_comes_after_what_was_handed_in(submission, ran, store):
    spoilt = ran.value.produced[0].model_copy(update={"kind": "keras-weights"})
    executed = Done(value=ran.value.model_copy(update={"produced": (spoilt,)}))
    assert [
        one.by_the_run for one in models.to_grade(submission, executed, Assignment.model_validate(COURSE), store)
    ] == [
        False,
        True,
    ]


def test_what_the_run_made_is_not_compared_with_itself_where_nothing_handed_in_can_be_graded(submission, ran, store):
    """Handed in with a file that nobody can load, it would count as reproduced."""
    assignment = Assignment.model_validate(COURSE | {"execution": {"mode": "both"}})
    conversion = Conversion.model_construct(by_the_run=True)
    graded = SimpleNamespace(convert=Done(value=conversion))
    context = SimpleNamespace(assignment=assignment, stage_context=SimpleNamespace(store=store))
    assert submission_run._rerun_to_compare(submission, ran, graded, context, None) == submission_run._Rerun()
    conversion = Conversion.model_construct(by_the_run=False)
    graded = SimpleNamespace(convert=Done(value=conversion))
    with pytest.raises(AttributeError):  # it goes on to run the model
        submission_run._rerun_to_compare(submission, ran, graded, context, None)
