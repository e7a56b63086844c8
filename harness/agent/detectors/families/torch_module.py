"""torchvision's detectors as torch saves them: a state dict, the whole module, or TorchScript."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...models.class_names import names_in, names_in_extras
from ...models.formats import torchscript
from ...models.loaded_model import Unusable
from ...models.model_file import is_plain_state, is_safetensors, is_torch_pickle
from ...models.torch_models import torch_ready
from ..detector import Description, Detections, Opening, Pixels

RUNS_CODE = True
_FORM = "a list with a dictionary of boxes, labels and scores for each image, as torchvision's detectors do"


def matches(file: Path) -> bool:
    return is_torch_pickle(file) or torchscript.matches(file) or is_safetensors(file)


def load(opening: Opening) -> TorchModule:
    torch = torch_ready(opening.threads)
    module, labels, names = _module(torch, opening.file)
    description = Description(
        family="torch_module",
        width=None,
        height=None,
        fit="as-it-is",
        colour="RGB",
        scale=1 / 255,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        suppressed_inside=True,
        background_first=True,
        labels=labels,
        names=names,
    )
    detector = TorchModule(description, module)
    detector.answer(np.zeros((64, 64, 3), np.uint8))
    return detector


def _module(torch: Any, file: Path) -> tuple[Any, int | None, tuple[str, ...]]:
    """The module, its number of labels where that is known, and the class names beside it. Raises `Unusable`."""
    if torchscript.matches(file):
        try:
            return torch.jit.load(str(file), map_location="cpu").eval(), None, names_in_extras(file)
        except RuntimeError as error:
            raise Unusable("torch.jit.load cannot read it; save it again, or as ONNX") from error
    import torchvision  # noqa: F401  # before unpickling its classes

    from ...models.checkpoints import model_or_state
    from ..torchvision_networks import built

    loaded = _loaded(torch, file)
    found = model_or_state(loaded)
    names = names_in(loaded)
    if isinstance(found, torch.nn.Module):
        return found.float().eval(), None, names or names_in(vars(found))
    return *built(found), names


def _loaded(torch: Any, file: Path) -> Any:
    from ...models.unpickling import unpickled

    if is_safetensors(file):
        from safetensors.torch import load_file

        return load_file(str(file))
    if is_plain_state(file):
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, OSError, pickle.UnpicklingError):
            pass
    return unpickled(file)


@dataclass(frozen=True, slots=True)
class TorchModule:
    """A module that takes a list of images of 0 to 1, and gives boxes in their pixels."""

    description: Description
    module: Any

    def answer(self, image: Pixels) -> Detections:
        import torch

        given = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            answers = self.module([given])
        found = _found(answers)
        boxes, scores, labels = (found[name].detach().cpu().numpy() for name in ("boxes", "scores", "labels"))
        height, width = image.shape[:2]
        relative = boxes.astype(np.float32).reshape(-1, 4) / np.array([width, height] * 2, np.float32)
        return Detections(relative, scores.astype(np.float32), labels.astype(np.int64))


def _found(answers: Any) -> Mapping[str, Any]:
    """The dictionary of the only image; a script returns its losses before the list. Raises `Unusable`."""
    if isinstance(answers, tuple) and len(answers) == 2:
        answers = answers[1]
    if isinstance(answers, Sequence) and len(answers) == 1 and isinstance(answers[0], Mapping):
        wanted: list[Any] = [answers[0].get(name) for name in ("boxes", "scores", "labels")]
        if all(hasattr(one, "detach") and one.ndim for one in wanted) and len({len(one) for one in wanted}) == 1:
            return answers[0]
    raise Unusable(f"the module gives no detections; it has to give {_FORM}")
