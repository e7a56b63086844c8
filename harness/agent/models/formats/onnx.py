"""An ONNX file as handed in: checked, and changed only where no engine would take it, or not for a classifier."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ...graph.image_input import scales_its_input
from ...graph.onnx_form import keep_output, output_with_scores, refuse_detector, with_plain_input
from ...graph.onnx_model import Runner, Signature, read_with_data, signature
from ...paths import TMP
from ..class_names import names_in
from ..loaded_model import Context, Native, Output, output_for
from ..model_file import is_onnx

_JETSON = ("input_0", "output_0")  # the names that jetson-inference's onnx_export.py gives
_USUAL_SIDE = 224  # pixels, where the graph leaves it free
_MOST_OUTPUTS = 1000


def matches(file: Path) -> bool:
    return is_onnx(file)


def load(file: Path, context: Context) -> Native:
    model, changed = read_with_data(file, context.data)
    refuse_detector(model)
    jetson = (model.graph.input[0].name, model.graph.output[0].name) == _JETSON if model.graph.output else False
    changed |= with_plain_input(model)
    output = Output()
    if 1 < len(model.graph.output) <= _MOST_OUTPUTS:
        output = output_with_scores(model, context.classes) or _tried(model, context)
        keep_output(model, output)
        changed = True
    graph = signature(model)
    height, width = _size(graph, context)
    if changed:
        file = _written(model)
    return Native(
        answer=Runner(file, context.threads).answer,
        module=file,
        layout=graph.layout,
        height=height,
        width=width,
        input_dtype=graph.dtype,
        default=(
            "jetson-inference"
            if jetson
            else "torchvision-imagenet"
            if graph.layout == "NCHW" and graph.dtype == "float32"
            else "keras-raw"
            if graph.dtype == "uint8" or scales_its_input(model, graph.input)
            else "keras-vgg16-caffe"
        ),
        dynamic_batch=graph.dynamic_batch,
        names=names_in({entry.key: entry.value for entry in model.metadata_props}),
        output=output,
    )


def _size(graph: Signature, context: Context) -> tuple[int, int]:
    free = context.size or (_USUAL_SIDE, _USUAL_SIDE)
    return graph.height or free[0], graph.width or free[1]


def _written(model: Any) -> Path:
    """The model as a file of ours."""
    handle, name = tempfile.mkstemp(".onnx", "changed-", TMP)
    with os.fdopen(handle, "wb") as stream:
        stream.write(model.SerializeToString())
    return Path(name)


def _tried(model: Any, context: Context) -> Output:
    """The output with the class scores, by what each of them is for one image."""
    alone = type(model)()
    alone.CopyFrom(model)
    del alone.graph.output[1:]
    graph = signature(alone)
    height, width = _size(graph, context)
    shape = (1, 3, height, width) if graph.layout == "NCHW" else (1, height, width, 3)
    file = _written(model)
    try:
        found = Runner(file, context.threads).every_answer(np.zeros(shape, graph.dtype))
    finally:
        file.unlink()
    return output_for([getattr(one, "shape", None) for one in found], context.classes)


def to_onnx(native: Native, out: Path) -> None:
    shutil.copyfile(native.module, out)
