"""Keras models (.keras, .h5), through Keras 3 on its torch backend: no TensorFlow."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..keras2 import as_keras3, is_keras2
from ..model_file import has_member, is_hdf5, zip_members
from ..native import Context, Native, Unusable
from ..torch_models import torch_ready

_USUAL_SIDE = 224  # pixels, where the model leaves it free
# Layers and operators that scale the pixels inside the model.
_SCALING = ("Rescaling", "Normalization", "TrueDivide", "Subtract", "Lambda", "GetItem")


def matches(file: Path) -> bool:
    return is_hdf5(file) or ("config.json" in zip_members(file) and has_member(file, "model.weights.h5"))


def load(file: Path, context: Context) -> Native:
    keras = _keras(context.threads)
    inner = _loaded(keras, file)
    shape = inner.input_shape
    if isinstance(shape, list) or len(shape) != 4:
        raise Unusable(f"the model's input has the shape {shape}; a classifier takes one batch of pictures")
    if shape[3] != 3:
        raise Unusable(f"the model's input has the shape {shape}; its last dimension must be the 3 colours")
    free = context.size or (_USUAL_SIDE, _USUAL_SIDE)
    height, width = shape[1] or free[0], shape[2] or free[1]
    image = keras.Input((height, width, 3))
    model = keras.Model(image, inner(image, training=False))  # augmentation layers off

    def answer(batch: NDArray[Any]) -> NDArray[Any]:
        given = model.predict(batch, verbose=0, batch_size=len(batch))
        return np.asarray(given[0] if isinstance(given, (list, tuple)) else given)

    answer(np.zeros((1, height, width, 3), np.float32))  # the export wants a model that was called
    scales = any(type(layer).__name__ in _SCALING for layer in _layers(inner))
    return Native(
        answer=answer,
        module=model,
        layout="NHWC",
        height=height,
        width=width,
        input_dtype="float32",
        default="keras-raw" if scales else "keras-vgg16-caffe",
        dynamic_batch=True,
    )


def to_onnx(native: Native, out: Path) -> None:
    native.module.export(str(out), format="onnx", verbose=False)


def _keras(threads: int) -> Any:
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ.setdefault("KERAS_HOME", tempfile.mkdtemp(prefix="keras-"))
    torch_ready(threads)
    import keras

    return keras


def _loaded(keras: Any, file: Path) -> Any:
    """The model. Keras goes by the suffix, which a mounted file does not have: so it reads a copy."""
    from keras.src.ops import numpy as operators

    folder = Path(tempfile.mkdtemp(prefix="model-"))
    named = folder / ("model.h5" if is_hdf5(file) else "model.keras")
    shutil.copyfile(file, named)
    try:
        if is_keras2(named):
            as_keras3(named)
        return keras.models.load_model(
            named,
            compile=False,
            safe_mode=False,  # Lambda layers: this is the sandbox
            custom_objects={"TrueDivide": operators.TrueDivide, "Subtract": operators.Subtract},
        )
    except (ValueError, TypeError, OSError, KeyError, AttributeError) as error:
        said = " ".join(str(error).split())
        if "No model config found" in said:
            raise Unusable(
                "the file holds only weights; save the whole model with model.save('model.keras')"
            ) from error
        if "TFOpLambda" in said or "SlicingOpLambda" in said:
            raise Unusable(
                "an old Keras wrote the pre-processing into the model as a TensorFlow operator; leave "
                "preprocess_input out of the model, or save it with Keras 3 or as ONNX"
            ) from error
        raise Unusable(f"Keras cannot load it: {said[:250]}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _layers(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _layers(layer)
