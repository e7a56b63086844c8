"""Known architectures as the kernel lists that a model's graph would give."""

from __future__ import annotations

from harness.bench.boards import architectures
from harness.stages.evidence.kernels import Kernel, KernelList


def graph(architecture: str, side: int = 224, renamed: bool = False) -> KernelList:
    """A known architecture as a model's kernel list; `renamed` gives it layers that no known network has."""
    _, rows = architectures._rows()[architecture]
    grown = (side / architectures.side(architecture)) ** 2
    kernels = []
    for row in rows:
        area = grown**row.order
        shape = tuple(size + 1 for size in row.shape) if renamed else row.shape
        numbers = {"inputs": int(row.inputs * area), "weights": row.weights, "outputs": int(row.outputs * area)}
        one = Kernel(
            kind=row.kind,  # type: ignore[arg-type]
            operations=int(row.operations * area),
            shape=shape,
            nodes=row.nodes,
            **numbers,  # type: ignore[arg-type]
        )
        kernels += [one] * row.alike
    parameters = sum(kernel.weights for kernel in kernels)
    return KernelList(input=(1, 3, side, side), parameters=parameters, kernels=tuple(kernels))


def transformer(width: int = 768, depth: int = 12, tokens: int = 197) -> KernelList:
    """A vision transformer for 224 x 224 pixels (Dosovitskiy et al., 2021); no published network has such blocks."""

    def dense(inputs: int, outputs: int) -> Kernel:
        return Kernel(
            kind="dense", operations=2 * tokens * inputs * outputs, inputs=tokens * inputs, weights=inputs * outputs,
            outputs=tokens * outputs, shape=(outputs, inputs),
        )  # fmt: skip

    attention = Kernel(
        kind="product", operations=2 * tokens * tokens * width, inputs=2 * tokens * width, weights=0,
        outputs=tokens * tokens * width // 64,
    )  # fmt: skip
    norm = Kernel(
        kind="normalise", operations=5 * tokens * width, inputs=tokens * width, weights=2 * width,
        outputs=tokens * width,
    )  # fmt: skip
    block = (
        norm, dense(width, 3 * width), attention, attention, dense(width, width),
        norm, dense(width, 4 * width), dense(4 * width, width),
    )  # fmt: skip
    stem = Kernel(
        kind="convolution", operations=2 * 196 * 768 * width, inputs=3 * 224 * 224, weights=768 * width,
        outputs=196 * width, shape=(width, 3, 16, 16),
    )  # fmt: skip
    kernels = (stem, *(block * depth), norm, dense(width, 1000))
    return KernelList(input=(1, 3, 224, 224), parameters=sum(k.weights for k in kernels), kernels=kernels)
