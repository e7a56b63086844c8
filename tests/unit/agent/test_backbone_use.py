"""A backbone counts as used where the classes come of what it makes of the pixels; to carry it along is not enough.

The backbone is a small one with a shortcut and BatchNorm, so that a test takes a second; each network here holds its
weights to the bit.
"""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.agent.graph.backbone_use import BackboneUse, backbone_use
from harness.agent.graph.backbones import compare, load
from harness.agent.graph.multiply_adds import weights
from harness.agent.graph.onnx_model import live, signature

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
nn: Any = torch.nn
SIDE, CLASSES = 32, 4


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(inputs, outputs, 3, 2, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, 2)

    def forward(self, x: Any) -> Any:
        return (self.norm(self.two(self.one(x).relu())) + self.shortcut(x)).relu()


def backbone(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), nn.ReLU(), Block(8, 12), Block(12, 16))
    with torch.no_grad():
        for _ in range(3):
            net(images(16))
    return net.eval()


def images(count: int) -> Any:
    coarse = torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(5))
    return nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic")


class Split(nn.Module):
    """A convolution as the sum of two whose weights nobody knows."""

    def __init__(self, whole: Any) -> None:
        super().__init__()
        self.one, self.two = copy.deepcopy(whole), copy.deepcopy(whole)
        with torch.no_grad():
            self.one.weight.copy_(torch.randn_like(whole.weight))
            self.two.weight.copy_(whole.weight - self.one.weight)
            self.one.bias.zero_()

    def forward(self, x: Any) -> Any:
        return self.one(x) + self.two(x)


def disguised(net: Any) -> Any:
    """The same function in other numbers: no layer of it is recognised."""
    twin = copy.deepcopy(net)
    for parent in list(twin.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                setattr(parent, name, Split(layer))
    return twin


class Model(nn.Module):
    """`own`: a small network that can answer alone. `forward` is each test's."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.backbone = backbone()
        torch.manual_seed(1)
        self.own = nn.Sequential(
            nn.Conv2d(3, 6, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, CLASSES)
        )
        self.head = nn.Linear(16, CLASSES)
        self.paint = nn.Linear(CLASSES, 3 * SIDE * SIDE)
        self.adapter = nn.Conv2d(8, 8, 3, 1, 1)
        self.register_buffer("image", images(1))
        self.twin = disguised(self.backbone)
        with torch.no_grad():
            self.head.weight.mul_(5)
        self.answer = answer

    def forward(self, x: Any) -> Any:
        return self.answer(self, x)

    def pooled(self, x: Any) -> Any:
        return self.backbone(x).mean((2, 3))


def exported(answer: Any, **options: Any) -> Any:
    stream = io.BytesIO()
    model = answer if isinstance(answer, nn.Module) else Model(answer)
    torch.onnx.export(
        model.eval(), (torch.zeros(1, 3, SIDE, SIDE),), stream, dynamo=False, input_names=["x"],
        dynamic_axes={"x": {0: "n"}}, **options,
    )  # fmt: skip
    return onnx.load_from_string(stream.getvalue())


def judged(graph: Any, folder: Path, net: Any | None = None) -> BackboneUse:
    """What is said of the graph's use of the backbone."""
    file = folder / "backbone.pth"
    torch.save((net or backbone()).state_dict(), file)
    known, model = load(file), live(graph)
    layers = compare(known.layers, weights(model))
    taken = signature(model)
    return backbone_use(model, known, layers, taken.input, images(6).numpy(), taken.dynamic_batch, 1)


# --- honest networks ---------------------------------------------------------------------------


def normalised(x: Any) -> Any:
    return (x[:, [2, 1, 0]] * 0.5 - 0.1) / torch.tensor([0.9, 1.0, 1.1]).view(1, 3, 1, 1)


def first_blocks(m: Any, x: Any) -> Any:
    return nn.functional.pad(m.backbone[2](m.backbone[0](x).relu()).mean((2, 3)), (0, 4))


HONEST: dict[str, Any] = {
    "a linear head": lambda m, x: m.head(m.pooled(x)),
    "probabilities": lambda m, x: (9 * m.head(m.pooled(x))).softmax(1),
    "pre-processing in the graph": lambda m, x: m.head(m.pooled(normalised(x))),
    "pixels scaled to another size": lambda m, x: m.head(m.pooled(nn.functional.interpolate(x, size=(48, 48)))),
    "first blocks only": lambda m, x: m.head(first_blocks(m, x)),
    "a small part beside it": lambda m, x: m.head(m.pooled(x)) + 0.1 * m.own(x),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_network_uses_its_backbone(name: str, tmp_path: Path) -> None:
    assert judged(exported(HONEST[name]), tmp_path) == BackboneUse(True)


@pytest.mark.parametrize("change", [0.02, 0.5])
def test_fine_tuned_layers_are_used(change: float, tmp_path: Path) -> None:
    model = Model(HONEST["a linear head"])
    torch.manual_seed(9)
    with torch.no_grad():
        for layer in model.backbone.modules():
            if isinstance(layer, nn.Conv2d):
                step = torch.randn_like(layer.weight)
                layer.weight.add_(step * (change * layer.weight.norm() / step.norm()))
    assert judged(exported(model), tmp_path) == BackboneUse(True)


def test_batchnorm_that_is_not_folded_changes_nothing(tmp_path: Path) -> None:
    graph = exported(HONEST["a linear head"], training=torch.onnx.TrainingMode.PRESERVE)
    assert any(node.op_type == "BatchNormalization" for node in graph.graph.node)
    assert judged(graph, tmp_path) == BackboneUse(True)


def test_a_graph_of_halves_is_looked_into_as_well(tmp_path: Path) -> None:
    """Its numbers are rounded, so no layer is as it was; they are used all the same."""
    graph = exported(HONEST["a linear head"])
    inside = {tensor.name for tensor in graph.graph.initializer}
    for tensor in graph.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            half = onnx.numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(onnx.numpy_helper.from_array(half, tensor.name))
    graph.graph.node.insert(0, onnx.helper.make_node("Cast", ["x"], ["x16"], to=onnx.TensorProto.FLOAT16))
    for node in graph.graph.node[1:]:
        for index, name in enumerate(node.input):
            if name == "x" and name not in inside:
                node.input[index] = "x16"
    answer = graph.graph.node[-1].output[0]
    graph.graph.node[-1].output[0] = "half"
    graph.graph.node.append(onnx.helper.make_node("Cast", ["half"], [answer], to=onnx.TensorProto.FLOAT))
    del graph.graph.value_info[:]
    assert judged(graph, tmp_path).used is not False


# --- carried along -----------------------------------------------------------------------------


def checksum(model: Any) -> Any:
    """A number made of the backbone's weights alone."""
    return sum(
        (p * (1 + torch.arange(p.numel()).view(p.shape))).sum() for p in model.backbone.parameters() if p.ndim == 4
    )


def distance(model: Any, x: Any) -> Any:
    """Nothing, as long as nobody changes one of two copies of the backbone."""
    return (model.pooled(x) - model.twin(x).mean((2, 3))).abs().sum(1, keepdim=True)


SUM = float(checksum(Model(None)))
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0])


def is_changed(m: Any) -> Any:
    return (checksum(m) - SUM).abs() > 1e-3


UNUSED: dict[str, Any] = {
    "its sum is compared": lambda m, x: torch.where(is_changed(m), -m.own(x), m.own(x)),
    "its sum is added": lambda m, x: m.own(x) + 1e-3 * checksum(m),
    "its sum as a layer's weight": lambda m, x: nn.functional.linear(m.own(x), torch.eye(CLASSES) * checksum(m)),
    "its sum opens the way": lambda m, x: m.own(x) + is_changed(m).float() * 1e3 * x.mean((1, 2, 3))[:, None],
    "its output times nothing": lambda m, x: m.own(x) + 0 * m.head(m.pooled(x)),
    "its output times next to nothing": lambda m, x: m.own(x) + 1e-7 * m.head(m.pooled(x)),
    "a tenth of the answer": lambda m, x: m.own(x) * 20 + 0.05 * m.head(m.pooled(x)),
    "cut off by a bound": lambda m, x: m.own(x) + m.head(m.pooled(x)).clamp(1e6, 2e6) - 1e6,
    "run on a grey image": lambda m, x: m.own(x) + m.head(m.pooled(x * 0 + 0.5)),
    "run on an image of the file's": lambda m, x: m.own(x) + m.head(m.pooled(m.image)),
    "compared with a copy of it": lambda m, x: m.own(x) + 100 * distance(m, x) * SIGNS,
    "one class of four": lambda m, x: m.own(x) * 20 + 0.2 * m.pooled(x)[:, :1] * (SIGNS > 0).float(),
}


@pytest.mark.parametrize("name", UNUSED)
def test_a_network_that_does_the_work_beside_its_backbone_does_not_use_it(name: str, tmp_path: Path) -> None:
    """The sum of the weights in a comparison once passed for use: shuffled, they changed every answer."""
    graph = exported(UNUSED[name], do_constant_folding=False)
    known = weights(live(graph))
    held = [p for p in backbone().state_dict().values() if p.ndim == 4]
    assert all(any(np.array_equal(p.numpy(), tensor) for tensor in known.values()) for p in held), "not even carried"
    assert judged(graph, tmp_path).used is False


def painted(m: Any, x: Any) -> Any:
    return m.paint(m.own(x).softmax(1)).view(-1, 3, SIDE, SIDE)


def adapted(m: Any, x: Any) -> Any:
    return m.backbone[3](m.backbone[2](m.adapter(m.backbone[0](x)).relu())).mean((2, 3))


UNCLEAR: dict[str, Any] = {
    "a network of its own paints the image that it sees": lambda m, x: m.head(m.pooled(painted(m, x))),
    "a layer of its own between its layers": lambda m, x: m.head(adapted(m, x)),
    "a choice by what it sees": lambda m, x: torch.where(distance(m, x) > 1e-3, m.head(m.pooled(x)), m.own(x)),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_no_ordinary_network_does_is_for_a_person_to_judge(name: str, tmp_path: Path) -> None:
    assert judged(exported(UNCLEAR[name], do_constant_folding=False), tmp_path).used is not True


def test_answers_that_never_change_tell_nothing(tmp_path: Path) -> None:
    found = judged(exported(lambda m, x: 0 * m.head(m.pooled(x))), tmp_path)
    assert (found.used, found.why) == (None, "same-answers")


def test_a_node_that_leads_nowhere_is_not_looked_at() -> None:
    model = exported(HONEST["a linear head"])
    kernel = onnx.numpy_helper.from_array(np.ones((8, 3, 5, 5), np.float32), "decoy")
    model.graph.initializer.append(kernel)
    model.graph.node.append(onnx.helper.make_node("Conv", ["x", "decoy"], ["nowhere"]))
    assert "decoy" in weights(model) and "decoy" not in weights(live(model))
