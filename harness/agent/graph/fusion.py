"""The graph as an inference engine runs it: each convolution or matrix product is fused with what follows it.

The rules that TensorRT and similar engines share: BatchNorm is folded into the weights before it; activations,
residual additions and other elementwise operators join the kernel that made their input, unless another node reads
that input too; views, shape arithmetic, constants and changes of layout cost nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from .multiply_adds import multiply_adds
from .operators import ELEMENTWISE, FACTORS, SHAPES, SIZED_BY, VIEWS, Kind, kind_of, operations_per_element
from .shapes import Shape

_LAYOUTS = ([0, 2, 3, 1], [0, 3, 1, 2])  # NCHW <-> NHWC: an engine chooses its own layout
_FOLLOWED = 12  # elementwise nodes between the two ends of a diamond such as x * sigmoid(x)
_JOINABLE = ("convolution", "pointwise", "depthwise", "grouped", "dense", "product", "elementwise")


@dataclass(slots=True)
class Kernel:
    """One launch. Elements, not bytes: how wide one is depends on the precision."""

    kind: Kind
    name: str
    operations: int  # 2 for each multiply-add
    weights: int = 0  # elements of constants that it reads
    shape: Shape = ()  # of its largest constant
    nodes: int = 0  # operators of the graph in it, BatchNorm aside
    inputs: int = 0  # elements that it reads of other kernels' outputs
    outputs: int = 0  # elements of its output that others read
    members: list[Any] = field(default_factory=list)


def fuse(model: Any, shapes: dict[str, Shape], whole: set[str]) -> tuple[list[Kernel], dict[str, int]]:
    """The kernels in execution order, and counts of the operators whose work is not known.

    Those are unknown operators, and operators whose output size depends on the image's values.

    `shapes` and `whole` as `tensor_shapes` gives them for all tensors of the main graph.
    """
    return _Graph(model, shapes, whole).kernels()


class _Graph:
    """The nodes that become kernels; a name that is a view is resolved to the tensor it shows."""

    def __init__(self, model: Any, shapes: dict[str, Shape], whole: set[str]) -> None:
        self._shapes = shapes
        self._whole = whole
        self._constants = {tensor.name for tensor in model.graph.initializer}
        self._origin: dict[str, str] = {}
        self._all = model.graph.node
        self._nodes = [node for node in self._all if not self._vanishes(node)]
        self._readers: dict[str, list[Any]] = defaultdict(list)
        for node in self._nodes:
            for name in self._read(node):
                self._readers[name].append(node)
        self._results = {self._root(output.name) for output in model.graph.output}

    def kernels(self) -> tuple[list[Kernel], dict[str, int]]:
        made: list[Kernel] = []
        maker: dict[str, int] = {}
        unknown: dict[str, int] = defaultdict(int)
        for node in self._all:
            if self._is_sized_by_the_image(node):
                unknown[node.op_type] += 1
        for node in self._nodes:
            index = self._joined(node, made, maker) if node.op_type in ELEMENTWISE else None
            if index is None:
                index = len(made)
                made.append(self._first(node))
            kernel = made[index]
            kernel.members.append(node)
            kernel.nodes += node.op_type != "BatchNormalization"
            if node.op_type != "BatchNormalization":
                kernel.weights += sum(self._size(name) for name in map(self._root, node.input) if self._is_weight(name))
            if kernel.kind == "unknown":
                unknown[node.op_type] += 1
            maker.update((name, index) for name in node.output)
        for index, kernel in enumerate(made):
            self._measure(index, kernel, maker)
        return [kernel for kernel in made if kernel.outputs], dict(unknown)

    def _is_weight(self, name: str) -> bool:
        return name in self._constants and name not in self._whole

    def _vanishes(self, node: Any) -> bool:
        """Whether the node costs nothing; if so, its outputs are noted as constants or as aliases."""
        given = [name for name in node.input if name]
        outputs = [name for name in node.output if name]
        if node.op_type in SHAPES or (given and all(self._root(name) in self._constants for name in given)):
            self._constants.update(outputs)
            return True
        if node.op_type in VIEWS or (node.op_type == "Transpose" and self._is_layout(node)):
            self._origin[node.output[0]] = self._root(node.input[0])
            return True
        return False

    def _is_sized_by_the_image(self, node: Any) -> bool:
        places = (place for place in SIZED_BY.get(node.op_type, ()) if place < len(node.input))
        return any(node.input[place] and self._root(node.input[place]) not in self._constants for place in places)

    @staticmethod
    def _is_layout(node: Any) -> bool:
        return any(a.name == "perm" and list(a.ints) in _LAYOUTS for a in node.attribute)

    def _root(self, name: str) -> str:
        return self._origin.get(name, name)

    def _size(self, name: str) -> int:
        return math.prod(self._shapes.get(name, ()))

    def _read(self, node: Any) -> list[str]:
        """The non-constant tensors that the node reads, each once."""
        roots = dict.fromkeys(self._root(name) for name in node.input if name)
        return [name for name in roots if name not in self._constants]

    def _first(self, node: Any) -> Kernel:
        """A new kernel that begins with the node."""
        name = (node.name or node.output[0])[:120]
        constants = [self._shapes.get(name, ()) for name in map(self._root, node.input) if name in self._constants]
        shape = max(constants, key=math.prod, default=())
        if node.op_type in FACTORS:
            return Kernel(self._kind(node), name, 2 * multiply_adds(node, self._shapes), shape=shape[:6])
        kind = kind_of(node.op_type)
        elements = max(sum(map(self._size, node.output)), self._size(self._root(node.input[0])) if node.input else 0)
        if kind == "pool":
            window = next((math.prod(a.ints) for a in node.attribute if a.name == "kernel_shape"), 1)
            elements = max(elements, window * self._size(node.output[0]))
        return Kernel(kind, name, operations_per_element(kind) * elements, shape=shape[:6])

    def _kind(self, node: Any) -> Kind:
        first, second = FACTORS[node.op_type]
        if "Conv" not in node.op_type:
            constant = self._root(node.input[second]) in self._constants
            return "dense" if constant else "product"
        weight = self._shapes[node.input[second]]
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        if groups > 1:
            left = self._shapes[node.input[first]]
            return "depthwise" if groups == left[1] else "grouped"
        return "pointwise" if math.prod(weight[2:]) == 1 else "convolution"

    def _joined(self, node: Any, made: list[Kernel], maker: dict[str, int]) -> int | None:
        """The kernel that the elementwise node is fused into: the last one that it reads from, if the rules allow."""
        read = [name for name in self._read(node) if name in maker]
        if not read:
            return None
        last = max(read, key=lambda name: maker[name])
        kernel = made[maker[last]]
        if kernel.kind not in _JOINABLE or self._size(last) != self._size(node.output[0]):
            return None
        if kernel.kind == "elementwise" and self._size(kernel.members[0].output[0]) != self._size(last):
            return None
        return maker[last] if self._only_leads_to_one(last) else None

    def _only_leads_to_one(self, name: str) -> bool:
        """Whether all readers of the tensor are elementwise and their results meet again, as in x * sigmoid(x)."""
        ahead = {id(node): node for node in self._readers[name]}
        for _ in range(_FOLLOWED):
            ends = [node for node in ahead.values() if not self._goes_into(node, ahead)]
            if len(ends) == 1:
                return len(self._readers[name]) == 1 or all(n.op_type in ELEMENTWISE for n in ahead.values())
            grown = False
            for node in ends:
                following = self._readers[node.output[0]]
                if node.op_type in ELEMENTWISE and len(following) == 1 and id(following[0]) not in ahead:
                    ahead[id(following[0])] = following[0]
                    grown = True
            if not grown:
                return False
        return False

    def _goes_into(self, node: Any, ahead: dict[int, Any]) -> bool:
        following = self._readers[node.output[0]]
        return bool(following) and all(id(reader) in ahead for reader in following)

    def _measure(self, index: int, kernel: Kernel, maker: dict[str, int]) -> None:
        """Fill in how many elements the kernel reads and writes."""
        inside = {id(node) for node in kernel.members}
        read = {name for node in kernel.members for name in self._read(node) if maker.get(name) != index}
        kernel.inputs = sum(map(self._size, read))
        for name in (name for node in kernel.members for name in node.output if name):
            needed = any(id(reader) not in inside for reader in self._readers[name])
            if needed or name in self._results:
                kernel.outputs += self._size(name)
        if kernel.kind == "copy":
            kernel.inputs = min(kernel.inputs, kernel.outputs)  # a slice reads only the elements that it outputs
        kernel.members = []
