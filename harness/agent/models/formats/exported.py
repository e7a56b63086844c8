"""`torch.export.save` (.pt2): a graph without Python code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...graph.onnx_form import only_output
from ..class_names import names_in_extras
from ..loaded_model import Context, Native, Unusable
from ..model_file import has_member
from ..torch_models import RGB, export_program, native, torch_ready


def matches(file: Path) -> bool:
    return has_member(file, "archive_format") or has_member(file, "serialized_exported_program.json")


def load(file: Path, context: Context) -> Native:
    torch = torch_ready(context.threads)
    with file.open("rb") as stream:  # given a name, it requires the suffix .pt2
        program = torch.export.load(stream)
    value = _input(program)
    batch, channels, height, width = (side if isinstance(side, int) else None for side in value.shape)
    if channels != 3:
        raise Unusable(f"its images have {channels} colour channels, and those here have 3; {RGB}")
    if batch is not None and batch != 1:
        raise Unusable(f"the model takes exactly {batch} images at a time; export it with a dynamic batch, or for 1")
    fixed = (height, width) if height and width else None
    names = names_in_extras(file)
    return native(_Runnable(program, value.dtype), context, size=fixed, dynamic_batch=batch is None, names=names)


class _Runnable:
    """The program as a callable that takes float32; it keeps the program for the export."""

    def __init__(self, program: Any, dtype: Any) -> None:
        self.program, self.dtype = program, dtype
        self._module = program.module()

    def __call__(self, image: Any) -> Any:
        return self._module(image.to(self.dtype))


def _input(program: Any) -> Any:
    """The input, as a tensor without numbers, of four dimensions. Raises `Unusable` for any other."""
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise Unusable(f"the model takes {len(names)} inputs; a classifier takes one image")
    value = next(n.meta["val"] for n in program.graph.nodes if n.op == "placeholder" and n.name == names[0])
    if len(value.shape) != 4:
        raise Unusable(
            f"the input has {len(value.shape)} dimensions, and a batch of images 4; export a model that takes images"
        )
    return value


def to_onnx(native: Native, out: Path) -> None:
    torch = torch_ready(1)
    example = torch.zeros(1, 3, native.height, native.width, dtype=native.module.dtype)
    export_program(native.module.program, example, out, dynamic_batch=False)  # the file fixes it itself
    if native.output.of > 1 or native.module.dtype != torch.float32:
        only_output(out, native.output)
