"""Notebooks that ran to their end, stopped half way, or show what they trained."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from harness.findings import finding
from harness.stages.evidence.execution import (
    CellChange,
    CellError,
    DifferenceLine,
    Execution,
    FailedExecution,
)
from harness.stages.evidence.reading import Claim, Curve, NotebookReading, Question, Shown, Step
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Usage
from harness.stages.store import Store


def learning_curve() -> str:
    """A plot as a notebook holds it: PNG in base64."""
    image = Image.new("RGB", (520, 260), "white")
    draw = ImageDraw.Draw(image)
    draw.line([(40, 20), (40, 230), (500, 230)], fill="black")
    for shift, ink in ((0, "#1f77b4"), (26, "#ff7f0e")):
        curve = [(40 + 46 * i, 225 - shift - 150 * (1 - math.exp(-i / 2.5))) for i in range(11)]
        draw.line(curve, fill=ink, width=3)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def code_cell(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}}


def stream_output(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


NOTEBOOK_CELLS: list[dict[str, Any]] = [
    {
        "cell_type": "markdown",
        "source": "# Recognising five objects\n\nNames: *A. Student*, *B. Student*\n\n"
        "We **freeze** the base of MobileNetV2 and train a new head:\n\n- 60 photographs per class\n"
        "- 12 epochs, batch size `32`\n\n| class | photographs |\n|---|---|\n| mug | 60 |\n| ball | 60 |\n",
    },
    code_cell("import torch\nfrom torchvision import models\n\ntorch.manual_seed(1)  # the same each time\n"),
    code_cell(
        'model = models.mobilenet_v2(weights="DEFAULT")\nfor p in model.features.parameters():\n'
        "    p.requires_grad = False\nmodel.classifier[1] = torch.nn.Linear(1280, 5)\n"
        "sum(p.numel() for p in model.parameters() if p.requires_grad)",
        {"output_type": "execute_result", "data": {"text/plain": ["6405"], "text/html": "<b>6405</b>"}},
    ),
    code_cell(
        "for epoch in range(12):\n    loss, accuracy = fit_one_epoch(model, train)\n"
        '    print(f"epoch {epoch + 1:2d}  loss {loss:.3f}  accuracy {accuracy:.3f}")',
        stream_output("\r 10%|#   |\r100%|####| 9/9\n", "stderr"),
        stream_output("\n".join(f"epoch {i:2d}  loss {1.4 / i:.3f}  accuracy {1 - 0.5 / i:.3f}" for i in range(1, 13))),
    ),
    code_cell(
        "plot(history)",
        {"output_type": "display_data", "data": {"image/png": learning_curve(), "text/plain": "<Figure>"}},
    ),
    {
        "cell_type": "markdown",
        "source": "## Questions\n\n**Where does it fail?** A white mug from above looks like a ball: "
        "4 of our 10 new images of it were named *ball*.",
    },
]
_STOPPED = code_cell(
    "accuracy = evaluate(modle, test)",
    {
        "output_type": "error",
        "ename": "NameError",
        "evalue": "name 'modle' is not defined",
        "traceback": [
            "\x1b[31m---------------------------------------------------------------------------\x1b[39m",
            "\x1b[31mNameError\x1b[39m                                 Traceback (most recent call last)",
            "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[5]\x1b[39m\x1b[32m, line 1\x1b[39m\n"
            "\x1b[32m----> \x1b[39m\x1b[32m1\x1b[39m accuracy = evaluate(\x1b[43mmodle\x1b[49m, test)",
            "\x1b[31mNameError\x1b[39m: name 'modle' is not defined",
        ],
    },
)


CHANGES = (
    CellChange(
        cell=1,
        rules=("pip_install", "paths"),
        difference=(
            DifferenceLine(kind="removed", text="!pip install -q torchinfo"),
            DifferenceLine(kind="added", text="pass  # not run: !pip install -q torchinfo"),
            DifferenceLine(kind="kept", text="import torch"),
            DifferenceLine(kind="removed", text="ROOT = '/content/drive/MyDrive/flowers'"),
            DifferenceLine(kind="added", text="ROOT = '/work/handin/flowers'"),
        ),
    ),
    CellChange(
        cell=3,
        rules=("no_gpu",),
        difference=(
            DifferenceLine(kind="removed", text="model = model.cuda()"),
            DifferenceLine(kind="added", text="model = model"),
            DifferenceLine(kind="kept", text=""),
        ),
    ),
)

READING = Done[NotebookReading](
    value=NotebookReading(
        code_cells=4,
        shown=Shown(
            has_outputs=True,
            curves=(
                Curve(
                    cell=3,
                    epochs=8,
                    planned=10,
                    metrics={
                        "loss": (1.61, 1.12, 0.83, 0.61, 0.48, 0.39, 0.31, 0.26),
                        "val_loss": (1.40, 1.05, 0.88, 0.74, 0.69, 0.66, 0.67, 0.70),
                        "accuracy": (0.31, 0.55, 0.68, 0.77, 0.83, 0.87, 0.91, 0.93),
                        "val_accuracy": (0.42, 0.58, 0.66, 0.72, 0.75, 0.77, 0.77, 0.76),
                    },
                ),
                Curve(cell=4, epochs=2, planned=2, metrics={"loss": (0.4, 0.3), "val_accuracy": (None, 0.8)}),
            ),
            batch_size=16,
            parameters=14_739_269,
            trainable_parameters=24_581,
            frozen_parameters=14_714_688,
            claim=Claim(kind="test", accuracy=0.98, cell=4, words="Test accuracy: 0.98"),
        ),
        steps=(
            Step(name="Load and plot the data", cell=2, title="2. Loading the data", has_code=True, has_words=True),
            Step(name="Define the model", cell=4, title="The network", has_code=True, has_words=False),
            Step(name="Save the model", cell=None, title="", has_code=False, has_words=False),
        ),
        questions=(
            Question(
                name="Where does it fail?",
                cell=6,
                title="Where does it fail?",
                answered=True,
                answer="A white mug from above looks like a ball: 4 of our 10 new images of it were named ball.",
            ),
            Question(name="Why is it built this way?", cell=7, title="Why?", answered=False, answer=""),
        ),
    )
)


def keep_notebook(store: Store, folder: Path, content: bytes) -> Blob:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "executed.ipynb"
    file.write_bytes(content)
    return store.put(file, "notebook.ipynb")


def complete_run(store: Store, folder: Path) -> Done[Execution]:
    content = json.dumps({"cells": NOTEBOOK_CELLS, "nbformat": 4}).encode()
    execution = Execution(
        notebook=keep_notebook(store, folder, content),
        code_cells=4,
        executed_cells=4,
        errors=(),
        produced=(),
        changes=CHANGES,
        given=("flowers/train: 240 images", "flowers/validation: 60 images"),
    )
    return Done[Execution](value=execution, usage=_NOTEBOOK_USAGE)


def half_way(store: Store, folder: Path, kind: Any, name: str, message: str) -> Execution:
    cells = [*NOTEBOOK_CELLS[:5], _STOPPED, NOTEBOOK_CELLS[5]]
    blob = keep_notebook(store, folder, json.dumps({"cells": cells, "nbformat": 4}).encode())
    error = CellError(cell=5, kind=kind, name=name, message=message, traceback="")
    return Execution(notebook=blob, code_cells=6, executed_cells=5, errors=(error,), produced=())


def stopped_run(store: Store, folder: Path) -> FailedExecution:
    why = "NameError: name 'modle' is not defined"
    return FailedExecution(
        status="failed",
        reason=f"Cell 5 stopped with {why}.",
        findings=(finding("cell-error", cell=5, error=why),),
        usage=_NOTEBOOK_USAGE,
        execution=half_way(store, folder, "error", *why.split(": ")),
    )


_NOTEBOOK_USAGE = Usage(
    seconds=48.3,
    peak_memory_bytes=1_420_000_000,
    log="[agent] kernel started\n[agent] \x1b[32mdone\x1b[0m\n",
)
