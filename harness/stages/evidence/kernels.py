"""An ONNX graph as an engine runs it, from which the stage `boards` predicts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.stages.evidence.record import Record

KernelKind = Literal[
    "convolution", "pointwise", "depthwise", "grouped", "dense", "product",
    "elementwise", "pool", "normalise", "concat", "copy", "unknown",
]  # fmt: skip
_Count = Annotated[int, Field(ge=0, le=2**53)]
# Operators that choose or repeat a subgraph while the model runs; its kernels are not listed.
OWN_GRAPHS = ("If", "Loop", "Scan", "SequenceMap")
# Operators that can do the work of whole layers, draw random numbers, or have an output size that depends on the
# image: counted as one pass over their numbers, they would hide a network.
NOT_COUNTED = (
    "Einsum", "RNN", "GRU", "LSTM", "DeformConv", "Attention", "DFT", "STFT", "GridSample", "RoiAlign", "Det",
    "LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor", "TreeEnsemble", "TreeEnsembleClassifier",
    "TreeEnsembleRegressor", "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike", "NonZero", "Compress", "Unique", "NonMaxSuppression", "ConstantOfShape", "Range",
    "TopK", "OneHot", "CenterCropPad", "LinearAttention", "CausalConvWithState", "DisentangledAttention_TRT",
    # Of these, only those whose output size depends on the image (`harness/agent/graph/operators.py`).
    "Slice", "Reshape", "Expand", "Tile", "Pad", "Resize", "Upsample", "Split", "Squeeze", "Unsqueeze", "ReduceSum",
    "ReduceMean", "ReduceMax", "ReduceMin",
)  # fmt: skip
MULTIPLY_ADD_KINDS = ("convolution", "pointwise", "depthwise", "grouped", "dense", "product")


class Kernel(Record):
    """One launch of an engine, for one image. Elements, not bytes, which depend on the precision."""

    kind: KernelKind
    name: Annotated[str, Field(max_length=120)] = ""
    operations: _Count  # 2 for each multiply-add
    inputs: _Count  # elements read of other kernels' outputs
    weights: _Count  # elements read from constants
    outputs: _Count  # elements written that others read
    shape: Annotated[tuple[_Count, ...], Field(max_length=6)] = ()  # of the largest constant
    nodes: _Count = 1  # operators of the graph in it


class KernelList(Record):
    """An ONNX graph as an engine runs it."""

    input: Annotated[tuple[_Count, ...], Field(min_length=4, max_length=4)]  # the image's shape
    parameters: _Count
    unknown: Annotated[dict[Annotated[str, Field(max_length=60)], _Count], Field(max_length=200)] = {}
    kernels: Annotated[tuple[Kernel, ...], Field(max_length=20_000)]

    @property
    def not_listed(self) -> tuple[str, ...]:
        """Operators whose work is not listed: those with subgraphs, and those not counted."""
        return tuple(name for name in (*OWN_GRAPHS, *NOT_COUNTED) if name in self.unknown)

    @property
    def multiply_adds(self) -> int:
        return sum(kernel.operations for kernel in self.kernels if kernel.kind in MULTIPLY_ADD_KINDS) // 2
