"""Weights that a notebook saves without their model are graded with the model that the notebook built."""

from __future__ import annotations

import nbformat
import numpy as np
import pytest

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import ExecutionRules
from harness.inputs.submissions import collect
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages import model_selection
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.store import Store

CLASSES = ("ball", "bottle", "mug")
TORCH = """import torch
from torch import nn
class Objects(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(4, classes)
    def forward(self, image):
        return self.head(self.body(image))
def train():
    model = Objects(3)
    torch.save(model.state_dict(), 'results/my weights.pth')
    with torch.no_grad():
        model.head.bias += 100  # what is in memory is not what was saved
    return lambda: model
"""
KEPT = """import os
os.makedirs('results')
train_again = train()
other = Objects(7)
torch.save({'epoch': 3, 'state_dict': Objects(3).state_dict()}, 'checkpoint.pth.tar')
torch.save({'strange': torch.zeros(3)}, 'nobodys.pt')"""
KERAS = """import keras
network = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(4, 3),
                            keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, activation='softmax')])
network.save_weights('best.weights.h5')"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Execution, tuple[HandedModel, ...], StageContext]:
    folder = tmp_path_factory.mktemp("whole")
    cells = [nbformat.v4.new_code_cell(source) for source in (TORCH, KEPT, KERAS)]
    place = folder / "in" / "mia"
    place.mkdir(parents=True)
    (place / "notebook.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    (submission,) = collect(folder / "in", folder / "taken")
    limits = ResourceLimits(wall_seconds=240, cell_seconds=120, memory=4 * 10**9, cpus=2)
    context = StageContext(Bubblewrap(), Store(folder / "store"), limits)
    result = execute(submission, None, ExecutionRules(), None, context)
    assert isinstance(result, Done), result
    made = model_selection.made(submission, result, context.store)
    return result.value, made, context


def test_each_file_of_weights_became_a_whole_model_under_its_own_name(ran) -> None:
    execution, models, _ = ran
    found = {model.shown: model.kind for model in models}
    assert found == {
        "checkpoint.pth.tar": "torchscript",
        "results/my weights.pth": "torchscript",
        "best.weights.h5": "keras",
        "nobodys.pt": "torch-weights",
    }
    assert execution.complete and execution.code_cells == 3, "what saves them is no cell of the notebook"


@pytest.mark.parametrize("name", ["results/my weights.pth", "checkpoint.pth.tar", "best.weights.h5"])
def test_it_is_graded_as_it_was_saved(name: str, ran) -> None:
    _, models, context = ran
    (model,) = [one for one in models if one.shown == name]
    converted = convert(model, CLASSES, (), None, context)
    assert isinstance(converted, Done), converted
    assert converted.value.outputs == 3
    if name == "results/my weights.pth":
        import onnxruntime

        session = onnxruntime.InferenceSession(context.store.path(converted.value.model))
        side = (converted.value.preprocess.height, converted.value.preprocess.width)
        answer = session.run(None, {session.get_inputs()[0].name: np.zeros((1, 3, *side), np.float32)})[0]
        assert np.abs(answer).max() < 50, "the bias that was changed after saving"
