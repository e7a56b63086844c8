"""Where a graph multiplies tensors that depend on the pixels with given weights, and what else is on that path.

A weight that is summed up, compared or concatenated is only read as data: the answers may follow it without needing
it. A node uses a weight if it multiplies it with a tensor that depends on the pixels, as a layer does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from .onnx_model import nodes_inside

_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")  # a layer's own factors are its first two inputs
SAME_NUMBERS = ("Identity", "Transpose", "Reshape", "Cast", "Squeeze", "Unsqueeze", "Flatten")  # all kept, none added
_SIZES = ("Shape", "Size", "ConstantOfShape")  # their outputs depend on an input's sides, not on its pixels

_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Min", "Max", "Sum")
_MOVES = ("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Cast", "Pad", "Concat")
_QUANTISES = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
# What image pipelines do to pixels before the first layer.
_PREPARES = (
    *_ARITHMETIC, *_MOVES, *_QUANTISES, "Slice", "Split", "Gather", "Resize", "Upsample", "Clip", "BatchNormalization",
)  # fmt: skip
# What stands between the layers of VGG, ResNet, MobileNet and EfficientNet, in torch's and in TensorFlow's exports.
_BETWEEN = (
    *_ARITHMETIC, *_MOVES, "BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid",
    "HardSwish", "Swish", "Tanh", "Elu", "Erf", "Gelu", "Dropout", "LRN", "MaxPool", "AveragePool",
    "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", *_QUANTISES,
)  # fmt: skip
# Operators with which a graph can branch on its input. No classifier of a course needs one.
_CHOICES = (
    "If", "Where", "Loop", "Scan", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "Not", "And", "Or",
    "Xor", "IsNaN", "IsInf", "Sign", "Round", "Floor", "Ceil", "ArgMax", "ArgMin", "TopK", "OneHot", "NonZero",
    "Compress", "GatherND", "GatherElements", "ScatterND", "ScatterElements", "Hardmax", "Mod",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    """A node that uses a weight: its index in the graph, and the index and name of the input that is the weight."""

    weight: str
    node: int
    position: int
    given: str


@dataclass(frozen=True, slots=True)
class BackbonePath:
    """How a graph uses weights. `uses` are in execution order."""

    uses: tuple[Use, ...]
    read_as_data: tuple[str, ...]  # weights that no layer multiplies with anything that depends on the pixels
    plain: bool  # only operators that image networks have lie before and between the layers, and none that branches


def backbone_path(model: Any, names: Iterable[str], input: str, weights: Mapping[str, NDArray[Any]]) -> BackbonePath:
    """How the graph uses the weights `names`. `input`: the image's name; `weights`: all of the graph's, by name."""
    nodes, names = list(model.graph.node), list(dict.fromkeys(names))
    seen = _following(nodes, {input})
    carried = _carriers(nodes, names)
    uses = []
    for index, node in enumerate(nodes):
        if node.op_type not in _LAYERS:
            continue
        for position, other in ((1, 0), (0, 1)):
            given = node.input[position]
            if given in carried and node.input[other] in seen and given not in seen:
                uses.append(Use(carried[given], index, position, given))
    used = {use.weight for use in uses}
    return BackbonePath(
        tuple(uses), tuple(name for name in names if name not in used), _plain(nodes, uses, seen, weights)
    )


def image_dependent(model: Any, input: str) -> set[str]:
    """The names of all tensors whose numbers depend on the image."""
    return _following(list(model.graph.node), {input})


def _following(nodes: list[Any], start: set[str]) -> set[str]:
    """`start`, and the names of all tensors whose numbers depend on one of these."""
    found = set(start)
    for node in nodes:  # nodes are in execution order
        read = set(_numbers_read(node))
        if node.op_type not in _SIZES and not found.isdisjoint(read):
            found.update(node.output)
    return found


class Passages:
    """Finds passages: consecutive layers that everything computed by earlier layers of the backbone must pass through.

    In a chain each layer is a passage. In a network with shortcuts a passage includes all parallel layers.
    """

    def __init__(self, model: Any, uses: Sequence[Use], input: str) -> None:
        nodes = list(model.graph.node)
        seen = _following(nodes, {input})
        numbers = {use.node: k for k, use in enumerate(uses)}
        self._count, self._input, self._answer = len(uses), input, model.graph.output[0].name
        self._steps = []
        for index, node in enumerate(nodes):
            read = {name for name in _numbers_read(node) if name in seen}
            if read and not seen.isdisjoint(node.output):
                self._steps.append((read, list(node.output), numbers.get(index)))

    def spread_out(self, parts: int) -> list[range]:
        """The shortest passages whose first layers are nearest to the starts of `parts` equal parts."""
        found: dict[int, range] = {}
        for part in range(parts):
            wanted = part * self._count // parts
            for start in sorted(range(self._count), key=lambda start: abs(start - wanted)):
                if self._blocks(range(start, self._count)):
                    found[start] = self._shortest(start)
                    break
        return list(found.values())

    def _shortest(self, start: int) -> range:
        low, high = start + 1, self._count
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._blocks(range(start, middle)) else (middle + 1, high)
        return range(start, low)

    def _blocks(self, layers: range) -> bool:
        """Whether the output of every other layer reaches the answer only through these layers."""
        pixels, made = {self._input}, set[str]()
        for read, outputs, number in self._steps:
            if number is not None and number in layers:
                continue
            if not made.isdisjoint(read) or (number is not None and not pixels.isdisjoint(read)):
                made.update(outputs)
            elif not pixels.isdisjoint(read):
                pixels.update(outputs)
        return self._answer not in made


def _carriers(nodes: list[Any], names: list[str]) -> dict[str, str]:
    """Tensor -> the weight whose numbers it holds, exactly these."""
    found = {name: name for name in names}
    for node in nodes:
        if node.op_type in SAME_NUMBERS and node.input[0] in found and node.output[0] not in found:
            found[node.output[0]] = found[node.input[0]]
    return found


def _plain(nodes: list[Any], uses: list[Use], seen: set[str], weights: Mapping[str, NDArray[Any]]) -> bool:
    if any(node.op_type in _CHOICES and _reads(node, seen) for node in nodes):
        return False
    members = {use.node for use in uses}
    behind = _following(nodes, {name for index in members for name in nodes[index].output})
    wanted = {name for index in members for name in nodes[index].input if name in seen}
    for index in range(len(nodes) - 1, -1, -1):
        node = nodes[index]
        if wanted.isdisjoint(node.output) or not _reads(node, seen):
            continue
        if index not in members:
            allowed = _BETWEEN if _reads(node, behind) else _PREPARES
            if node.op_type not in allowed or not _small_factors(node, seen, weights):
                return False
        wanted.update(name for name in node.input if name in seen)
    return True


def _reads(node: Any, names: set[str]) -> bool:
    return any(name in names for name in _numbers_read(node))


def _numbers_read(node: Any) -> list[str]:
    """The tensors whose values a node's outputs can depend on, also those that its subgraphs read from outside."""
    if node.op_type == "CastLike":
        return list(node.input[:1])  # the second only gives its type
    return [name for inner in (node, *nodes_inside(node)) for name in inner.input]


def _small_factors(node: Any, seen: set[str], weights: Mapping[str, NDArray[Any]]) -> bool:
    """Whether arithmetic uses one number, or one for each channel; a larger table could be a layer."""
    if node.op_type not in _ARITHMETIC:
        return True
    own = [weights.get(name) for name in node.input if name not in seen]
    return all(tensor is not None and tensor.size == max(tensor.shape, default=1) for tensor in own)
