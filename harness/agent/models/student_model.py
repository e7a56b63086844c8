"""A model whose format runs code, seen from the agent: a process that gets pixels and returns scores.

All formats but ONNX run code that the student chose, or may open files: pickles and model.py, Lambda layers,
TorchScript and TensorFlow's operators. The agent loads none of them; the separate program `model_process.py` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .class_names import plain_names
from .loaded_model import Native, Output, Unusable
from .own_process import OwnProcess

_LAYOUTS = ("NCHW", "NHWC")
_DTYPES = ("float32", "uint8")
_DEFAULTS = ("torchvision-imagenet", "keras-vgg16-caffe", "keras-raw", "jetson-inference")
_LONGEST_SIDE = 2048  # pixels, as the harness bounds it
_MOST_SETTINGS = 1000
_LONGEST_SETTING = 150  # characters
_MOST_OUTPUTS = 1000  # likewise


class StudentModel:
    """The model in /in/model, loaded in a separate process."""

    def __init__(
        self,
        labels: int,
        size: tuple[int, int] | None,
        factory: bool,
        threads: int,
        process: OwnProcess | None = None,
    ) -> None:
        """`size`: (height, width) as declared. `process`: one that is already running and has loaded nothing.

        Raises `Unusable` and `NeedsEnvironment`, as the loader does.
        """
        self._process = process or OwnProcess()
        wanted = {"do": "load", "labels": labels, "size": size, "factory": factory, "threads": threads}
        said, _ = self._process.ask(wanted)
        self.format = str(said.get("format"))[:32]
        self.native = self._described(said)

    def export(self, out: Path) -> None:
        """Have the process write the model as ONNX, then end it, so that it cannot change the file any more.

        Raises `Unusable` where the export fails; the process then lives on.
        """
        self._process.ask({"do": "export", "to": str(out)})
        self._process.end()

    @property
    def has_ended(self) -> bool:
        return self._process.has_ended

    def inspection(self, backbones: dict[str, str]) -> dict[str, Any]:
        """The process's own report on the model's weights."""
        said, _ = self._process.ask({"do": "inspect", "backbones": backbones})
        found = said.get("inspection")
        if not isinstance(found, dict):
            raise Unusable("it does not show its weights")
        return found

    def _answer(self, batch: NDArray[Any]) -> NDArray[Any]:
        _, rows = self._process.ask({"do": "answer"}, batch)
        if rows is None or rows.dtype != np.float32:
            raise Unusable("the model's process gave no scores")
        return rows

    def _described(self, said: dict[str, Any]) -> Native:
        height, width, layout = said.get("height"), said.get("width"), said.get("layout")
        dtype, default = said.get("input_dtype"), said.get("default")
        sides = all(type(side) is int and 1 <= side <= _LONGEST_SIDE for side in (height, width))
        if said.get("format") == "onnx":  # ONNX needs no such process, and its report would pass for ours
            raise Unusable("the model's process says that it holds an ONNX graph")
        if not sides or layout not in _LAYOUTS or dtype not in _DTYPES or default not in _DEFAULTS:
            raise Unusable("the model's process did not say what it takes")
        return Native(
            self._answer, self, layout, height, width, dtype, default,  # type: ignore[arg-type]
            said.get("dynamic_batch") is True, plain_names(said.get("names")), _output(said.get("output")),
            _settings(said.get("passed_over")),
        )  # fmt: skip


def _settings(said: Any) -> tuple[str, ...]:
    """The settings that it passed over, as it names them; empty for what is no list of short names."""
    short = isinstance(said, list) and len(said) <= _MOST_SETTINGS and all(isinstance(one, str) for one in said)
    return tuple(one for one in said if one.isprintable() and len(one) <= _LONGEST_SETTING) if short else ()


def _output(said: Any) -> Output:
    """Which output it says it takes. Raises `Unusable` for what is no number of one."""
    if not (isinstance(said, list) and len(said) == 2 and all(type(one) is int for one in said)):
        raise Unusable("the model's process did not say which output it takes")
    if not 1 <= said[0] <= said[1] <= _MOST_OUTPUTS:
        raise Unusable("the model's process did not say which output it takes")
    return Output(*said)
