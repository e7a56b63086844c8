"""How students save torch models: what each file is recognised as, and what its conversion must be."""

from __future__ import annotations

from model_files import CLASSES

from harness.stages.evidence.conversion import Conversion

# How a student saved it (model_files.write_torch) -> the module of harness/agent/models/formats that reads it.
READ_BY = {
    "onnx": "onnx",
    "onnx_batch_1": "onnx",
    "onnx_probabilities": "onnx",
    "state_dict": "state_dict",
    "checkpoint": "state_dict",
    "legacy_state_dict": "state_dict",
    "safetensors": "safetensors",
    "whole_module": "whole_module",
    "traced": "torchscript",
    "scripted": "torchscript",
    "exported": "exported",
    "exported_static": "exported",
}
# These give back the module itself: what follows the reading is the same for all of them.
MODULES = ("checkpoint", "legacy_state_dict", "safetensors", "whole_module")
_FIXED_BATCH = ("onnx_batch_1", "exported_static")


def check_conversion(format: str, conversion: Conversion) -> None:
    """Fail unless a network of `model_files` that was saved as `format` became ONNX and answers as it did."""
    assert conversion.source_format == READ_BY[format]
    assert not conversion.native
    assert conversion.max_abs_difference is not None and conversion.max_abs_difference <= 1e-3
    assert conversion.images_compared >= 8
    assert conversion.layout == "NCHW" and conversion.outputs == len(CLASSES)
    assert conversion.output_kind == ("probabilities" if "prob" in format else "logits")
    assert conversion.dynamic_batch == (format not in _FIXED_BATCH)
    assert conversion.labels == CLASSES
