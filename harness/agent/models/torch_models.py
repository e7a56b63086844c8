"""What the torch formats share: the student's model.py, wrapping a module as a `Native`, and exporting it to ONNX."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.onnx_form import only_output
from ..phases.error_text import one_sentence
from .loaded_model import Context, Default, Native, Output, Unusable, as_rows, output_for
from .model_py import build_model, built, import_factory
from .state_names import fitted

# Square sizes to try when the input size is not known, the usual one first.
_SIZES = (224, 299, 256, 192, 180, 160, 150, 128, 112, 100, 96, 64, 48, 32, 28)
_OPSET = 18
_ANOTHER = "hand in the model.py that they were made with, or save the model as ONNX"
RGB = "train it on colour images (RGB)"
_OF_A_HEAD = 2  # its tensors: weight and bias
_CHANNELS = re.compile(r"expected input\[[\d, ]+\] to have (\d+) channels")
_CALLED = ("logits", "out")  # what models call the class scores among several outputs


def torch_ready(threads: int) -> Any:
    """The torch module, with torchvision importable and `threads` threads."""
    import torch

    from ..torchvision_ops import declare_missing

    declare_missing()
    torch.set_num_threads(threads)
    return torch


def from_state(tensors: Mapping[str, Any], context: Context) -> Any:
    """`build_model(num_classes)` of model.py with the tensors loaded into it.

    Tensors may be missing where build_model sets them itself, for example from pre-trained weights: the file then
    holds the head only. Raises `Unusable` when model.py is missing or does not fit.
    """
    torch = torch_ready(context.threads)
    if context.factory is None:
        raise Unusable(
            "the file holds only weights; hand in model.py with build_model(num_classes) beside it, "
            "or save the model as ONNX or TorchScript"
        )
    build = build_model(import_factory(context.factory))
    model = built(torch, build, context.classes, seed=0)
    there = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    names = fitted({name: tuple(tensor.shape) for name, tensor in tensors.items()}, there)
    state = {new: tensors[old] for old, new in names.new_names.items()}
    if other := [name for name, tensor in state.items() if there.get(name, ()) not in ((), tuple(tensor.shape))]:
        raise Unusable(_do_not_fit(context.classes, other, state, there))
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise Unusable(f"the weights do not fit build_model({context.classes}): {_short(error)}") from error
    left_out = list(names.left_out) if missing else []  # beside a whole model they are a loss's or a metric's
    if unexpected or left_out:
        more = _some([*unexpected, *left_out])
        raise Unusable(f"the weights hold {more}, which build_model({context.classes}) does not have; {_ANOTHER}")
    if missing:
        absent = _left_to_chance(torch, build, context.classes, model, missing)
        if absent:
            raise Unusable(f"the weights lack {_some(absent)}, which build_model({context.classes}) has; {_ANOTHER}")
    return model


def _left_to_chance(torch: Any, build: Any, classes: int, model: Any, missing: list[str]) -> list[str]:
    """The missing tensors that build_model leaves at random values: those that change with the seed."""
    again = built(torch, build, classes, seed=1).state_dict()
    first = model.state_dict()
    return [name for name in missing if name not in again or not torch.equal(first[name], again[name])]


def native(
    model: Any,
    context: Context,
    *,
    size: tuple[int, int] | None,
    dynamic_batch: bool = True,
    names: tuple[str, ...] = (),
    dtype: Any = None,
) -> Native:
    """A torch module, script or exported program's module, ready to answer.

    `size` is the (height, width) that the file fixes; else the declared one, else one that works. `dtype`: of its
    input, if that is not float32. Raises `Unusable` when the model answers at none.
    """
    torch = torch_ready(context.threads)
    if dtype is not None and dtype != torch.float32:
        model = in_another_type(torch, model, dtype)

    def given(batch: NDArray[Any]) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(np.ascontiguousarray(batch)))

    def scores(batch: NDArray[Any], output: Output | None = None) -> NDArray[Any]:
        every = given(batch)
        return np.asarray(taken(every, output or which(every, context.classes)).float().numpy())

    fixed = size or context.size
    height, width = fixed if fixed is not None else _size_that_works(scores)
    one = np.zeros((1, 3, height, width), np.float32)
    if fixed is not None:
        _tried(scores, one)
    output = which(given(one), context.classes)

    def answer(batch: NDArray[Any]) -> NDArray[Any]:
        return scores(batch, output)

    default: Default = "torchvision-imagenet"
    return Native(answer, model, "NCHW", height, width, "float32", default, dynamic_batch, names, output)


def in_another_type(torch: Any, model: Any, dtype: Any) -> Any:
    """The model with its input, float32, turned into `dtype`."""

    class InAnotherType(torch.nn.Module):  # type: ignore[misc]
        turns_its_input = True

        def __init__(self) -> None:
            super().__init__()
            self.model, self.dtype = model, dtype

        def forward(self, image: Any) -> Any:
            return self.model(image.to(self.dtype))

    return InAnotherType().eval()


def _size_that_works(answer: Any) -> tuple[int, int]:
    first: Exception | None = None
    for side in _SIZES:
        try:
            as_rows(answer(np.zeros((1, 3, side, side), np.float32)), 1)
        except Exception as error:  # torch raises many kinds for a size that does not fit
            first = first or error
        else:
            return side, side
    raise Unusable(no_image(_short(first))) from first


def _tried(answer: Any, one: NDArray[Any]) -> None:
    """Raises `Unusable` when the model does not answer at the size that is given."""
    try:
        given = answer(one)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        said = _short(error)
        if _CHANNELS.search(said):
            raise Unusable(no_image(said)) from error
        height, width = one.shape[2:]
        raise Unusable(f"it does not answer for an image of {width} x {height} pixels ({said})") from error
    as_rows(given, 1)


def no_image(said: str) -> str:
    """Why a model that stopped so, at every usual size, cannot be used."""
    if channels := _CHANNELS.search(said):
        return f"its images have {channels[1]} colour channels, and those here have 3; {RGB}"
    return f"it answers at no usual size of image ({said}); give width and height in handin.json, if it takes images"


def which(given: Any, classes: int) -> Output:
    """Which tensor of a model's return value has the scores of `classes`, for one image or a batch."""
    tensors = _tensors(given)
    if not tensors:
        raise Unusable(f"the model returned a {type(given).__name__}, not a tensor of class scores")
    shapes = [(1, *tensor.shape[1:]) if tensor.ndim > 1 else tuple(tensor.shape) for _, tensor in tensors]
    first = [place for place, (name, _) in enumerate(tensors) if name in _CALLED]
    return output_for(shapes, classes, first)


def taken(given: Any, output: Output) -> Any:
    """The tensor of a model's return value that `output` names. Raises `Unusable` when it is not there."""
    tensors = _tensors(given)
    if len(tensors) < output.number:
        raise Unusable(f"the model returned a {type(given).__name__}, not a tensor of class scores")
    return tensors[output.number - 1][1]


def _tensors(given: Any) -> list[tuple[str, Any]]:
    """The tensors in a model's return value, with their keys: a tensor, a tuple, a dictionary, or one in another."""
    if hasattr(given, "shape"):
        return [("", given)]
    entries: Iterable[tuple[Any, Any]] = ()
    if isinstance(given, Mapping):
        entries = given.items()
    elif isinstance(given, (tuple, list)):
        entries = zip(getattr(given, "_fields", [""] * len(given)), given, strict=True)
    found = []
    for key, value in entries:
        inside = _tensors(value)
        found += [(str(key), tensor) for _, tensor in inside] if len(inside) == 1 else inside
    return found


def export_module(native: Native, out: Path) -> None:
    """Write an `nn.Module` or script as ONNX, by tracing; BatchNorm is not folded."""
    torch = torch_ready(1)
    model, example = native.module, torch.zeros(2, 3, native.height, native.width)
    if getattr(model, "turns_its_input", False):  # a script in it is traced by itself only
        model, example = model.model, example.to(model.dtype)
    with torch.inference_mode():
        given = model(example)
    scripted = isinstance(model, torch.jit.ScriptModule)
    if not hasattr(given, "shape") and not scripted:
        model = _one_output(torch, model, native.output)
    answers = ["answer"]
    if scripted and native.output.of > 1:
        answers = [f"answer {number}" for number in range(1, native.output.of + 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter is deprecated, but torch is pinned
        torch.onnx.export(
            model,
            (example,),
            str(out),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["image"],
            output_names=answers,
            dynamic_axes={name: {0: "batch"} for name in ("image", *answers)},
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
        )
    if len(answers) > 1 or example.dtype != torch.float32:
        only_output(out, native.output)


def _one_output(torch: Any, model: Any, output: Output) -> Any:
    class OneOutput(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: Any) -> Any:
            return taken(self.model(image), output)

    return OneOutput().eval()


def export_program(program: Any, example: Any, out: Path, *, dynamic_batch: bool) -> None:
    """Write an exported program, or a module that does not trace, as ONNX, without optimisations."""
    torch = torch_ready(1)
    shapes = {"dynamic_shapes": ({0: "batch"},)} if dynamic_batch else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            program,
            (example,),
            str(out),
            dynamo=True,
            external_data=False,
            optimize=False,
            verbose=False,
            input_names=["image"],
            output_names=["answer"],
            **shapes,
        )


def to_onnx(native: Native, out: Path) -> None:
    """An `nn.Module` as ONNX: by tracing, else through torch.export."""
    try:
        export_module(native, out)
    except Exception:
        torch = torch_ready(1)
        example = torch.zeros(2, 3, native.height, native.width)
        module = native.module if native.output.of == 1 else _one_output(torch, native.module, native.output)
        export_program(module, example, out, dynamic_batch=True)


def _do_not_fit(classes: int, other: list[str], state: Mapping[str, Any], there: Mapping[str, tuple[int, ...]]) -> str:
    """Why weights of other shapes than the model's cannot be used."""
    first = other[0]
    ends = state[first].shape[:1], there[first][:1]
    if len(other) <= _OF_A_HEAD and ends[1] == (classes,) and ends[0] != ends[1]:
        return (
            f"the weights are for {ends[0][0] if ends[0] else 'no'} classes ({first}), and there are {classes} labels; "
            "hand in the weights of the model for this assignment's classes"
        )
    more = f", and {len(other) - 1} more differ" if len(other) > 1 else ""
    return (
        f"the weights do not fit build_model({classes}): {first} is {_sides(state[first].shape)} in the file and "
        f"{_sides(there[first])} in the model{more}; {_ANOTHER}"
    )


def _sides(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _short(error: object) -> str:
    """The exception's one sentence; a script's cause stands on its last line."""
    text = str(error)
    lines = [line for line in text.splitlines() if line.strip()]
    return one_sentence(lines[-1] if "Traceback of TorchScript" in text else text)
