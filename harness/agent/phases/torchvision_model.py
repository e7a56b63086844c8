"""The phase `torchvision_model`: one of torchvision's classifiers as an ONNX file. No student's code runs here.

The request holds `name`, `side` (of the input, pixels) and `weights`, the name of the file of its pre-trained weights,
which is /in/weights; null for random weights, from a fixed seed. Sent: `model.onnx`; or `refused.json`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..models.loaded_model import Native, Unusable
from ..paths import IN, TMP
from .error_text import one_sentence
from .refusal import refuse

_LISTED = 80  # names, at most


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Build the model and send it."""
    try:
        from ..models.torch_models import to_onnx, torch_ready

        torch = torch_ready(1)
        from torchvision import models
    except ImportError as error:
        refuse(send, f"{error.name or 'torch'} is not installed here", not_here=True)
        return
    file = TMP / "model.onnx"
    try:
        model = _built(request, torch, models)
        to_onnx(_loaded(model, request["side"]), file)
    except Unusable as error:
        refuse(send, str(error), not_here=False)
        return
    except Exception as error:  # torch's own classes: an input that is too small for the layers, say
        refuse(send, f"it does not take images of {request['side']} pixels: {one_sentence(str(error))}", not_here=False)
        return
    send("model.onnx", file)


def _built(request: dict[str, Any], torch: Any, models: Any) -> Any:
    name, file = request["name"], request["weights"]
    known = models.list_models(module=models)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known[:_LISTED])}"
        raise Unusable(f"torchvision has no classifier {name!r}; {hint}")
    torch.manual_seed(0)
    if file is None:
        extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}  # that takes a minute
        return models.get_model(name, weights=None, **extra).eval()
    wanted = [one for one in models.get_model_weights(name) if one.url.endswith(f"/{file}")]
    if not wanted:
        raise Unusable(f"{file} is not among torchvision's weights of {name}")
    _in_place(file)
    return models.get_model(name, weights=wanted[0]).eval()


def _in_place(file: str) -> None:
    """Put the mounted weights where torch.hub looks, so that torchvision reads them in its own way."""
    folder = TMP / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / file).symlink_to(IN / "weights")
    os.environ["TORCH_HOME"] = str(TMP / "torch")


def _loaded(model: Any, side: int) -> Native:
    """The model as the exporter takes it, which answers nothing itself."""
    return Native(_no_answer, model, "NCHW", side, side, "float32", "torchvision-imagenet", True)


def _no_answer(_: Any) -> Any:
    raise NotImplementedError
