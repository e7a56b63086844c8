"""ONNX Runtime sessions: their options, and sessions for graphs in memory that were changed for an analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.loaded_model import Unusable

_REASON = "it does not run with its layers opened"


def session_options(threads: int) -> Any:
    """The options of every session: `threads` for an operator, and nothing on stderr."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    return options


def engine_name(device: str) -> str:
    """`onnxruntime 1.22.0 CPU`."""
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__} {device}"


def open_model(model: Any, threads: int) -> Any:
    """A session for an `onnx.ModelProto`. Raises `Unusable`."""
    import onnxruntime

    options = session_options(threads)
    # Otherwise bytes with `ORTM` in the right place, in a producer's name say, are read as ONNX Runtime's own format.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise Unusable(_REASON) from error


def run_model(session: Any, outputs: list[str] | None, feeds: dict[str, Any]) -> list[NDArray[Any]]:
    """The session's outputs; entries of `feeds` that are not inputs are ignored. Raises `Unusable`."""
    known = {value.name for value in session.get_inputs()}
    try:
        found = session.run(outputs, {name: value for name, value in feeds.items() if name in known})
    except Exception as error:
        raise Unusable(_REASON) from error
    return [np.asarray(one) for one in found]
