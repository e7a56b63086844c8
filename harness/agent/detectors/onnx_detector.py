"""What the families of ONNX detectors share: opening the file, running it, and the names in its metadata."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.onnx_errors import stopped
from ..graph.onnx_form import with_plain_input
from ..graph.onnx_model import read_with_data, session
from ..models.class_names import names_in
from ..models.loaded_model import Unusable
from ..models.model_file import is_onnx
from ..paths import TMP
from .detector import Floats, Opening, Pixels

_DRAWN = 4  # images of noise, where there are none to look at
_DRAWN_SIDE = 300


def number_of_outputs(file: Path) -> int:
    """How many outputs an ONNX file has; 0 for any other file, and for a damaged one."""
    return _outputs(file, file.stat().st_mtime_ns) if is_onnx(file) else 0


@lru_cache(maxsize=4)
def _outputs(file: Path, _: int) -> int:
    import onnx

    try:
        return len(onnx.load_model(str(file), load_external_data=False).graph.output)
    except Exception:  # protobuf's DecodeError, which has no types
        return 0


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """An ONNX file, ready to run."""

    model: Any  # the `onnx.ModelProto`
    outputs: tuple[str, ...]
    _session: Any
    _input: str

    def run(self, given: NDArray[Any]) -> list[NDArray[Any]]:
        """All outputs, in order. Raises `Unusable` where it fails, or gives something that is no array."""
        try:
            answers = self._session.run(None, {self._input: given})
        except Exception as error:  # onnxruntime's own classes, one for each of its status codes
            raise Unusable(stopped(error)) from error
        if not all(isinstance(one, np.ndarray) and one.dtype.kind in "fiu" for one in answers):
            raise Unusable("one of its outputs is no tensor of numbers; export scores and boxes only")
        return answers  # type: ignore[no-any-return]

    def floats(self, given: NDArray[Any]) -> list[Floats]:
        """All outputs as float32. Raises `Unusable` as `run` does."""
        return [one.astype(np.float32) for one in self.run(given)]

    @property
    def metadata(self) -> Mapping[str, str]:
        return {entry.key: entry.value for entry in self.model.metadata_props}

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes, where the file's metadata hold them."""
        return names_in(self.metadata)


def opened(opening: Opening) -> OnnxGraph:
    """The ONNX file with a float32 or uint8 input. Raises `Unusable`."""
    model, changed = read_with_data(opening.file, opening.data)
    changed |= with_plain_input(model)
    file = opening.file
    if changed:
        handle, name = tempfile.mkstemp(".onnx", "changed-", TMP)
        with os.fdopen(handle, "wb") as stream:
            stream.write(model.SerializeToString())
        file = Path(name)
    running = session(file, opening.threads)
    given = running.get_inputs()
    if len(given) != 1:
        raise Unusable(f"the model takes {len(given)} inputs; it has to take one image")
    names = tuple(one.name for one in running.get_outputs())
    return OnnxGraph(model, names, opening.watched(running), given[0].name)


def checks(opening: Opening) -> Sequence[Pixels]:
    """The images to look at the outputs with; noise where there are none."""
    drawn = np.random.default_rng(0)
    noise = [drawn.integers(0, 256, (_DRAWN_SIDE, _DRAWN_SIDE, 3), dtype=np.uint8) for _ in range(_DRAWN)]
    return opening.checks or noise
