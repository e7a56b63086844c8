"""The phase `inspect`: what the ONNX graph holds, and how far it is from pre-trained backbones.

The request holds `height`, `width` and `backbones` (name -> file name under /in). Sent:
`inspection.json`; or `refused.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .backbones import compare, load
from .multiply_adds import fingerprint, parameters, weights, work
from .native import Unusable
from .onnx_model import read, signature
from .paths import IN


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Inspect /in/model and send what was seen."""
    try:
        model = read(IN / "model")
        done = work(model, signature(model), request["height"], request["width"])
    except Unusable as error:
        send("refused.json", json.dumps({"reason": str(error)}).encode())
        return
    tensors = weights(model)
    layers = {
        name: [_finite(asdict(layer)) for layer in compare(load(IN / file), tensors)]
        for name, file in request["backbones"].items()
    }
    reply = {
        "parameters": parameters(model),
        "multiply_adds": done.multiply_adds,
        "uncounted": done.uncounted,
        "weights_fingerprint": fingerprint(tensors),
        "backbones": layers,
    }
    send("inspection.json", json.dumps(reply).encode())


def _finite(layer: dict[str, Any]) -> dict[str, Any]:
    change = layer["relative_change"]
    return layer if change is None or np.isfinite(change) else layer | {"relative_change": 1e9}
