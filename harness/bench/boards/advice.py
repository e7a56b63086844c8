"""What would make a model faster on a board, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from harness.bench.boards.roofline import KernelCost, Roofline
from harness.stages.evidence.kernels import Kernel, KernelList

_LARGE_SHARE = 0.3  # of parameters or time: worth a sentence
_LAUNCH_SHARE = 0.4  # of the time in launches
_ARITHMETIC_SHARE = 0.6  # of the time in convolutions that arithmetic limits
_HALVES = 0.7  # of an image's side: half of its pixels

_Weighed = tuple[float, str]  # the share of the time that a sentence is about


def faster(kernels: KernelList, roof: Roofline) -> tuple[str, ...]:
    """What would make the model faster there, one sentence each, the largest gain first."""
    side = max(kernels.input[1:])
    found = [
        *_dense(kernels, roof),
        *_launches(roof),
        *_largest(roof),
        *_arithmetic(roof, side),
        *_movement(roof),
    ] or [_smaller_images(roof, side)]
    if roof.precision == "fp32":
        found.append((0.5, "fp16 halves the bytes, and doubles the arithmetic or more where the GPU has it."))
    return tuple(sentence for _, sentence in sorted(found, key=lambda pair: -pair[0]))


def _dense(kernels: KernelList, roof: Roofline) -> Iterator[_Weighed]:
    """Advice about a dense layer with most of the parameters, as VGG has."""
    dense = [pair for pair in zip(kernels.kernels, roof.kernels, strict=True) if pair[0].kind == "dense"]
    if not dense:
        return
    kernel, cost = max(dense, key=lambda pair: pair[0].weights)
    share = kernel.weights / max(1, kernels.parameters)
    if share > _LARGE_SHARE and not _averaged(kernel, kernels.kernels):
        yield (
            cost.share,
            f"The dense layer {kernel.name} holds {share:.0%} of the parameters and takes {cost.share:.0%} of "
            "the time: average each feature map to one number (global average pooling) before it.",
        )


def _averaged(dense: Kernel, kernels: tuple[Kernel, ...]) -> bool:
    """Whether the layer already reads one number for each feature map: as many as a convolution has channels."""
    kinds = ("convolution", "pointwise", "grouped", "depthwise")
    return dense.inputs in {kernel.shape[0] for kernel in kernels if kernel.kind in kinds and kernel.shape}


def _launches(roof: Roofline) -> Iterator[_Weighed]:
    slow = _share(cost for cost in roof.kernels if cost.limited_by == "launch")
    if slow > _LAUNCH_SHARE:
        yield slow, f"{slow:.0%} of the time starts kernels that do little: fewer, wider layers would take less time."


def _largest(roof: Roofline) -> Iterator[_Weighed]:
    large = max(roof.kernels, key=lambda cost: cost.milliseconds)
    if large.share > _LARGE_SHARE / 2 and large.kind != "dense" and large.limited_by != "launch":
        yield large.share, f"{large.name} alone takes {large.share:.0%} of the time: make it narrower."


def _arithmetic(roof: Roofline, side: int) -> Iterator[_Weighed]:
    kinds = ("convolution", "grouped")
    work = _share(cost for cost in roof.kernels if cost.kind in kinds and cost.limited_by == "arithmetic")
    if work > _ARITHMETIC_SHARE:
        yield (
            work / 2,
            f"{work:.0%} of the time is arithmetic in convolutions: images of {round(side * _HALVES)} instead of "
            f"{side} pixels halve it, and depthwise-separable convolutions need about an eighth of the arithmetic.",
        )


def _movement(roof: Roofline) -> Iterator[_Weighed]:
    moving = _share(cost for cost in roof.kernels if cost.limited_by == "memory" and cost.kind != "dense")
    if moving > _LARGE_SHARE:
        yield (
            moving / 2,
            f"{moving:.0%} of the time moves feature maps through memory: smaller images or fewer channels mean "
            "less to move.",
        )


def _smaller_images(roof: Roofline, side: int) -> _Weighed:
    """The advice for a network in which no layer stands out."""
    grows = _share(cost for cost in roof.kernels if cost.limited_by != "launch" and cost.kind != "dense")
    return (
        grows,
        f"No layer stands out. {grows:.0%} of the time goes to layers that shrink with the image: "
        f"{round(side * _HALVES)} instead of {side} pixels halve their work.",
    )


def _share(costs: Iterator[KernelCost]) -> float:
    return sum(cost.share for cost in costs)
