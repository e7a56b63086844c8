"""Models that are named `torchvision:NAME`: exported here, with pre-trained weights where these are on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.bench.prepared import Run
from harness.bench.request import TorchvisionModel
from harness.inputs import weights as known
from harness.inputs.weights import WeightsEntry
from harness.stages.torchvision_model import export_torchvision

PREFIX = "torchvision:"


def exported(model: TorchvisionModel, run: Run) -> tuple[Path, str]:
    """The model as an ONNX file among the run's temporary files, and a sentence on where it comes from.

    Raises `UsageError` and `MachineError` as `export_torchvision` does.
    """
    entry = _weights_of(model.name)
    weights = known.path(entry.name) if entry else None
    run.progress.say(f"{PREFIX}{model.name}: exporting to ONNX ...")
    blob = export_torchvision(model.name, model.side, weights, entry.file if entry else "", run.converting)
    file = run.folder / "torchvision" / f"{model.name}.onnx"
    file.parent.mkdir(exist_ok=True)
    shutil.copyfile(run.converting.store.path(blob), file)
    file.chmod(0o644)  # whatever the umask: the sandbox's own user reads it
    if weights and entry:
        return file, f"Exported from torchvision for {model.side} pixels, with the weights {entry.file}."
    fetch = f" (`harness weights fetch {model.name}` gets them)" if entry else ""
    return file, (
        f"Exported from torchvision for {model.side} pixels with random weights, because its own are not here{fetch}: "
        "right for latency, meaningless for accuracy."
    )


def _weights_of(name: str) -> WeightsEntry | None:
    """The entry of that name, if torchvision publishes it."""
    found = (entry for entry in known.list_weights() if entry.name == name and entry.file.endswith(".pth"))
    return next(found, None)
