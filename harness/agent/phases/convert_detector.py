"""The phase `convert_detector`: a detector as an ONNX graph, for what looks into the graph or times it.

The request holds `family` (as the phase `detect` described it), `data` (location of an ONNX file's external data -> its
name under /in) and `cpus`. An ONNX file stays as it is, but for external data, which are put inside, and an image
without a batch, which gets one. A detector of torch's is exported, and its boxes for images of noise are compared with
the original's. Sent: `detector-graph.json` and, where there is a graph that is not the file itself, `model.onnx`; or
`refused.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..detectors.detector import Detector, Opening
from ..detectors.graph_export import largest_difference, write
from ..detectors.registry import family_of
from ..detectors.student_detector import StudentDetector
from ..graph.detector_graph import with_a_batch
from ..graph.image_input import image_input
from ..graph.onnx_form import with_plain_input
from ..graph.onnx_model import STANDARD_DOMAINS, read_with_data
from ..models.loaded_model import Unusable
from ..models.model_file import is_onnx
from ..paths import IN, TMP
from .convert import TOLERANCE, use_mounted_weights
from .refusal import Send, refusing_all

_COMPARED = 4  # images of noise
_NOISE = (300, 400, 3)


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Convert /in/model and send the graph."""
    use_mounted_weights()
    with refusing_all(send, Unusable):
        reply = _of_a_file(request, send) if is_onnx(IN / "model") else _exported(request, send)
        send("detector-graph.json", json.dumps(reply).encode())


def _of_a_file(request: dict[str, Any], send: Send) -> dict[str, Any]:
    data = {location: IN / name for location, name in request["data"].items()}
    model, changed = read_with_data(IN / "model", data)
    changed |= with_plain_input(model)
    changed |= with_a_batch(model)
    if changed:
        send("model.onnx", model.SerializeToString())
    return _described(model) | {"changed": changed, "native": "", "max_abs_difference": 0.0, "images_compared": 0}


def _exported(request: dict[str, Any], send: Send) -> dict[str, Any]:
    opening = Opening(IN / "model", request["cpus"])
    name, family = family_of(opening.file)
    if name != request["family"]:
        raise Unusable(f"it was read as {request['family']}, and now is {name}")
    detector: Detector = StudentDetector(opening, name) if family.RUNS_CODE else family.load(opening)
    random = np.random.default_rng(0)
    noise = [random.integers(0, 256, _NOISE, dtype=np.uint8) for _ in range(_COMPARED)]
    original = [detector.answer(image) for image in noise]
    out = TMP / "model.onnx"
    try:
        if isinstance(detector, StudentDetector):
            detector.export(out)
        else:
            write(detector, out)
        model = read_with_data(out, {})[0]
        if with_a_batch(model):
            out.write_bytes(model.SerializeToString())
        described = _described(model)
        graph = family_of(out)[1].load(Opening(out, request["cpus"], checks=noise))
        difference = largest_difference(original, [graph.answer(image) for image in noise])
    except Exception as error:  # exporters raise many kinds; the model then runs as it is
        print(f"conversion to ONNX: {type(error).__name__}: {error}", file=sys.stderr)
        return _NO_GRAPH | {"native": "not-converted", "max_abs_difference": None}
    compared = {"max_abs_difference": difference, "images_compared": len(noise)}
    if difference > TOLERANCE:
        return _NO_GRAPH | compared | {"native": "differs"}
    send("model.onnx", out)
    return described | compared | {"changed": True, "native": ""}


_NO_GRAPH: dict[str, Any] = {
    "changed": False, "layout": "NCHW", "input_dtype": "float32", "dynamic_batch": False,
    "height": None, "width": None, "opset": None, "images_compared": 0,
}  # fmt: skip


def _described(model: Any) -> dict[str, Any]:
    """The graph's input, and its operator set. Raises `Unusable` for an input that is no image."""
    opset = max((entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS[:2]), default=0)
    given = image_input(model)
    return {
        "layout": given.layout,
        "input_dtype": given.dtype,
        "dynamic_batch": given.dynamic_batch,
        "height": given.height,
        "width": given.width,
        "opset": opset,
    }
