"""Where a model's time goes on a board: its kernels on the roofline, the costliest, what would help, what fits."""

from __future__ import annotations

from typing import Literal

from harness.boards import fitted, runtimes
from harness.boards.boards import Board, Precision
from harness.boards.network import BYTES, Network
from harness.boards.physics import Case
from harness.boards.runtimes import Runtime
from harness.evidence.kernels import Kernel, KernelList
from harness.evidence.record import Record

_RUNTIME_GB = {"tensorrt": 0.6, "tf-trt": 1.2, "pytorch": 1.4, "torchscript": 1.4, "tensorflow": 1.2}
_SMALL_RUNTIME_GB = 0.15
_COPIES = 2  # of the weights, at the peak: the file's own while they are loaded. ONNX Runtime: VGG16 takes 1.11 GB
_LARGE_SHARE = 0.3  # of parameters or time: worth a sentence
_FEW_MICROSECONDS_SHARE = 0.4  # of the time in launches


class KernelCost(Record):
    """One kernel: its point on the roofline, and its share of the predicted time."""

    name: str
    kind: str
    operations: int
    bytes: int
    intensity: float  # operations per byte
    reached: float  # operations per second, predicted
    milliseconds: float
    share: float  # of the time of all kernels
    limited_by: Literal["arithmetic", "memory", "launch"]


class Roofline(Record):
    """The board's two limits, and the model's kernels under them."""

    board: str
    runtime: str
    precision: Precision
    peak: float  # operations per second
    bandwidth: float  # bytes per second
    kernels: tuple[KernelCost, ...]  # in the order in which they run

    def costliest(self, count: int = 10) -> tuple[KernelCost, ...]:
        """The kernels that take longest, the longest first."""
        return tuple(sorted(self.kernels, key=lambda kernel: -kernel.milliseconds)[:count])


class Fit(Record):
    """Whether a model's memory fits into a board's."""

    fits: bool | None  # None where the board's memory is not known
    needed_bytes: int
    available_bytes: int | None
    estimated: bool  # from the graph, not measured
    sentence: str


def roofline(kernels: KernelList, board: Board, runtime: Runtime, precision: Precision) -> Roofline | None:
    """The kernels with their predicted times; None where the board's peaks are not known."""
    whole = board.assumed()
    peak, bandwidth = runtimes.usable_peak(whole, runtime, precision), whole.bandwidth()
    if peak is None or bandwidth is None or not kernels.kernels:
        return None
    network = Network.of(kernels)
    case = Case(network, whole, runtime, precision)
    seconds = fitted.latency_model().physics.kernel_seconds(case)
    total = float(seconds.sum())
    moved = network.bytes(precision)
    costs = []
    for kernel, time, bytes_moved in zip(kernels.kernels, seconds.tolist(), moved.tolist(), strict=True):
        arithmetic, memory = kernel.operations / peak, bytes_moved / bandwidth
        limited = "launch" if 4 * max(arithmetic, memory) < time else "arithmetic" if arithmetic > memory else "memory"
        costs.append(
            KernelCost(
                name=kernel.name,
                kind=kernel.kind,
                operations=kernel.operations,
                bytes=int(bytes_moved),
                intensity=kernel.operations / max(1.0, bytes_moved),
                reached=kernel.operations / time,
                milliseconds=time * 1e3,
                share=time / total,
                limited_by=limited,  # type: ignore[arg-type]
            )
        )
    return Roofline(
        board=board.name,
        runtime=str(runtime),
        precision=precision,
        peak=peak,
        bandwidth=bandwidth,
        kernels=tuple(costs),
    )


def faster(kernels: KernelList, roof: Roofline) -> tuple[str, ...]:
    """What would make the model faster there, one sentence each, the most worthwhile first."""
    sentences: list[tuple[float, str]] = []
    total = sum(cost.milliseconds for cost in roof.kernels)
    dense = [
        (kernel, cost) for kernel, cost in zip(kernels.kernels, roof.kernels, strict=True) if kernel.kind == "dense"
    ]
    if dense:
        kernel, cost = max(dense, key=lambda pair: pair[0].weights)
        share = kernel.weights / max(1, kernels.parameters)
        if share > _LARGE_SHARE and not _averaged(kernel, kernels.kernels):
            sentences.append(
                (
                    cost.share,
                    f"The dense layer {kernel.name} holds {share:.0%} of the parameters and takes {cost.share:.0%} of "
                    "the time: average each feature map to one number (global average pooling) before it.",
                )
            )
    slow = sum(cost.share for cost in roof.kernels if cost.limited_by == "launch")
    if slow > _FEW_MICROSECONDS_SHARE:
        sentences.append(
            (slow, f"{slow:.0%} of the time starts kernels that do little: fewer, wider layers would take less time.")
        )
    large = max(roof.kernels, key=lambda cost: cost.milliseconds)
    if large.share > _LARGE_SHARE / 2 and large.kind != "dense" and large.limited_by != "launch":
        sentences.append((large.share, f"{large.name} alone takes {large.share:.0%} of the time: make it narrower."))
    early = [
        cost for cost in roof.kernels if cost.kind in ("convolution", "grouped") and cost.limited_by == "arithmetic"
    ]
    work = sum(cost.milliseconds for cost in early) / total
    if work > 0.6:
        side = max(kernels.input[1:])
        sentences.append(
            (
                work / 2,
                f"{work:.0%} of the time is arithmetic in convolutions: pictures of {round(side * 0.7)} instead of "
                f"{side} pixels halve it, and depthwise-separable convolutions need about an eighth of "
                "the arithmetic.",
            )
        )
    moving = sum(cost.share for cost in roof.kernels if cost.limited_by == "memory" and cost.kind != "dense")
    if moving > _LARGE_SHARE:
        sentences.append(
            (
                moving / 2,
                f"{moving:.0%} of the time moves feature maps through memory: smaller pictures or fewer channels mean "
                "less to move.",
            )
        )
    grows = sum(cost.share for cost in roof.kernels if cost.limited_by != "launch" and cost.kind != "dense")
    if not sentences:
        side = max(kernels.input[1:])
        sentences.append(
            (
                grows,
                f"No layer stands out. {grows:.0%} of the time goes to layers that shrink with the picture: "
                f"{round(side * 0.7)} instead of {side} pixels halve their work.",
            )
        )
    if roof.precision == "fp32":
        sentences.append((0.5, "fp16 halves the bytes, and doubles the arithmetic or more where the GPU has it."))
    return tuple(sentence for _, sentence in sorted(sentences, key=lambda pair: -pair[0]))


def _averaged(dense: Kernel, kernels: tuple[Kernel, ...]) -> bool:
    """Whether the layer already reads one number for each feature map: as many as a convolution has channels."""
    kinds = ("convolution", "pointwise", "grouped", "depthwise")
    return dense.inputs in {kernel.shape[0] for kernel in kernels if kernel.kind in kinds and kernel.shape}


def fit_in_memory(
    kernels: KernelList, board: Board, runtime: Runtime, precision: Precision, measured_bytes: int | None = None
) -> Fit:
    """Whether the model runs in the board's memory less the system's share.

    `measured_bytes`: the peak that a run showed. Without it, the weights while they are loaded, the largest kernel's
    tensors and the runtime's own memory are added up.
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


def operations(kernels: KernelList) -> int:
    """Operations of one picture: 2 for each multiply-add."""
    return 2 * kernels.multiply_adds


def unknown_sentence(kernels: KernelList) -> str:
    """What the prediction doesn't know of, as a sentence; empty when it knows all."""
    if not kernels.unknown:
        return ""
    listed = ", ".join(f"{name} ({count})" for name, count in sorted(kernels.unknown.items()))
    return f"Operators that are not known, taken as one pass over their numbers: {listed}."
