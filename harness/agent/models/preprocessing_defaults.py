"""Defaults for undeclared pre-processing: what to assume for a file format, and the alternatives to try."""

from __future__ import annotations

from dataclasses import replace

from ..images.preprocessing import CAFFE_MEAN, IMAGENET_MEAN, IMAGENET_STD, ONES, ZEROS, Rule
from .loaded_model import Default

_CROP = 0.875  # 224 of 256, as torchvision's ImageNet weights were evaluated


def assumed(default: Default, height: int, width: int) -> Rule:
    """The rule to assume when a submission declares none."""
    imagenet = Rule(width, height, "RGB", 1 / 255, IMAGENET_MEAN, IMAGENET_STD, "shorter-side-crop", _CROP)
    match default:
        case "torchvision-imagenet":
            return imagenet
        case "jetson-inference":
            return replace(imagenet, resize="stretch", crop_fraction=1.0)
        case "keras-raw":
            return Rule(width, height, "RGB", 1.0, ZEROS, ONES, "stretch")
        case "keras-vgg16-caffe":
            return Rule(width, height, "BGR", 1.0, CAFFE_MEAN, ONES, "stretch")


def alternatives(rule: Rule) -> dict[str, Rule]:
    """Other usual ways to scale the pixels, by name, with the rule's own resize.

    The rule's own scaling is left out.
    """
    half = (0.5, 0.5, 0.5)
    ways = {
        "torchvision-imagenet": ("RGB", 1 / 255, IMAGENET_MEAN, IMAGENET_STD),
        "zero-one": ("RGB", 1 / 255, ZEROS, ONES),
        "minus-one-one": ("RGB", 1 / 255, half, half),
        "raw-0-255": ("RGB", 1.0, ZEROS, ONES),
        "keras-vgg16-caffe": ("BGR", 1.0, CAFFE_MEAN, ONES),
    }
    tried = {
        name: replace(rule, colour=colour, scale=scale, mean=mean, std=std)  # type: ignore[arg-type]
        for name, (colour, scale, mean, std) in ways.items()
    }
    tried["colours-swapped"] = _swapped(rule)
    return {name: other for name, other in tried.items() if not _same(other, rule)}


def usual(assumed: Rule) -> dict[str, Rule]:
    """The usual ways to make a model's input, by name: the assumed one first, each of the others once.

    Each comes with the resize that it usually comes with: torchvision's evaluation cuts the centre, all others stretch.
    """
    width, height, half = assumed.width, assumed.height, (0.5, 0.5, 0.5)
    stretched = {
        "imagenet-stretched": Rule(width, height, "RGB", 1 / 255, IMAGENET_MEAN, IMAGENET_STD, "stretch"),
        "zero-one": Rule(width, height, "RGB", 1 / 255, ZEROS, ONES, "stretch"),
        "minus-one-one": Rule(width, height, "RGB", 1 / 255, half, half, "stretch"),
        "raw-0-255": Rule(width, height, "RGB", 1.0, ZEROS, ONES, "stretch"),
        "vgg16-caffe": Rule(width, height, "BGR", 1.0, CAFFE_MEAN, ONES, "stretch"),
    }
    ways = {
        "imagenet-cut": Rule(width, height, "RGB", 1 / 255, IMAGENET_MEAN, IMAGENET_STD, "shorter-side-crop", _CROP),
        **stretched,
        **{f"{name}-colours-swapped": _swapped(way) for name, way in stretched.items()},
    }
    first = next(
        (name for name, way in ways.items() if way.resize == assumed.resize and _same(way, assumed)), "assumed"
    )
    return {first: assumed} | {name: way for name, way in ways.items() if name != first}


def _swapped(rule: Rule) -> Rule:
    return replace(rule, colour="RGB" if rule.colour == "BGR" else "BGR", mean=rule.mean[::-1], std=rule.std[::-1])


def _same(one: Rule, other: Rule) -> bool:
    """Whether two rules give the same model input, up to rounding."""
    if one.colour != other.colour:
        return False
    for a, b in zip(_slope_and_offset(one), _slope_and_offset(other), strict=True):
        if abs(a - b) > 1e-3 * max(1e-3, abs(a)):
            return False
    return True


def _slope_and_offset(rule: Rule) -> list[float]:
    slopes = [rule.scale / std for std in rule.std]
    return slopes + [mean / std for mean, std in zip(rule.mean, rule.std, strict=True)]
