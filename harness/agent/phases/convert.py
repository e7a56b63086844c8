"""The phase `convert`: converts a submission's model to ONNX and compares it with the original.

The model formats are in `harness/agent/models/formats`. The request holds `labels` (how many), `rule` and `size` as
declared or null, `output` (what handin.json calls the scores, or null), `factory` (whether /in/model.py exists), `data`
(location of an ONNX file's external data -> its name under /in), `onnx` (whether to convert the model, or keep it as
it is) and `cpus`; the list of images is `check`. Sent: `conversion.json` and, when the model was converted,
`model.onnx`; or `refused.json` with a reason for the student; or `needs.json` with the environment in which the model
can be read.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.onnx_model import Runner, read, signature
from ..images.preprocessing import Rule, UnreadableImage, model_input, pixels
from ..models.loaded_model import (
    Answers,
    Context,
    Kind,
    Native,
    NeedsEnvironment,
    Unusable,
    answers,
    is_probabilities,
    probabilities,
    units,
)
from ..models.model_file import is_onnx
from ..models.preprocessing_defaults import assumed
from ..models.registry import Format, format_of
from ..models.student_model import StudentModel
from ..paths import IN, TMP
from .refusal import described, refuse

_FEWEST_IMAGES = 8
_MOST_PASSED_OVER = 20
_FAR = np.float32(1000)  # times an image's input; of all images, since their order is another in each run
TOLERANCE = 1e-3  # of the probabilities, ONNX against the original


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Convert /in/model and send the result."""
    use_mounted_weights()
    try:
        reply = _converted(request, send)
    except NeedsEnvironment as error:
        _send_json(send, "needs.json", {"environment": error.environment, "why": error.why})
    except Unusable as error:
        refuse(send, str(error))
    except (Exception, SystemExit) as error:  # whatever the student's own code raises
        refuse(send, described(error))
    else:
        _send_json(send, "conversion.json", reply)


def use_mounted_weights() -> None:
    """Let torch.hub and torchvision find the mounted pre-trained weights."""
    if (IN / "weights").is_dir():
        os.environ["TORCH_HOME"] = str(IN / "weights")


def load_handed_in(
    labels: int, size: tuple[int, int] | None, factory: bool, threads: int, data: Mapping[str, str] | None = None
) -> tuple[str, Format, Native]:
    """The name of the format of /in/model, the format, and the model. Raises `Unusable`."""
    beside = {location: IN / name for location, name in (data or {}).items()}
    context = Context(labels, size, IN / "model.py" if factory else None, threads, beside)
    name, form = format_of(IN / "model")
    return name, form, form.load(IN / "model", context)


def _converted(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> dict[str, Any]:
    checks = list(request["images"].take("check"))
    opened = _Opened(request)
    native = opened.native
    rule = (
        Rule.from_request(request["rule"]) if request["rule"] else assumed(native.default, native.height, native.width)
    )
    if (rule.height, rule.width) != (native.height, native.width):
        raise Unusable(
            f"handin.json says {rule.width} x {rule.height} pixels, but the model takes "
            f"{native.width} x {native.height}"
        )
    batch = _check_batch(checks, rule, native)
    original = answers(native, batch, together=False)
    if not np.isfinite(original).all():
        raise Unusable("it answers with NaN or infinity; train it with a lower learning rate")
    alone = units(native.answer(batch[:1]), 1).shape[1] == 1
    kind = _kind_of_one(native, batch, original, request["output"]) if alone else _kind(original)
    reply = {
        "source_format": opened.format,
        "layout": native.layout,
        "input_dtype": native.input_dtype,
        "outputs": original.shape[1],
        "output_kind": kind,
        "within_unit": not alone and bool(((original >= 0) & (original <= 1)).all()),
        "one_unit": alone,
        "always_one": alone and bool((np.abs(original[:, 1] - 1) <= 1e-6).all()),
        "output": [native.output.number, native.output.of],
        "names": list(native.names) if len(native.names) == original.shape[1] else [],
        "passed_over": list(native.passed_over)[:_MOST_PASSED_OVER],
        "default": "" if request["rule"] else native.default,
        "rule": asdict(rule),
        "images_compared": len(batch),
        "only_original_varies": False,
    }
    if not request["onnx"]:
        return reply | _as_it_is(opened, batch, original, why="not-converted")
    out = TMP / "model.onnx"
    try:
        repeatable = _repeats(native, batch[:2], original[:2])
        opened.export(out)
        onnx, compared = _checked_onnx(native, out, batch, original, kind, request["cpus"])
        if not repeatable:
            compared["only_original_varies"] = _repeats(onnx, batch[:2], answers(onnx, batch[:2], together=False))
    except Exception as error:  # exporters raise many kinds; the model then runs as it is
        print(f"conversion to ONNX: {type(error).__name__}: {error}", file=sys.stderr)
        return reply | _as_it_is(opened, batch, original, why="not-converted")
    if compared["max_abs_difference"] > TOLERANCE and repeatable:
        difference = compared["max_abs_difference"]
        return reply | _as_it_is(opened, batch, original, why="differs") | {"max_abs_difference": difference}
    send("model.onnx", out)
    return reply | compared


def _kind(original: Answers) -> Kind:
    return "probabilities" if is_probabilities(original) else "logits"


def _kind_of_one(native: Native, batch: NDArray[Any], original: Answers, said: str | None) -> Kind:
    """Whether one unit is a probability or a logit.

    A sigmoid stays between 0 and 1 whatever it is given; a logit that does so for all images leaves it for inputs far
    from any image.
    """
    if not is_probabilities(original) or said == "logits":
        return "one-logit"
    if said == "probabilities" or native.input_dtype == "uint8":
        return "probabilities"
    far = answers(native, np.concatenate([batch * _FAR, batch * -_FAR]), together=False)
    return "probabilities" if is_probabilities(far[np.isfinite(far).all(axis=1)]) else "one-logit"


def _repeats(model: Native, batch: NDArray[Any], before: Answers) -> bool:
    """Whether the model gives the same answers to the same images as before, asked image by image."""
    return bool(np.allclose(answers(model, batch, together=False), before, atol=TOLERANCE))


class _Opened:
    """The model as handed in: an ONNX graph in this process, any other format in a separate one."""

    def __init__(self, request: dict[str, Any]) -> None:
        """Raises `Unusable` and `NeedsEnvironment`."""
        size = tuple(request["size"]) if request["size"] else None
        wanted = request["labels"], size, request["factory"], request["cpus"]
        self._student: StudentModel | None = None
        if is_onnx(IN / "model"):
            self.format, form, self.native = load_handed_in(*wanted, request["data"])
            self._export: Callable[[Path], None] = partial(form.to_onnx, self.native)
        else:
            self._student = StudentModel(*wanted)
            self.format, self.native, self._export = self._student.format, self._student.native, self._student.export
        self._again = partial(_Opened, request)

    def export(self, out: Path) -> None:
        """Write the model as ONNX, and end its separate process. Raises anything when that fails."""
        self._export(out)

    def still_open(self) -> Native:
        """The model, loaded again if its process has ended."""
        ended = self._student is not None and self._student.has_ended
        return self._again().native if ended else self.native


def _check_batch(encoded: list[bytes], rule: Rule, native: Native) -> NDArray[Any]:
    """The model's input for at least eight images; seeded noise where there are too few."""
    found = []
    for one in encoded:
        try:
            found.append(pixels(one, rule))
        except UnreadableImage:
            continue
    noise = np.random.default_rng(0)
    while len(found) < _FEWEST_IMAGES:
        found.append(noise.integers(0, 256, (rule.height, rule.width, 3), dtype=np.uint8))
    return model_input(np.stack(found), rule, native.layout, native.input_dtype)


def _checked_onnx(
    native: Native, out: Path, batch: NDArray[Any], original: Answers, kind: str, threads: int
) -> tuple[Native, dict[str, Any]]:
    graph = signature(read(out))
    runner = Runner(out, threads)
    onnx = Native(
        runner.answer,
        out,
        native.layout,
        native.height,
        native.width,
        native.input_dtype,
        native.default,
        graph.dynamic_batch,
    )
    together = _difference(onnx, batch, original, kind, together=True) if graph.dynamic_batch else 1.0
    one_by_one = together
    if together > TOLERANCE:
        one_by_one = _difference(onnx, batch, original, kind, together=False)
    return onnx, {
        "native": "",
        "dynamic_batch": together <= TOLERANCE,
        "max_abs_difference": one_by_one,
        "opset": graph.opset,
    }


def _difference(onnx: Native, batch: NDArray[Any], original: Answers, kind: str, *, together: bool) -> float:
    """The largest absolute difference of the probabilities; 1 when the ONNX form gives none."""
    try:
        given = answers(onnx, batch, together=together)
    except Unusable:
        return 1.0
    if given.shape != original.shape or not np.isfinite(given).all():
        return 1.0
    return float(np.abs(probabilities(given, kind) - probabilities(original, kind)).max())


def _as_it_is(opened: _Opened, batch: NDArray[Any], original: Answers, why: str) -> dict[str, Any]:
    """The reply about a model that stays in its own format; `why` it was not converted."""
    try:
        dynamic = bool(np.allclose(answers(opened.still_open(), batch, together=True), original, atol=TOLERANCE))
    except Exception:  # a model that takes one image at a time may raise anything
        dynamic = False
    return {"native": why, "dynamic_batch": dynamic, "max_abs_difference": None, "opset": None}


def _send_json(send: Callable[[str, Path | bytes], None], name: str, value: dict[str, Any]) -> None:
    send(name, json.dumps(value).encode())
