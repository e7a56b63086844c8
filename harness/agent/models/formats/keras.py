"""Keras models (.keras, .h5), through Keras 3 on its torch backend: a quarter of TensorFlow's memory.

A model that it cannot read, because it holds TensorFlow operators say, goes through TensorFlow: Keras 3 files
with Keras 3, Keras 2 files with tf_keras.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..class_names import names_in, names_in_extras
from ..keras2 import as_keras3, is_keras2
from ..keras_config import layer_of_a_hub, why_not, without_unknown_settings
from ..lean_imports import lean
from ..loaded_model import Context, Native, NeedsEnvironment, Unusable
from ..model_file import has_member, is_hdf5, zip_members
from ..tensorflow_models import ENVIRONMENT, check_input, has_tensorflow, one_of, tensorflow_ready
from ..tensorflow_models import native as tensorflow_native
from ..tensorflow_models import to_onnx as tensorflow_to_onnx
from ..torch_models import torch_ready

_USUAL_SIDE = 224  # pixels, where the model leaves it free
# Layers and operators that scale the pixels inside the model.
_REFUSALS = (ValueError, TypeError, OSError, KeyError, AttributeError, NameError, ImportError, EOFError, SyntaxError)
_OF_THEIR_OWN = re.compile(r"Could not locate function")
_SCALING = ("Rescaling", "Normalization", "TrueDivide", "Subtract", "Lambda", "GetItem", "TFOpLambda")


def matches(file: Path) -> bool:
    return is_hdf5(file) or ("config.json" in zip_members(file) and has_member(file, "model.weights.h5"))


def load(file: Path, context: Context) -> Native:
    if has_tensorflow():
        return _load_with_tensorflow(file, context)
    keras = _keras(context.threads)
    inner, passed_over = _loaded(keras, file)
    shape = inner.input_shape
    check_input(shape)
    free = context.size or (_USUAL_SIDE, _USUAL_SIDE)
    height, width = shape[1] or free[0], shape[2] or free[1]
    integer = "int" in str(inner.inputs[0].dtype)
    image = keras.Input((height, width, 3), dtype="uint8" if integer else "float32")
    taken = image if not integer else keras.ops.cast(image, inner.inputs[0].dtype)
    given = inner(taken, training=False)  # augmentation layers off
    scores, output = one_of(given, context.classes)
    model = keras.Model(image, scores)

    def answer(batch: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(model.predict(batch, verbose=0, batch_size=len(batch)))

    answer(np.zeros((1, height, width, 3), image.dtype))  # the export needs a model that was called once
    scales = any(type(layer).__name__ in _SCALING for layer in _layers(inner))
    return Native(
        answer=answer,
        module=model,
        layout="NHWC",
        height=height,
        width=width,
        input_dtype="uint8" if integer else "float32",
        default="keras-raw" if scales or integer else "keras-vgg16-caffe",
        dynamic_batch=True,
        names=_names(file),
        output=output,
        passed_over=passed_over,
    )


def _load_with_tensorflow(file: Path, context: Context) -> Native:
    tensorflow_ready(context.threads, "")
    with lean():
        if is_keras2(file):
            os.environ["TF_USE_LEGACY_KERAS"] = "1"
            import tf_keras as keras
        else:
            os.environ["KERAS_BACKEND"] = "tensorflow"
            import keras
    model, passed_over = _loaded(keras, file)
    scales = any(type(layer).__name__ in _SCALING for layer in _layers(model))
    ready = tensorflow_native(
        lambda image: model(image, training=False),  # augmentation layers off
        model.input_shape,
        context,
        "keras-raw" if scales else "keras-vgg16-caffe",
        dtype=model.inputs[0].dtype,
        names=_names(file),
    )
    return replace(ready, passed_over=passed_over)


def to_onnx(native: Native, out: Path) -> None:
    if has_tensorflow():
        tensorflow_to_onnx(native, out)
        return
    native.module.export(str(out), format="onnx", verbose=False)


def _names(file: Path) -> tuple[str, ...]:
    """The names of the classes in the attributes of an .h5, or in the texts of a .keras."""
    if not is_hdf5(file):
        return names_in_extras(file, "", (".json", ".txt"))
    import h5py

    with h5py.File(file, "r") as stored:
        return names_in({key: stored.attrs[key] for key in list(stored.attrs) if key != "model_config"})


def _keras(threads: int) -> Any:
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ.setdefault("KERAS_HOME", tempfile.mkdtemp(prefix="keras-"))
    torch_ready(threads)
    with lean():
        import keras

    return keras


def _loaded(keras: Any, file: Path) -> tuple[Any, tuple[str, ...]]:
    """The model, and settings in it that were passed over.

    Keras needs the file's suffix, which a mounted file does not have, so it reads a copy.
    """
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    named = folder / ("model.h5" if is_hdf5(file) else "model.keras")
    shutil.copyfile(file, named)
    keras2 = is_keras2(named)
    if layer_of_a_hub(named):
        raise Unusable(
            "it has a layer of TensorFlow Hub (KerasLayer), whose weights and code are not in the file; save it with "
            "model.export('model') as a SavedModel, or build it on keras.applications"
        )
    try:
        if keras2 and not has_tensorflow():
            as_keras3(named)
        try:
            return _read(keras, named), ()
        except _REFUSALS:
            if not (passed_over := () if keras2 else without_unknown_settings(named)):
                raise
        return _read(keras, named), passed_over
    except _REFUSALS as error:
        said = " ".join(str(error).split())
        if "No model config found" in said:
            raise Unusable(
                "the file holds only weights; save the whole model with model.save('model.keras')"
            ) from error
        elsewhere = _OF_THEIR_OWN.search(said) is None  # which no environment has
        if (
            elsewhere
            and not has_tensorflow()
            and not isinstance(error, OSError)
            and (keras2 or _wants_tensorflow(said))
        ):
            version = "Keras 2" if keras2 else "Keras on TensorFlow"
            raise NeedsEnvironment(ENVIRONMENT, f"{version} wrote it, with parts that only TensorFlow has") from error
        raise Unusable(why_not(named, error, keras.__version__)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(keras: Any, named: Path) -> Any:
    return keras.models.load_model(
        named,
        compile=False,
        safe_mode=False,  # Lambda layers: this is the sandbox
        custom_objects={} if keras.__name__ == "tf_keras" else _operators(),
    )


def _operators() -> dict[str, Any]:
    """Operators that Keras 3 writes into a model's graph (preprocess_input) but cannot load from .h5."""
    from keras.src.ops import numpy as operators

    return {"TrueDivide": operators.TrueDivide, "Subtract": operators.Subtract}


def _wants_tensorflow(said: str) -> bool:
    return any(word in said for word in ("tensorflow", "TFOpLambda", "SlicingOpLambda", "name 'tf'", "Lambda"))


def _layers(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _layers(layer)
