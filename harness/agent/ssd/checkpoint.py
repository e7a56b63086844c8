"""Reads a checkpoint of jetson-inference's `train_ssd.py`: weights alone, so that none of the student's code runs."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch

from ..models.checkpoints import model_or_state
from ..models.loaded_model import Unusable
from .detector import Detector
from .recognition import COUNTER, NotWhole, recognised

_UNKNOWN = (
    "the weights are of none of the networks that jetson-inference's train_ssd.py trains (mb1-ssd, mb1-ssd-lite, "
    "mb2-ssd-lite, vgg16-ssd, sq-ssd-lite); save the detector as ONNX"
)


def read(file: Path) -> Detector:
    """The detector in the file, a state dict or a wrapper of one, in eval mode.

    Raises `Unusable` when the file is damaged or would run code, and as `recognised` does.
    """
    detector = from_state(model_or_state(_loaded(file)))
    if detector is None:
        raise Unusable(_UNKNOWN)
    return detector


def resembles_one(file: Path) -> bool:
    """Whether the file has weights of one of the five networks, be they damaged or incomplete. Raises nothing."""
    try:
        state = model_or_state(_loaded(file))
        return recognised({name: tuple(tensor.shape) for name, tensor in state.items()}) is not None
    except NotWhole:
        return True
    except (Unusable, AttributeError):  # the latter for a module, or for what holds no tensors
        return False


def from_state(state: Mapping[str, torch.Tensor]) -> Detector | None:
    """The detector with these tensors, in eval mode; None where they resemble none of the five networks.

    Raises `Unusable` when they resemble one and do not fit, or are not numbers.
    """
    found = recognised({name: tuple(tensor.shape) for name, tensor in state.items()})
    if found is None:
        return None
    detector = Detector(found.network, found.classes)
    counted = {name: tensor for name, tensor in detector.state_dict().items() if name.endswith(COUNTER)}
    given = {new: state[old] for old, new in found.new_names.items() if new not in counted}
    detector.load_state_dict(counted | {name: _numbers(name, tensor) for name, tensor in given.items()}, strict=True)
    detector.eval()
    return detector


def _numbers(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as float32. Raises `Unusable` when it does not hold plain numbers."""
    if not tensor.dtype.is_floating_point or tensor.layout != torch.strided or tensor.device.type != "cpu":
        raise Unusable(f"{name} is no plain tensor, but of the type {tensor.dtype}; save the weights as float32")
    numbers = tensor.detach().float()
    if not torch.isfinite(numbers).all():
        raise Unusable(
            f"{name} holds NaN or infinity, so the training has diverged; hand in an earlier checkpoint, or train with "
            "a lower learning rate"
        )
    return numbers


def _loaded(file: Path) -> object:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise Unusable(
            "the file is damaged, or holds more than weights; save the detector's state_dict(), as train_ssd.py does"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise Unusable("the file is cut off or damaged; save or upload it again") from error
