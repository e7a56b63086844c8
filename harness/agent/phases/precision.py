"""The phase `precision`: converts an ONNX model to half precision, or quantises it to 8 bits on calibration images.

The request holds `precision` ("fp16" or "int8"), `layout`, `input_dtype`, `rule`. Under /in: `model`; for int8 the
list of images is `calibration`. Sent: `model.onnx`; or `refused.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..graph.onnx_model import read, session
from ..images.preprocessing import Rule, UnreadableImage, batch
from ..models.loaded_model import Unusable
from ..paths import IN, TMP
from .error_text import one_sentence
from .refusal import refuse


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Convert /in/model and send the result."""
    try:
        converted = {"fp16": _half, "int8": _quantised}[request["precision"]](request)
        session(converted, 1)  # raises if the engine cannot run it
    except (Unusable, UnreadableImage) as error:
        refuse(send, str(error))
    except Exception as error:  # the converters raise many kinds for unknown graphs
        refuse(send, f"the converter to {request['precision']} stopped: {one_sentence(str(error))}")
    else:
        send("model.onnx", converted)


def _half(_: dict[str, Any]) -> Path:
    """All weights and arithmetic in float16; inputs and outputs stay as they are."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    out = TMP / "half.onnx"
    onnx.save_model(convert_float_to_float16(read(IN / "model"), keep_io_types=True), str(out))
    return out


def _quantised(request: dict[str, Any]) -> Path:
    """ONNX Runtime's static quantisation: weights per channel, activations by the calibration images."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    read(IN / "model")
    name = session(IN / "model", 1).get_inputs()[0].name
    prepared, out = TMP / "prepared.onnx", TMP / "quantised.onnx"
    quant_pre_process(str(IN / "model"), str(prepared), skip_symbolic_shape=True)

    class Images(CalibrationDataReader):  # type: ignore[misc]
        """Yields one image after another, then None."""

        def __init__(self) -> None:
            self._left = _inputs(request)

        def get_next(self) -> dict[str, Any] | None:
            given = next(self._left, None)
            return None if given is None else {name: given}

    quantize_static(
        str(prepared),
        str(out),
        Images(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    return out


def _inputs(request: dict[str, Any]) -> Iterator[Any]:
    rule = Rule.from_request(request["rule"])
    for encoded in request["images"].take("calibration"):
        yield batch([encoded], rule, request["layout"], request["input_dtype"])
