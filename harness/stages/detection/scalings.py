"""The usual ways to scale a detector's pixels: what its tools train with. Pure."""

from __future__ import annotations

from harness.findings.on_detections import SCALINGS
from harness.stages.evidence.detections import DetectorDescription, Scaling

# Families whose pixels are scaled outside of the model, so that the scaling can be wrong.
SCALED_OUTSIDE = ("ssd_checkpoint", "ssd_onnx", "tflite", "torchvision_onnx", "yolo_onnx")
SWAPPED = "-colours-swapped"
_ALIKE = 0.02  # of a step from one pixel value to the next, and of the range; no network tells these apart
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision's weights, RGB, of pixels 0 to 1

_Three = tuple[float, float, float]
_ZEROS: _Three = (0.0, 0.0, 0.0)
_ONES: _Three = (1.0, 1.0, 1.0)
_RGB: dict[str, tuple[float, _Three, _Three]] = {
    "scaled-zero-one": (1 / 255, _ZEROS, _ONES),
    "scaled-minus-one-one": (1 / 127.5, _ONES, _ONES),
    "ssd-mobilenet": (1.0, (127.0,) * 3, (128.0,) * 3),  # dusty-nv/pytorch-ssd, mobilenetv1_ssd_config.py
    "scaled-imagenet": (1 / 255, *_IMAGENET),
    "scaled-raw": (1.0, _ZEROS, _ONES),
    "vgg16-ssd": (1.0, (123.0, 117.0, 104.0), _ONES),  # the same, vgg_ssd_config.py
}


def own(described: DetectorDescription) -> Scaling:
    """The scaling that a detector is asked with."""
    return Scaling(colour=described.colour, scale=described.scale, mean=described.mean, std=described.std)


def others(mine: Scaling) -> dict[str, Scaling]:
    """The usual scalings by name, without the one that is in use and those that no network could tell from it."""
    ways: dict[str, Scaling] = {}
    for name, way in _usual().items():
        if not any(_alike(way, known) for known in (mine, *ways.values())):
            ways[name] = way
    return ways


def in_words(mine: Scaling) -> str:
    """What a person reads of a scaling: a usual one by its name, any other by its numbers."""
    usual = _usual()
    alike = [name for name, way in usual.items() if way == mine] + [
        name for name, way in usual.items() if _alike(way, mine)
    ]
    if alike:
        return SCALINGS[alike[0]]
    mean, std = (", ".join(f"{one:.4g}" for one in three) for three in (mine.mean, mine.std))
    return SCALINGS["another"].format(colour=mine.colour, scale=mine.scale, mean=mean, std=std)


def _usual() -> dict[str, Scaling]:
    """In the order in which they are taken for a scaling that several are like."""
    plain = {name: Scaling(colour="RGB", scale=scale, mean=mean, std=std) for name, (scale, mean, std) in _RGB.items()}
    swapped = {
        f"{name}{SWAPPED}": Scaling(colour="BGR", scale=way.scale, mean=way.mean[::-1], std=way.std[::-1])
        for name, way in plain.items()
    }
    return plain | swapped


def _alike(one: Scaling, other: Scaling) -> bool:
    """Whether both make nearly the same numbers of each pixel."""
    if one.colour != other.colour:
        return False
    if 0 in one.std or 0 in other.std:
        return one == other
    return all(
        max(abs(low - other_low), abs(high - other_high)) <= _ALIKE * abs(high - low)
        for low, high, other_low, other_high in zip(*_ends(one), *_ends(other), strict=True)
    )


def _ends(way: Scaling) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What becomes of a black and of a white pixel, channel by channel."""
    black = tuple(-mean / std for mean, std in zip(way.mean, way.std, strict=True))
    white = tuple((255 * way.scale - mean) / std for mean, std in zip(way.mean, way.std, strict=True))
    return black, white
