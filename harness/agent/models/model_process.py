"""The process that runs a student's code: it loads the model of /in/model and answers batches of pixels.

The agent starts it as a separate program (`python -I -B .../model_process.py`), so that it inherits no memory, no open
file and no image. It reads arrays from stdin and writes arrays to stdout (`messages.py`). While it is timed, arrays
come through shared memory that holds nothing else (`timing/own_code.py`). What a model prints goes to the log. The
process is not told which image an array is, nor which phase asks, although the agent's command line shows the phase.
"""

from __future__ import annotations

import gc
import math
import mmap
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if __name__ == "__main__":
    __package__ = "agent.models"
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if TYPE_CHECKING:
    from ..detectors.detector import Detector
    from .loaded_model import Native
    from .registry import Format

Reply = tuple[dict[str, Any], Any]  # the message, and an array or None


def main() -> None:
    """Answer requests until the agent is gone."""
    asked, answered = _streams()
    from . import messages

    served = _Served()
    while True:
        try:
            said, array = messages.read(asked, most_bytes=None)
        except EOFError:
            return
        messages.write(answered, *_tried(served.offers[said["do"]], said, array))


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """Stdin's and stdout's streams under descriptors that children do not inherit; prints go to the log."""
    kept = [os.dup(0), os.dup(1)]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(kept[0], "rb"), os.fdopen(kept[1], "wb")


def _tried(work: Callable[[dict[str, Any], Any], Reply], said: dict[str, Any], array: Any) -> Reply:
    """The reply, or the raised exception in words."""
    from ..phases.refusal import described
    from .loaded_model import NeedsEnvironment, Unusable

    try:
        return work(said, array)
    except NeedsEnvironment as error:
        return {"needs": error.environment, "why": error.why}, None
    except Unusable as error:
        return {"refused": str(error)}, None
    except (Exception, SystemExit) as error:  # whatever the student's own code raises
        return {"refused": described(error)}, None


class _Served:
    """The requests that the process answers, and the model once it is loaded."""

    _form: Format
    _native: Native
    _detector: Detector
    _shared: mmap.mmap
    _timed: Callable[[Any], Any]

    def __init__(self) -> None:
        self.offers: dict[str, Callable[[dict[str, Any], Any], Reply]] = {
            "load": self._load,
            "answer": self._answer,
            "export": self._export,
            "inspect": self._inspect,
            "open detector": self._open_detector,
            "detect": self._detect,
            "export detector": self._export_detector,
            "share": self._share,
            "nothing": self._nothing,
            "engine": self._engine,
            "timed answer": self._timed_answer,
        }

    def _load(self, said: dict[str, Any], _: Any) -> Reply:
        from ..phases.convert import load_handed_in, use_mounted_weights

        use_mounted_weights()
        size = None if said["size"] is None else (said["size"][0], said["size"][1])
        name, self._form, native = load_handed_in(said["labels"], size, said["factory"], said["threads"])
        self._native = native
        described = {
            "format": name,
            "layout": native.layout,
            "height": native.height,
            "width": native.width,
            "input_dtype": native.input_dtype,
            "default": native.default,
            "dynamic_batch": native.dynamic_batch,
            "names": native.names,
            "passed_over": native.passed_over,
            "output": [native.output.number, native.output.of],
        }
        return described, None

    def _answer(self, _: dict[str, Any], batch: Any) -> Reply:
        from .loaded_model import units

        return {}, units(self._native.answer(batch.copy()), len(batch))

    def _export(self, said: dict[str, Any], _: Any) -> Reply:
        self._form.to_onnx(self._native, Path(said["to"]))
        return {}, None

    def _inspect(self, said: dict[str, Any], _: Any) -> Reply:
        from ..phases.inspect import of_module

        return {"inspection": of_module(self._native.module, said["backbones"])}, None

    def _open_detector(self, said: dict[str, Any], _: Any) -> Reply:
        from dataclasses import asdict

        from ..detectors.detector import Opening, Scaling
        from ..detectors.registry import family_of
        from ..images.preprocessing import Rule
        from ..phases.convert import use_mounted_weights

        use_mounted_weights()
        rule = None if said["rule"] is None else Rule.from_request(said["rule"])
        scaling = None if said["scaling"] is None else Scaling.from_request(said["scaling"])
        opening = Opening(Path(said["file"]), said["threads"], rule, scaling)
        self._detector = family_of(opening.file)[1].load(opening)
        return {"description": asdict(self._detector.description)}, None

    def _detect(self, said: dict[str, Any], image: Any) -> Reply:
        from ..detectors.detector import Scaling
        from ..detectors.scaling import rescaled
        from ..detectors.student_detector import packed

        scaling = None if said["scaling"] is None else Scaling.from_request(said["scaling"])
        detector = rescaled(self._detector, scaling) if scaling else self._detector
        return packed(detector.answer(image.copy()))

    def _export_detector(self, said: dict[str, Any], _: Any) -> Reply:
        from ..detectors.graph_export import write

        write(self._detector, Path(said["to"]))
        return {}, None

    def _share(self, said: dict[str, Any], _: Any) -> Reply:
        self._shared = mmap.mmap(said["descriptor"], said["bytes"], prot=mmap.PROT_READ)
        os.close(said["descriptor"])
        return {}, None

    def _nothing(self, said: dict[str, Any], _: Any) -> Reply:
        """Answer zeros, to measure the transfer time of a timed answer before the model's code is loaded."""
        import numpy as np

        return {"token": said["token"]}, np.zeros((len(self._given(said)), said["labels"]), np.float32)

    def _engine(self, said: dict[str, Any], _: Any) -> Reply:
        """Let torch run the model, eager or compiled, without garbage collection from now on."""
        import torch

        from .loaded_model import Unusable
        from .torch_models import taken

        module, output = self._native.module, self._native.output
        if not isinstance(module, torch.nn.Module):
            raise Unusable("the engine torch needs a torch model; this one is none")
        if said["compiled"] and isinstance(module, torch.jit.ScriptModule):
            raise Unusable(
                "torch.compile does not take TorchScript; give the module itself, or its weights with model.py beside "
                "them"
            )
        runs = torch.compile(module) if said["compiled"] else module

        def timed(batch: Any) -> Any:
            with torch.inference_mode():
                return taken(runs(torch.from_numpy(batch)), output).float().numpy()

        self._timed = timed
        gc.collect()
        gc.disable()
        return {}, None

    def _timed_answer(self, said: dict[str, Any], _: Any) -> Reply:
        from .loaded_model import units

        given = self._given(said)
        return {"token": said["token"]}, units(self._timed(given), len(given))

    def _given(self, said: dict[str, Any]) -> Any:
        """The array in the shared memory, as the model's input."""
        import numpy as np

        return np.frombuffer(self._shared, np.float32, math.prod(said["shape"])).reshape(said["shape"]).copy()


if __name__ == "__main__":
    main()
