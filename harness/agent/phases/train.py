"""The phase `train`: runs the instructor's reference code, or the packaged one.

The request holds `code` (a name under /in; None for the packaged one), `weights` (a name under /in), `backbone`, `seed`
and `fine_tune_epochs`. The code's `train(train_dir, out_dir, *, backbone, weights, seed, fine_tune_epochs)` writes
`model.onnx`, `labels.txt` and `handin.json` to `out_dir`, and may write `training.json`. Those that are there are sent;
a detector needs no `handin.json`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..paths import CPUS, IN, SITE, WORK

_FILES = ("model.onnx", "labels.txt", "handin.json", "training.json")


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Train and send. Whatever the code raises ends the phase: its traceback is the log."""
    from ..models.torch_models import torch_ready

    torch_ready(CPUS)
    sys.path.append(str(SITE))  # harness.handin
    code = _packaged() if request["code"] is None else _instructors(IN / request["code"])
    out = WORK / "out"
    out.mkdir()
    code.train(
        IN / "dataset",
        out,
        backbone=request["backbone"],
        weights=IN / request["weights"],
        seed=request["seed"],
        fine_tune_epochs=request["fine_tune_epochs"],
    )
    for name in _FILES:
        if (out / name).is_file():
            send(name, out / name)


def _packaged() -> Any:
    from ..models import reference_training

    return reference_training


def _instructors(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("reference_code", file)
    assert spec is not None and spec.loader is not None
    code = importlib.util.module_from_spec(spec)
    sys.modules["reference_code"] = code
    spec.loader.exec_module(code)
    return code
