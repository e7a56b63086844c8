"""Whether a model fits into a board's memory."""

from __future__ import annotations

from harness.bench.boards.board import Board
from harness.bench.boards.network import BYTES
from harness.bench.boards.runtimes import Runtime
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.kernels import Kernel, KernelList
from harness.stages.evidence.record import Record

_RUNTIME_GB = {"tensorrt": 0.6, "tf-trt": 1.2, "pytorch": 1.4, "torchscript": 1.4, "tensorflow": 1.2}
_SMALL_RUNTIME_GB = 0.15
_COPIES = 2  # of the weights at the peak, since the file is in memory while they load; VGG16 in ONNX Runtime: 1.11 GB


class Fit(Record):
    """Whether a model's memory fits into a board's."""

    fits: bool | None  # None where the board's memory is not known
    needed_bytes: int
    available_bytes: int | None
    estimated: bool  # from the graph, not measured
    sentence: str


def fit_in_memory(
    kernels: KernelList, board: Board, runtime: Runtime, precision: Precision, measured_bytes: int | None = None
) -> Fit:
    """Whether the model fits into the board's memory less the system's share.

    `measured_bytes`: the measured peak of a run. Without it, the estimate adds the weights while they load, the largest
    kernel's tensors and the runtime's own memory.
    """
    needed = measured_bytes or _estimated_bytes(kernels.kernels, runtime, precision)
    available = board.available_bytes()
    if available is None:
        return Fit(
            fits=None,
            needed_bytes=needed,
            available_bytes=None,
            estimated=measured_bytes is None,
            sentence=f"The memory of {board.title} is not published.",
        )
    fits = needed <= available
    how = "measured" if measured_bytes else "estimated"
    return Fit(
        fits=fits,
        needed_bytes=needed,
        available_bytes=available,
        estimated=measured_bytes is None,
        sentence=f"It {'fits' if fits else 'does not fit'}: about {needed / 1e9:.1f} GB ({how}) of the "
        f"{available / 1e9:.1f} GB that the system leaves on {board.title}.",
    )


def _estimated_bytes(kernels: tuple[Kernel, ...], runtime: Runtime, precision: Precision) -> int:
    width = BYTES[precision]
    weights = _COPIES * sum(kernel.weights for kernel in kernels) * width
    alive = 2 * max((kernel.inputs + kernel.outputs for kernel in kernels), default=0) * width
    own = _RUNTIME_GB.get(runtime.name, _SMALL_RUNTIME_GB) * 1e9
    return int(weights + alive + own)
