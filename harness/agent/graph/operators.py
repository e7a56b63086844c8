"""The kind of work of each ONNX operator, as an inference engine classifies it."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "convolution", "pointwise", "depthwise", "grouped", "dense", "product",
    "elementwise", "pool", "normalise", "concat", "copy", "unknown",
]  # fmt: skip

# Multiply-adds: operator -> indices of its two factors among the inputs.
FACTORS = {
    "Conv": (0, 1),
    "ConvTranspose": (0, 1),
    "ConvInteger": (0, 1),
    "QLinearConv": (0, 3),
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "QLinearMatMul": (0, 3),
}

# Elementwise operators: an engine fuses them into the kernel before.
ELEMENTWISE = frozenset(
    (
        "Abs", "Add", "And", "BatchNormalization", "BitShift", "Ceil", "Celu", "Clip", "Cos", "DequantizeLinear",
        "Div", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid",
        "HardSwish", "IsNaN", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean", "Min", "Mish", "Mod", "Mul",
        "Neg", "Not", "Or", "PRelu", "Pow", "QuantizeLinear", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid",
        "Sign", "Sin", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tanh", "ThresholdedRelu", "Where",
    )
)  # fmt: skip
POOL = frozenset(
    (
        "ArgMax", "ArgMin", "AveragePool", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "LpPool",
        "MaxPool", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
        "ReduceSum", "ReduceSumSquare",
    )
)  # fmt: skip
NORMALISE = frozenset(
    (
        "GroupNormalization", "InstanceNormalization", "LRN", "LayerNormalization", "LogSoftmax", "LpNormalization",
        "MeanVarianceNormalization", "RMSNormalization", "Softmax",
    )
)  # fmt: skip
COPY = frozenset(
    (
        "DepthToSpace", "Expand", "Gather", "GatherElements", "GatherND", "Pad", "Resize", "ReverseSequence",
        "ScatterElements", "ScatterND", "Slice", "SpaceToDepth", "Split", "Tile", "Transpose", "Trilu", "Upsample",
    )
)  # fmt: skip

# Views: the same numbers with another shape or name, so no kernel.
VIEWS = frozenset(("Cast", "CastLike", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"))
# Operators that depend only on the shapes of their inputs: computed before the first image.
SHAPES = frozenset(("Constant", "EyeLike", "Shape", "Size"))

# Operator -> inputs whose values decide the size of its output. Where these depend on the image, the network behind
# can be nearly empty for one image and whole for the next.
SIZED_BY: dict[str, tuple[int, ...]] = {
    "Slice": (1, 2, 3, 4), "Reshape": (1,), "Expand": (1,), "Tile": (1,), "Pad": (1, 3), "Resize": (1, 2, 3),
    "Upsample": (1,), "TopK": (1,), "Split": (1,), "Squeeze": (1,), "Unsqueeze": (1,), "OneHot": (1,),
    "CenterCropPad": (1,), "ReduceSum": (1,), "ReduceMean": (1,), "ReduceMax": (1,), "ReduceMin": (1,),
}  # fmt: skip

# Nominal operations for each output element of kernels without multiply-adds; memory limits these kernels.
_NORMALISE_OPERATIONS = 5


def operations_per_element(kind: Kind) -> int:
    """Nominal operations for each element of a kernel without multiply-adds."""
    return {"normalise": _NORMALISE_OPERATIONS, "concat": 0, "copy": 0}.get(kind, 1)


def kind_of(operator: str) -> Kind:
    """The kind of an operator without multiply-adds."""
    if operator in ELEMENTWISE:
        return "elementwise"
    if operator in POOL:
        return "pool"
    if operator in NORMALISE:
        return "normalise"
    if operator == "Concat":
        return "concat"
    return "copy" if operator in COPY else "unknown"
