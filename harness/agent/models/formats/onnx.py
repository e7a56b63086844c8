"""An ONNX file as handed in: checked, not changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...graph.onnx_model import Runner, read, scales_its_input, signature
from ..loaded_model import Context, Native
from ..model_file import is_onnx

_JETSON = ("input_0", "output_0")  # the names that jetson-inference's onnx_export.py gives
_USUAL_SIDE = 224  # pixels, where the graph leaves it free


def matches(file: Path) -> bool:
    return is_onnx(file)


def load(file: Path, context: Context) -> Native:
    model = read(file)
    graph = signature(model)
    free = context.size or (_USUAL_SIDE, _USUAL_SIDE)
    height, width = graph.height or free[0], graph.width or free[1]
    return Native(
        answer=Runner(file, context.threads).answer,
        module=file,
        layout=graph.layout,
        height=height,
        width=width,
        input_dtype=graph.dtype,
        default=(
            "jetson-inference"
            if (graph.input, graph.output) == _JETSON
            else "torchvision-imagenet"
            if graph.layout == "NCHW" and graph.dtype == "float32"
            else "keras-raw"
            if graph.dtype == "uint8" or scales_its_input(model, graph)
            else "keras-vgg16-caffe"
        ),
        dynamic_batch=graph.dynamic_batch,
    )


def to_onnx(native: Native, out: Path) -> None:
    shutil.copyfile(native.module, out)
