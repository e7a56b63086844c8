"""Notebooks on TensorFlow as students write them: Colab, an old book, a tutorial; each ends with a model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from readable import readable_to_the_sandbox

from harness.inputs.assignment import Assignment
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ExecutionRules
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.imports import imported_modules
from harness.sandbox import KERAS, TORCH
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages import model_selection as models
from harness.stages.context import StageContext
from harness.stages.convert import convert
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.environment import choose
from harness.stages.execute.stage import execute
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=400, cell_seconds=300, memory=4 * 10**9, cpus=2)
CLASSES = ("ball", "bottle", "mug")
COURSES_OWN = Path(__file__).parents[2] / "reference_solution" / "classification" / "solution_keras.ipynb"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten images of each class."""
    folder = readable_to_the_sandbox(tmp_path_factory.mktemp("images"))
    for index, name in enumerate(CLASSES):
        (folder / name).mkdir()
        for number in range(10):
            colour = tuple(200 if channel == index else 20 + number for channel in range(3))
            Image.new("RGB", (64, 64), colour).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.usefixtures("keras_built")
@pytest.mark.parametrize(
    ("name", "looked_for", "source_format", "rules"),
    [
        ("tensorflow_on_colab", ("/content/objects", "objects.zip"), "keras", {"paths"}),
        ("tensorflow_by_the_old_book", ("cats_and_dogs_small/train",), "keras", {"paths"}),
        ("tensorflow_from_a_tutorial", ("flower_photos",), "saved_model", set()),
    ],
)
def test_a_notebook_on_tensorflow_ends_with_a_model(
    name: str,
    looked_for: tuple[str, ...],
    source_format: str,
    rules: set[str],
    handins: dict[str, Submission],
    vgg16: tuple[Assignment, Path],
    images: Path,
    tmp_path: Path,
) -> None:
    handed_in, engine, store = handins[name], Bubblewrap(), Store(tmp_path / "store")
    assert handed_in.notebook is not None
    imports = imported_modules(handed_in.root / handed_in.notebook)
    assert choose(imports, (TORCH, KERAS), engine) is KERAS
    dataset = Dataset(path=images, names=looked_for)
    place = StageContext(engine, store, LIMITS, KERAS)
    result = execute(handed_in, dataset, ExecutionRules(), vgg16[1], place)
    assert isinstance(result, Done), result.reason
    assert rules <= {rule for change in result.value.changes for rule in change.rules}
    made = models.made(handed_in, result, store)[0]
    assert "labels.txt" in made.companions
    converted = convert(made, CLASSES, (), None, StageContext(engine, store, LIMITS))
    assert isinstance(converted, Done), converted.reason
    assert (converted.value.source_format, converted.value.labels) == (source_format, CLASSES)
    executed = json.loads(store.path(result.value.notebook).read_bytes())
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", ())]
    assert not any(output["output_type"] == "error" for output in outputs)


@pytest.mark.usefixtures("keras_built")
def test_the_courses_own_notebook_runs_as_it_is(vgg16: tuple[Assignment, Path], images: Path, tmp_path: Path) -> None:
    """The solution with VGG16, on few images: nothing in it is changed, and it loads again what it saved."""
    (tmp_path / "in" / "the-course").mkdir(parents=True)
    shutil.copy(COURSES_OWN, tmp_path / "in" / "the-course")
    (handed_in,) = collect(tmp_path / "in", readable_to_the_sandbox(tmp_path))
    engine, store = Bubblewrap(), Store(tmp_path / "store")
    place = StageContext(engine, store, LIMITS, KERAS)
    result = execute(handed_in, Dataset(path=images), ExecutionRules(), vgg16[1], place)
    assert isinstance(result, Done), result.reason
    assert result.value.changes == () and result.value.network_attempts == ()
    assert {"model.keras", "labels.txt", "handin.json"} <= {made.path for made in result.value.produced}
    executed = json.loads(store.path(result.value.notebook).read_bytes())
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", ())]
    said = "".join("".join(output.get("text", "")) for output in outputs)
    assert "block5_conv3" in said and "new photographs:" in said and "validation accuracy before" in said
