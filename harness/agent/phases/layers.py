"""The phase `layers`: the time of each layer of an ONNX graph, from ONNX Runtime's own profile.

The request holds `layout`, `input_dtype`, `rule`, `cores` (to pin to) and `seconds` (of profiled queries of one image).
Under /in: `model`; the list `images` has the images. Sent: `layers.json`; or `refused.json`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..graph.onnx_errors import stopped
from ..graph.onnx_model import session
from ..images.preprocessing import Rule, UnreadableImage, pixels
from ..models.loaded_model import Unusable
from ..notebook.surrogates import encoded
from ..paths import IN, TMP
from ..timing.layer_profile import NoProfile, summed
from ..timing.timed_inputs import prepared
from .refusal import refusing

_IMAGES = 16
_FEWEST, _MOST = 3, 200  # profiled queries
_EVENTS = 30_000  # of all profiled queries; one takes some 1,200 bytes of the profile
_WARM_UP = 3  # queries: the first allocates


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Profile /in/model and send the time of each layer."""
    os.sched_setaffinity(0, request["cores"])
    with refusing(send, Unusable, UnreadableImage):
        send("layers.json", encoded(_profiled(request)))


def _profiled(request: dict[str, Any]) -> dict[str, Any]:
    rule = Rule.from_request(request["rule"])
    images = list(request["images"].take("images"))[:_IMAGES]
    batches = [prepared(request, rule, [pixels(image, rule)]) for image in images]
    running = session(IN / "model", len(request["cores"]), profile=TMP / "layers")
    name = running.get_inputs()[0].name
    nodes = _operators()
    most = max(_FEWEST, min(_MOST, _EVENTS // nodes))
    try:
        for number in range(_WARM_UP):
            running.run(None, {name: batches[number % len(batches)]})
        ends, queries = time.monotonic() + request["seconds"], 0
        while queries < _FEWEST or (queries < most and time.monotonic() < ends):
            running.run(None, {name: batches[queries % len(batches)]})
            queries += 1
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise Unusable(stopped(error)) from error
    file = Path(running.end_profiling())
    try:
        return summed(json.loads(file.read_bytes()), _WARM_UP)
    except (ValueError, NoProfile) as error:  # ONNX Runtime writes some names without escaping them
        raise Unusable(f"ONNX Runtime's profile of it cannot be read: {error}") from error


def _operators() -> int:
    """How many operators the graph has, those of subgraphs included."""
    from ..graph.onnx_model import every_node, read

    return max(1, sum(1 for _ in every_node(read(IN / "model"))))
