"""A model whose format runs code, as the agent sees it: a process that is handed pixels and gives scores.

All formats but ONNX run code of the student's choice, or may open files: pickles and model.py, Lambda layers,
TorchScript and TensorFlow's operators. The agent loads none of them; `model_process.py` does, in a program of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..process import end_all_others
from . import messages
from .loaded_model import Native, NeedsEnvironment, Unusable

_PROGRAM = Path(__file__).with_name("model_process.py")
_LAYOUTS = ("NCHW", "NHWC")
_DTYPES = ("float32", "uint8")
_DEFAULTS = ("torchvision-imagenet", "keras-vgg16-caffe", "keras-raw", "jetson-inference")
_LONGEST_SIDE = 2048  # pixels, as the harness bounds it
_LONGEST_REASON = 2000  # characters


class StudentModel:
    """The model of /in/model, loaded in a process of its own."""

    def __init__(self, labels: int, size: tuple[int, int] | None, factory: bool, threads: int) -> None:
        """`size`: (height, width) as declared. Raises `Unusable` and `NeedsEnvironment`, as its loader does."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        wanted = {"do": "load", "labels": labels, "size": size, "factory": factory, "threads": threads}
        said, _ = self._ask(wanted)
        self.has_ended = False
        self.format = str(said.get("format"))[:32]
        self.native = self._described(said)

    def export(self, out: Path) -> None:
        """Have the model written as ONNX, and end its process: nobody can change the file any more.

        Raises `Unusable` where it cannot be; the process then lives on.
        """
        self._ask({"do": "export", "to": str(out)})
        self._end()

    def inspection(self, backbones: dict[str, str]) -> dict[str, Any]:
        """What the model's process says of its weights."""
        said, _ = self._ask({"do": "inspect", "backbones": backbones})
        found = said.get("inspection")
        if not isinstance(found, dict):
            raise Unusable("it does not show its weights")
        return found

    def _answer(self, batch: NDArray[Any]) -> NDArray[Any]:
        _, rows = self._ask({"do": "answer"}, batch)
        if rows is None or rows.dtype != np.float32:
            raise Unusable("the model's process gave no scores")
        return rows

    def _described(self, said: dict[str, Any]) -> Native:
        height, width, layout = said.get("height"), said.get("width"), said.get("layout")
        dtype, default = said.get("input_dtype"), said.get("default")
        sides = all(type(side) is int and 1 <= side <= _LONGEST_SIDE for side in (height, width))
        if said.get("format") == "onnx":  # no process is needed for that; its word would pass for ours
            raise Unusable("the model's process says that it holds an ONNX graph")
        if not sides or layout not in _LAYOUTS or dtype not in _DTYPES or default not in _DEFAULTS:
            raise Unusable("the model's process did not say what it takes")
        return Native(self._answer, self, layout, height, width, dtype, default, said.get("dynamic_batch") is True)  # type: ignore[arg-type]

    def _ask(
        self, said: dict[str, Any], array: NDArray[Any] | None = None
    ) -> tuple[dict[str, Any], NDArray[Any] | None]:
        """Its reply. Raises `Unusable` and `NeedsEnvironment` when it says so; ends as the process did when it died."""
        streams = self._process.stdin, self._process.stdout
        assert streams[0] is not None and streams[1] is not None
        try:
            messages.write(_bytes(streams[0]), said, array)
            reply, rows = messages.read(_bytes(streams[1]))
        except (EOFError, OSError):
            _end_as(self._process.wait())
        except messages.Malformed as error:
            self._end()
            raise Unusable(f"the model's process sent something that is no answer ({error})") from error
        if "needs" in reply:
            raise NeedsEnvironment(str(reply["needs"])[:32], str(reply.get("why"))[:300])
        if "refused" in reply:
            raise Unusable(str(reply["refused"])[:_LONGEST_REASON])
        return reply, rows

    def _end(self) -> None:
        """Kill the process, and all that it started."""
        self.has_ended = True
        self._process.kill()
        self._process.wait()
        end_all_others()


def _bytes(stream: Any) -> BinaryIO:
    return stream  # type: ignore[no-any-return]


def _end_as(code: int) -> None:
    """End this process as the model's ended, killed or by itself: the harness then sees what became of the model."""
    if code < 0:
        print(f"the model's process was ended by {signal.Signals(-code).name}", file=sys.stderr, flush=True)
        os._exit(128 - code)
    print(f"the model's process ended by itself with status {code}", file=sys.stderr, flush=True)
    os._exit(code or 1)
