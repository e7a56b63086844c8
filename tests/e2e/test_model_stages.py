"""A converted model through inspect, benchmark and predict, and the reference's training, for real."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import CLASSES, FACTORIES, torch_model, write_images, write_torch

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules, ReferenceSolution, Robustness
from harness.inputs.images import StagedImages
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.benchmark import benchmark
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.inspect import inspect
from harness.stages.predict import predict
from harness.stages.robustness import Trial, run_robustness
from harness.stages.store import Store
from harness.stages.train import train

RULES = BenchmarkRules(queries=64, warm_up_seconds=0.2, min_seconds=0.2)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    limits = ResourceLimits(wall_seconds=240, cell_seconds=60, memory=4 * 10**9, cpus=2)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> StagedImages:
    folder = tmp_path_factory.mktemp("images")
    names = tuple(file.name for file in reversed(write_images(folder, 12)))
    return StagedImages(folder, names, "0" * 64)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pre-trained weights that students start from."""
    file = tmp_path_factory.mktemp("weights") / "mobilenet_v2.pth"
    write_torch(torch_model("mobilenet_v2"), "state_dict", file)
    return file


def handed_in(
    model: Any, format: str, folder: Path, context: StageContext, images: StagedImages, factory: str = ""
) -> Conversion:
    file = folder / "model"
    write_torch(model, format, file)
    companions = {}
    for name, text in (("model.py", factory), ("labels.txt", "\n".join(CLASSES))):
        if text:
            (folder / name).write_text(text)
            companions[name] = folder / name
    images = [images.folder / name for name in images.names]
    result = convert(HandedModel(file, companions), CLASSES, images, None, context)
    assert isinstance(result, Done), result
    return result.value


def moved(change: float) -> Any:
    """The network with a new head, and every convolution moved by `change` of its size."""
    import torch

    model = copy.deepcopy(torch_model("mobilenet_v2"))
    torch.manual_seed(7)
    with torch.no_grad():
        model.classifier[1].weight.normal_(0, 0.1)
        for layer in model.modules():
            if change and isinstance(layer, torch.nn.Conv2d):
                step = torch.randn_like(layer.weight)
                layer.weight.add_(step * (change * layer.weight.norm() / step.norm()))
    return model


@pytest.mark.parametrize("format", ["state_dict", "onnx", "exported_static", "traced"])
def test_a_frozen_backbone_is_proven_whatever_the_route(
    format: str, context: StageContext, staged: StagedImages, backbone: Path, tmp_path: Path
) -> None:
    """`onnx` is torch's default export, which multiplies BatchNorm into the convolutions."""
    conversion = handed_in(moved(0), format, tmp_path, context, staged, FACTORIES["mobilenet_v2"])
    result = inspect(conversion, {"mobilenet_v2": backbone}, staged, len(CLASSES), context)
    assert isinstance(result, Done), result
    assert result.value.weights_say == "feature-extraction"
    assert (result.value.frozen_layers, len(result.value.layers)) == (52, 52)
    assert result.value.weights_used and result.value.outputs_fit
    assert (result.value.moved_layers, result.value.new_layers) == (0, 1)
    assert result.value.trainable_parameters == 1280 * 5 + 5
    assert result.value.multiply_adds == pytest.approx(0.30e9, rel=0.01)


@pytest.mark.parametrize(("change", "codes"), [(0.01, []), (0.4, ["no-layer-frozen"])])
def test_fine_tuning_is_told_from_forgetting_to_freeze(
    change: float, codes: list[str], context: StageContext, staged: StagedImages, backbone: Path, tmp_path: Path
) -> None:
    conversion = handed_in(moved(change), "state_dict", tmp_path, context, staged, FACTORIES["mobilenet_v2"])
    result = inspect(conversion, {"mobilenet_v2": backbone}, staged, len(CLASSES), context)
    assert isinstance(result, Done), result
    assert (result.value.weights_say, result.value.frozen_layers) == ("fine-tuned", 0)
    assert result.value.median_change == pytest.approx(change, rel=0.1)
    assert [f.code for f in result.findings] == codes


def test_a_small_network_of_its_own_is_from_scratch(
    context: StageContext, staged: StagedImages, backbone: Path, tmp_path: Path
) -> None:
    conversion = handed_in(torch_model("tiny"), "traced", tmp_path, context, staged)
    result = inspect(conversion, {"mobilenet_v2": backbone}, staged, len(CLASSES), context)
    assert isinstance(result, Done) and result.value.weights_say == "from-scratch"
    assert result.value.backbone is None
    assert [f.code for f in result.findings] == ["trained-from-scratch"]


DECOY_PY = """
import torch, torchvision
from torch import nn

class Decoy(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.backbone = torchvision.models.mobilenet_v2(weights=None).features
        self.own = nn.Conv2d(3, 16, 7, 4)
        self.head = nn.Linear(16, classes)

    def forward(self, x):
        own = self.head(torch.relu(self.own(x)).mean((2, 3)))
        return own + 1e-9 * self.backbone(x).mean((1, 2, 3))[:, None]

def build_model(num_classes):
    return Decoy(num_classes)
"""


def test_a_backbone_that_is_only_carried_along_is_no_feature_extraction(
    context: StageContext, staged: StagedImages, backbone: Path, tmp_path: Path
) -> None:
    import torch

    space: dict[str, Any] = {}
    exec(DECOY_PY, space)
    torch.manual_seed(0)
    decoy = space["build_model"](len(CLASSES))
    decoy.backbone.load_state_dict(torch_model("mobilenet_v2").features.state_dict())
    conversion = handed_in(decoy.eval(), "onnx", tmp_path, context, staged)
    result = inspect(conversion, {"mobilenet_v2": backbone}, staged, len(CLASSES), context)
    assert isinstance(result, Done), result
    assert (result.value.weights_say, result.value.weights_used, result.value.frozen_layers) == (
        "from-scratch",
        False,
        0,
    )
    assert [f.code for f in result.findings] == ["backbone-unused"]


def test_a_head_as_torch_made_it_is_recognised(
    context: StageContext, staged: StagedImages, backbone: Path, tmp_path: Path
) -> None:
    import torch

    model = copy.deepcopy(torch_model("mobilenet_v2"))
    torch.manual_seed(11)
    model.classifier[1] = torch.nn.Linear(1280, len(CLASSES))
    conversion = handed_in(model.eval(), "onnx", tmp_path, context, staged)
    result = inspect(conversion, {"mobilenet_v2": backbone}, staged, len(CLASSES), context)
    assert isinstance(result, Done), result
    assert (result.value.weights_say, result.value.head_initialised_as) == ("feature-extraction", "torch's Linear")


def test_worse_images_images_of_no_class_and_covered_ones_in_one_sandbox(
    context: StageContext, staged: StagedImages, tmp_path: Path
) -> None:
    conversion = handed_in(torch_model("tiny"), "traced", tmp_path, context, staged)
    rules = Robustness(severities=(1, 5), images=6)
    tried = Trial(rules, images=(3, 0, 5), covered=(1, 7), unseen=None)
    result = run_robustness(conversion, tried, staged, context)
    assert isinstance(result, Done), result
    value = result.value
    rows = np.load(context.store.path(value.corrupted))
    assert rows.shape == (1 + 9 * 2, 3, 5) and len(value.versions) == 18
    kept = np.load(context.store.path(predictions_of(conversion, context, staged).probabilities))
    assert np.abs(rows[0] - kept[[3, 0, 5]]).max() < 0.2, "the first are the images as they are, only smaller"
    assert np.ptp(rows, axis=0).max() > 0.01, "and the others are not"
    assert np.load(context.store.path(value.unseen)).shape == (30, 5) and value.unseen_source == "patterns"
    assert [look.image for look in value.occlusion_maps] == [1, 7]
    assert np.array(value.occlusion_maps[0].drops).shape == (8, 8)
    again = run_robustness(conversion, tried, staged, context)
    assert isinstance(again, Done) and again.value.corrupted.sha256 == value.corrupted.sha256
    faultless = run_robustness(conversion, Trial(rules, images=(3,), covered=(), unseen=None), staged, context)
    assert isinstance(faultless, Done), "a model without mistakes has nothing to be covered"
    assert faultless.value.occlusion_maps == ()


@pytest.fixture(scope="module")
def pair(
    context: StageContext, staged: StagedImages, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Conversion, Conversion]:
    """The small network and MobileNetV2."""
    made = [
        handed_in(torch_model(name), "onnx", tmp_path_factory.mktemp(name), context, staged)
        for name in ("tiny", "mobilenet_v2")
    ]
    return made[0], made[1]


def predictions_of(conversion: Conversion, context: StageContext, staged: StagedImages) -> Predictions:
    result = predict(conversion, staged, context)
    assert isinstance(result, Done), result
    return result.value


@pytest.mark.alone  # it compares times
def test_a_model_is_timed_beside_the_reference(
    pair: tuple[Conversion, Conversion], context: StageContext, staged: StagedImages
) -> None:
    tiny, mobilenet = pair
    kept = predictions_of(tiny, context, staged)
    result = benchmark(tiny, mobilenet, kept, staged, RULES, context)
    assert isinstance(result, Done), result
    value = result.value
    assert value.outputs_agree
    assert value.model.queries >= 64 and value.reference is not None and value.reference.queries >= 64
    assert value.model.p50_ms <= value.model.p90_ms <= value.model.p99_ms
    assert value.ratio is not None and value.ratio < 1, "300 times the work takes longer"
    assert value.model.peak_memory_bytes > 10 * 2**20
    assert value.threads == value.cpus <= 2
    assert len(value.latencies_ms) == value.model.queries


def test_a_model_that_answers_otherwise_while_it_is_timed_is_found(
    pair: tuple[Conversion, Conversion], context: StageContext, staged: StagedImages
) -> None:
    tiny, mobilenet = pair
    other = predictions_of(mobilenet, context, staged)
    result = benchmark(tiny, None, other, staged, RULES, context)
    assert isinstance(result, Done) and not result.value.outputs_agree
    assert "benchmark-outputs-differ" in [f.code for f in result.findings]


def test_a_model_that_has_no_onnx_form_is_graded_as_it_is(
    context: StageContext, staged: StagedImages, tmp_path: Path
) -> None:
    """It leaves torch in mid-way, so that tracing it gives a constant."""
    factory = FACTORIES["tiny"].replace(
        "return self.head(self.drop(self.body(x)))",
        "import torch, numpy\n        return self.head(torch.from_numpy(numpy.tanh(self.body(x).detach().numpy())))",
    )
    conversion = handed_in(torch_model("tiny"), "state_dict", tmp_path, context, staged, factory)
    assert conversion.native and conversion.factory is not None
    assert conversion.max_abs_difference is None
    kept = predictions_of(conversion, context, staged)
    rows = np.load(context.store.path(kept.probabilities))
    assert rows.shape == (12, 5) and np.ptp(rows, axis=0).max() > 0.01


def test_a_head_with_its_backbone_by_reference(
    context: StageContext, staged: StagedImages, backbone: Path, tmp_path: Path
) -> None:
    """model.py loads the pre-trained weights from the mounted folder; the state dict holds the head only."""
    import torch

    hub = tmp_path / "torch_home" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    state = torch.load(backbone)
    state["classifier.1.weight"], state["classifier.1.bias"] = torch.zeros(1000, 1280), torch.zeros(1000)
    torch.save(state, hub / "mobilenet_v2-b0353104.pth")
    factory = FACTORIES["mobilenet_v2"].replace("weights=None", 'weights="IMAGENET1K_V1"')
    (tmp_path / "model.py").write_text(factory)
    model = moved(0)
    head = {k: v for k, v in model.state_dict().items() if k.startswith("classifier")}
    torch.save(head, tmp_path / "head.pth")
    handed = HandedModel(tmp_path / "head.pth", {"model.py": tmp_path / "model.py"})
    result = convert(handed, CLASSES, (), tmp_path / "torch_home", context)
    assert isinstance(result, Done) and not result.value.native
    inspected = inspect(result.value, {"mobilenet_v2": backbone}, staged, len(CLASSES), context)
    assert isinstance(inspected, Done) and inspected.value.weights_say == "feature-extraction"

    incomplete = dict(list(torch.load(backbone).items())[:100])
    torch.save(incomplete, tmp_path / "half.pth")
    (tmp_path / "model.py").write_text(FACTORIES["mobilenet_v2"])
    half = convert(HandedModel(tmp_path / "half.pth", handed.companions), CLASSES, (), None, context)
    assert isinstance(half, Failed) and "the weights lack" in half.whole_reason


@pytest.mark.parametrize(
    ("body", "status"),
    [("while bool(torch.ones(1) > 0):\n            x = x + 1", "timeout"), ("x = torch.zeros(200000, 200000)", "")],
)
def test_a_script_that_never_ends_or_wants_all_memory(
    body: str, status: str, context: StageContext, tmp_path: Path
) -> None:
    import importlib.util

    source = tmp_path / "endless.py"
    source.write_text(
        "import torch\n\nclass Endless(torch.nn.Module):\n    def forward(self, x: torch.Tensor) -> torch.Tensor:\n"
        f"        {body}\n        return x.mean((2, 3))\n"
    )
    spec = importlib.util.spec_from_file_location("endless", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["endless"] = module
    spec.loader.exec_module(module)
    write_torch(module.Endless(), "scripted", tmp_path / "model.pt")
    short = context.limits.model_copy(update={"wall_seconds": 15.0, "cell_seconds": 15.0})
    place = StageContext(context.sandbox, context.store, short)
    result = convert(HandedModel(tmp_path / "model.pt"), CLASSES, (), None, place)
    assert isinstance(result, Failed), result
    assert not status or result.status == status


REFERENCE = """
import json
from pathlib import Path

def train(train_dir, out_dir, *, backbone, weights, seed, fine_tune_epochs):
    classes = sorted(folder.name for folder in Path(train_dir).iterdir())
    (out_dir / "model.onnx").write_bytes(Path(weights).read_bytes())
    (out_dir / "labels.txt").write_text("\\n".join(classes))
    (out_dir / "handin.json").write_text(json.dumps([backbone, seed, fine_tune_epochs]))
"""


def test_the_reference_code_is_given_what_the_assignment_says(context: StageContext, tmp_path: Path) -> None:
    for name in CLASSES:
        write_images(tmp_path / "train" / name, 1)
    (tmp_path / "train").chmod(0o755)
    (tmp_path / "transfer.py").write_text(REFERENCE)
    (tmp_path / "weights.pth").write_bytes(b"the weights")
    spec = ReferenceSolution(code=tmp_path / "transfer.py", backbone="vgg16", seed=5, fine_tune_epochs=2)
    result = train(spec, tmp_path / "train", tmp_path / "weights.pth", context)
    assert isinstance(result, Done), result
    read: Callable[[Any], bytes] = lambda blob: context.store.path(blob).read_bytes()  # noqa: E731
    assert read(result.value.model) == b"the weights"
    assert read(result.value.labels).decode().split("\n") == sorted(CLASSES)
    assert json.loads(read(result.value.handin)) == ["vgg16", 5, 2]
    assert result.value.seconds > 0
