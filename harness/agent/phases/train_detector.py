"""The phase `train_detector`: trains the packaged reference detector on a data set with boxes.

/in/dataset holds it, in a layout that `dataset` reads; every image with a box is trained on. The request holds
`backbone` (one of `ssd.starts.STARTS`), `weights` (a name under /in: the file that it starts from), `classes` (names,
in the order of labels.txt), `seed`, and `budget` (whole or tiny). Sent: `model.onnx`, as jetson-inference's exporter
writes one; `model_nms.onnx`, with the suppression inside; `labels.txt`, BACKGROUND first; and `training.json`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..dataset import open_tree, read
from ..paths import CPUS, IN, WORK

_LOSSES = 20  # that training.json holds, of equally many steps each


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Train and send. Whatever is raised ends the phase: its traceback is the log."""
    from ..models.torch_models import torch_ready

    torch_ready(CPUS)
    from ..ssd import examples, export, suppressed_export, training
    from ..ssd.reference_ssd import SIDE
    from ..ssd.starts import STARTS

    started = time.process_time()
    classes = request["classes"]
    found = examples.annotated(read(open_tree(IN / "dataset", WORK)), classes)
    start = STARTS[request["backbone"]]
    build = start.read(IN / request["weights"])
    budget = training.TINY if request["budget"] == "tiny" else start.budget
    trained = training.train(found, len(classes), build, request["seed"], budget, start.rates)
    plain, suppressed = WORK / "model.onnx", WORK / "model_nms.onnx"
    export.write(trained.model, SIDE, plain)
    suppressed_export.write_suppressed(plain, suppressed)
    send("model.onnx", plain)
    send("model_nms.onnx", suppressed)
    send("labels.txt", "".join(f"{name}\n" for name in ("BACKGROUND", *classes)).encode())
    summary = {
        "images": len(found),
        "boxes": sum(len(one.labels) for one in found),
        "losses": _thinned(trained.losses),
        "cpu_seconds": round(time.process_time() - started, 1),
    }
    send("training.json", json.dumps(summary).encode())


def _thinned(losses: tuple[float, ...]) -> list[float]:
    """Means of runs of equal length, `_LOSSES` of them where there are as many steps."""
    length = max(1, -(-len(losses) // _LOSSES))
    runs = [losses[i : i + length] for i in range(0, len(losses), length)]
    return [round(sum(run) / len(run), 4) for run in runs]
