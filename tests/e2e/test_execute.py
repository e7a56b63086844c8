"""Real notebooks in a real sandbox: `tests/handins/` has one folder for each way in which they misbehave."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from readable import readable_to_the_sandbox

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ExecutionRules, OwnDataset
from harness.inputs.submission import Submission
from harness.sandbox import Sandbox
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.audit.stage import AuditRules, audit
from harness.stages.context import StageContext
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.execute.stage import execute
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=120, cell_seconds=60, memory=2 * 10**9, cpus=2)
CLASSES = ("ball", "bottle", "mug")

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = readable_to_the_sandbox(tmp_path_factory.mktemp("images"))
    for name in CLASSES:
        (folder / name).mkdir()
        Image.new("RGB", (8, 8)).save(folder / name / "1.png")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def run(handins: dict[str, Submission], images: Path, store: Store) -> Run:
    """Execute the submission `name` with bubblewrap, or another engine; `limits` are changes to `LIMITS`."""

    def run(name: str, engine: Sandbox | None = None, on_cell_error: Any = "stop", **limits: Any) -> Any:
        context = StageContext(engine or Bubblewrap(), store, LIMITS.model_copy(update=limits))
        dataset = Dataset(path=images, mounted_as="data/train")
        rules = ExecutionRules(on_cell_error=on_cell_error)
        return execute(handins[name], dataset, rules, images, context)

    return run


def codes(result: Any) -> list[str]:
    return [found.code for found in result.findings]


def stopped(result: Any) -> Execution:
    """What a run did until it stopped."""
    assert isinstance(result, FailedExecution), result
    assert result.execution is not None, result
    return result.execution


def outputs(execution: Execution, store: Store) -> list[list[dict[str, Any]]]:
    """The executed notebook's outputs, cell by cell."""
    notebook = json.loads(store.path(execution.notebook).read_bytes())
    return [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


def text(cell_outputs: list[dict[str, Any]]) -> str:
    return "".join("".join(output.get("text", ())) for output in cell_outputs)


def test_a_notebook_trains_and_its_model_comes_out(run: Run, engine: Sandbox, store: Store) -> None:
    result = run("saves_a_model", engine)
    assert isinstance(result, Done), result
    execution = result.value
    assert execution.complete and execution.executed_cells == 2
    assert result.findings == ()
    assert "['ball', 'bottle', 'mug']" in text(outputs(execution, store)[0])
    produced = {blob.path: store.path(blob).read_bytes() for blob in execution.produced}
    assert set(produced) == {"model.onnx", "labels.txt", "handin.json"}
    assert produced["labels.txt"] == b"ball\nbottle\nmug\n"
    assert json.loads(produced["handin.json"])["width"] == 64


def test_a_cell_that_raises_stops_the_run_and_is_named(run: Run, engine: Sandbox, store: Store) -> None:
    result = run("raises_half_way", engine)
    execution = stopped(result)
    assert result.status == "failed" and "Cell 2 stopped with ZeroDivisionError" in result.reason
    assert codes(result) == ["cell-error"]
    assert (execution.executed_cells, execution.code_cells) == (1, 3)
    assert [(error.cell, error.kind, error.name) for error in execution.errors] == [(2, "error", "ZeroDivisionError")]
    first, second, third = outputs(execution, store)
    assert text(first) == "one\n" and text(second) == "two\n" and third == []


def test_the_run_goes_on_after_an_error_where_the_assignment_says_so(run: Run, store: Store) -> None:
    result = run("raises_half_way", on_cell_error="continue")
    execution = stopped(result)
    assert result.status == "failed"
    assert (execution.executed_cells, len(execution.errors)) == (2, 1)
    assert text(outputs(execution, store)[2]) == "three\n"


def test_a_cell_that_never_ends_is_stopped(run: Run, store: Store) -> None:
    result = run("never_ends", cell_seconds=4)
    execution = stopped(result)
    assert result.status == "timeout" and codes(result) == ["cell-timeout"]
    assert "Cell 2 was still running after 4 s" in result.reason
    assert execution.executed_cells == 1
    assert text(outputs(execution, store)[0]) == "before\n"
    assert result.usage.seconds < 60


@pytest.mark.alone  # what there is must be sent within seconds
def test_a_notebook_that_takes_too_long_in_all_is_stopped_in_time_to_send_what_there_is(run: Run) -> None:
    result = run("too_long_in_all", wall_seconds=14, cell_seconds=10)
    execution = stopped(result)
    assert result.status == "timeout" and codes(result) == ["notebook-timeout"]
    assert execution.executed_cells < execution.code_cells


def test_a_kernel_that_exits_is_no_pass(run: Run) -> None:
    result = run("exits")
    execution = stopped(result)
    assert result.status == "killed" and codes(result) == ["notebook-runner-killed"]
    assert execution.executed_cells == 1 and execution.errors[0].kind == "died"


def test_killing_the_runner_is_no_pass(run: Run) -> None:
    result = run("kills_its_parent")
    assert isinstance(result, Failed)
    assert result.status == "killed" and codes(result) == ["notebook-runner-killed"]


def test_running_out_of_memory_is_said_as_that(run: Run) -> None:
    result = run("takes_all_memory", memory=600 * 10**6)
    assert isinstance(result, FailedExecution)
    assert result.status == "memory" and codes(result) == ["notebook-memory"]


def test_a_flood_of_outputs_is_cut_and_the_run_goes_on(run: Run, store: Store) -> None:
    result = run("floods_its_output")
    assert isinstance(result, Done), result
    assert codes(result) == ["output-truncated"]
    assert result.value.notebook.bytes < 8 * 2**20
    assert text(outputs(result.value, store)[-1]) == "the end\n"


def test_outputs_are_plain_text_and_images_only(run: Run, store: Store) -> None:
    result = run("shows_all_kinds")
    assert isinstance(result, Done), result
    cells = outputs(result.value, store)
    shown = [output["data"] for cell in cells for output in cell if "data" in output]
    assert {kind for data in shown for kind in data} == {"text/plain", "image/png"}
    assert "alert" not in json.dumps(shown)
    assert [output["data"]["text/plain"] for output in cells[1]] == [["plain evil"]]
    (plot,) = [data["image/png"] for data in shown if "image/png" in data]
    assert max(Image.open(io.BytesIO(base64.b64decode("".join(plot)))).size) <= 1000


def test_nobody_answers_input(run: Run) -> None:
    result = run("asks_for_input")
    assert result.status == "failed" and "StdinNotImplementedError" in result.reason
    assert result.usage.seconds < 60


@pytest.mark.parametrize("name", ["no_json", "for_r"])
def test_what_is_no_python_notebook_is_refused_with_a_reason(name: str, run: Run) -> None:
    result = run(name)
    assert isinstance(result, Failed) and result.status == "rejected"
    assert codes(result) == ["notebook-unreadable"]
    assert "notebook.ipynb cannot be read" in result.reason


@pytest.mark.parametrize(
    ("name", "printed"), [("nbformat_3", "old but fine\n"), ("byte_order_mark_no_kernelspec", "hello\n")]
)
def test_old_and_odd_notebooks_run(name: str, printed: str, run: Run, store: Store) -> None:
    result = run(name)
    assert isinstance(result, Done), result
    assert text(outputs(result.value, store)[0]) == printed


def test_only_plain_files_are_collected(run: Run, store: Store) -> None:
    result = run("leaves_links")
    assert isinstance(result, Done), result
    assert {blob.path: store.path(blob).read_bytes() for blob in result.value.produced} == {"deep/model.pt": b"a model"}


def test_reaching_out_is_noticed_and_the_run_goes_on(run: Run, store: Store) -> None:
    result = run("reaches_out")
    assert isinstance(result, Done), result
    # An archive's whole address is noted beside its host: it may be an image set that can be given.
    assert (1, "http://example.com/data.zip") in result.value.network_attempts
    hosts = [(cell, what) for cell, what in result.value.network_attempts if "://" not in what]
    assert [(cell, what.split(":")[0]) for cell, what in hosts] == [
        (1, "example.com"),
        (2, "1.1.1.1"),
    ]
    assert result.value.outside_reads == ((3, "/etc/passwd"),)
    assert sorted(codes(result)) == ["network-attempt", "network-attempt", "outside-read"]
    assert text(outputs(result.value, store)[3]) == "goes on\n"


def test_forged_results_are_ignored(run: Run, store: Store) -> None:
    result = run("forges_its_result")
    execution = stopped(result)
    assert result.status == "failed" and "and then it fails" in result.reason
    assert (execution.executed_cells, execution.code_cells) == (1, 2)
    assert len(outputs(execution, store)) == 2


def test_no_notebook_is_nothing_to_run(store: Store, tmp_path: Path) -> None:
    nothing = Submission("id", "student", tmp_path, None, (), (), None, "0" * 64, ())
    context = StageContext(Bubblewrap(), store, LIMITS)
    assert isinstance(execute(nothing, None, ExecutionRules(), None, context), Skipped)
    assert isinstance(audit(nothing, AuditRules(OwnDataset(), False, None), context), Skipped)


def test_the_own_data_set_is_counted_by_class(store: Store, tmp_path: Path) -> None:
    root = readable_to_the_sandbox(tmp_path)
    for name, count in (("ball", 2), ("mug", 1)):
        (root / "dataset" / name).mkdir(parents=True)
        for number in range(count):
            noise = Image.effect_noise((64, 64), 80)  # a photograph that lies in two classes would be a fault
            noise.convert("RGB").save(root / "dataset" / name / f"{number}.JPG", "JPEG")
    (root / "dataset" / "mug" / "page.jpg").write_text("<html>")
    (root / "dataset" / "mug" / "Thumbs.db").write_text("not an image")
    handed_in = Submission("id", "student", root, None, (), (), Path("dataset"), "0" * 64, ())
    rules = AuditRules(OwnDataset(min_classes=2, min_images_per_class=1), False, None)
    result = audit(handed_in, rules, StageContext(Bubblewrap(), store, LIMITS))
    assert isinstance(result, Done), result
    assert result.value.classes == {"ball": 2, "mug": 1}
    assert result.value.unreadable == ("mug/page.jpg",)
    assert codes(result) == ["dataset-unreadable-images"]
