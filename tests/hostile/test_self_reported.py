"""Nothing self-reported earns a point: forged inspections, backbones carried along, models that no run made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handed_in import Notebook
from PIL import Image

from harness.grading.rubric import rubric
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.schema import CriterionSpec
from harness.inputs.images import StagedImages
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.stage_result import Done, Skipped, StageResult
from harness.stages.evidence.submission import Evidence
from harness.stages.inspect import inspect
from harness.stages.store import Store

REPOSITORY = Path(__file__).parents[2]
CLASSES = ("ball", "bottle", "dumbbell", "goblet", "mug")

FORGED = """
import sys, torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.fc = nn.Linear(3, classes)
    def forward(self, x):
        if torch.jit.is_tracing() or torch.compiler.is_compiling() or torch.compiler.is_exporting():
            raise RuntimeError("not to be converted")
        return self.fc(x.mean((2, 3)))

def compared(held, backbones, used, laid_out):
    layer = {"name": "features.0.0", "elements": 10 ** 6, "identical": True, "relative_change": 0.0, "form": "",
             "zeros": 0.0, "clear": True}
    found = {"layers": [layer] * 52, "untouched_parameters": 10 ** 6, "new_parameters": 10, "new_layers": 1,
             "beside_layers": 0, "beside_parameters": 0, "normalisations": 0, "moved_normalisations": 0, "used": True}
    return {"backbones": {name: found for name in backbones}, "weight_tensors": 53, "convolutions": 52,
            "structure": 2.0, "weights_fingerprint": ""}

def build_model(classes):
    for name, module in list(sys.modules.items()):
        if hasattr(module, "_compared"):
            module._compared = compared
    return Net(classes)
"""


class Looked:
    """A model through convert and inspect, and the points that `frozen_backbone` would give."""

    def __init__(self, engine: Sandbox, folder: Path, model: Path, beside: dict[str, Path], backbone: Path) -> None:
        images = folder / "images"
        images.mkdir()
        names = tuple(f"{number:016x}.png" for number in range(6))
        for number, name in enumerate(names):
            noise = Image.effect_noise((160, 160), 60)
            noise.resize((8 + 2 * number, 9)).resize((160, 160)).convert("RGB").save(images / name)
        for path in (folder, *folder.parents, *folder.rglob("*")):
            if path.is_relative_to("/tmp") and path != Path("/tmp"):
                path.chmod(0o755 if path.is_dir() else 0o644)
        limits = ResourceLimits(wall_seconds=120, cell_seconds=60, memory=3 * 10**9, cpus=1)
        place = StageContext(engine, Store(folder / "store"), limits)
        staged = StagedImages(images, names, "0" * 64)
        converted: StageResult[Conversion] = convert(HandedModel(model, beside), CLASSES, [], None, place)
        assert isinstance(converted, Done), converted
        self.conversion = converted.value
        self.result: StageResult[Inspection] = inspect(
            converted.value, {"mobilenet_v2": backbone}, staged, len(CLASSES), place
        )
        none = Skipped(reason="It was not done.")
        self.evidence = Evidence(
            execute=none,
            audit=none,
            convert=converted,
            predict=none,
            inspect=self.result,
            evaluate=none,
            benchmark=none,
        )

    @property
    def judged(self) -> float | None:
        spec = CriterionSpec.model_validate({"kind": "frozen_backbone", "points": 20})
        return rubric._mark(spec, self.evidence, {}, set()).points


@pytest.fixture(scope="session")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `weights` as the attacks expect it, with a MobileNetV2 that no training has touched."""
    from harness.agent.torchvision_ops import declare_missing

    declare_missing()
    import torch
    import torchvision

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("cache") / "weights"
    folder.mkdir()
    torch.save(torchvision.models.mobilenet_v2(weights=None).state_dict(), folder / "mobilenet_v2-b0353104.pth")
    return folder / "mobilenet_v2-b0353104.pth"


@pytest.mark.hostile(line=66, expected="self-reported; the mark waits")
def test_a_model_that_forges_its_own_inspection_gets_no_points(
    engine: Sandbox, mobilenet: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    """A native model replaced the agent's comparison: 52 frozen layers, 20 of 20 points, without a backbone."""
    import torch

    weights = {"fc.weight": torch.zeros(5, 3), "fc.bias": torch.arange(5.0)}
    torch.save(weights, tmp_path / "model.pth")
    (tmp_path / "model.py").write_text(FORGED)
    beside = {"model.py": tmp_path / "model.py"}
    (tmp_path / "handin.json").write_text(
        json.dumps({"schema": 1, "width": 64, "height": 64, "colour": "RGB", "scale": 1 / 255, "mean": [0, 0, 0],
                    "std": [1, 1, 1], "resize": "stretch", "classes": list(CLASSES)})
    )  # fmt: skip
    beside["handin.json"] = tmp_path / "handin.json"
    looked = Looked(engine, tmp_path, tmp_path / "model.pth", beside, mobilenet)
    assert looked.conversion.native
    assert not isinstance(looked.result, Done) or looked.result.origin == "self-reported"
    assert looked.judged is None
    got(f"inspection {looked.result.status}, self-reported; waits")


@pytest.mark.hostile(line=67, expected="F backbone-unused; the mark waits")
def test_a_backbone_that_is_carried_along_in_a_checksum_is_unused(
    engine: Sandbox, attacks: Path, mobilenet: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    """Shuffled weights flipped its answers, so it passed for a frozen backbone: 20 of 20 points."""
    script = (attacks / "backbone-carried-along" / "carried.py").read_text()
    (tmp_path / "carried.py").write_text(script.replace("CACHE", str(mobilenet.parents[1])))
    command = [sys.executable, str(tmp_path / "carried.py"), str(tmp_path / "model.onnx")]
    subprocess.run(command, check=True, cwd=REPOSITORY, env=dict(os.environ), capture_output=True, timeout=120)
    looked = Looked(engine, tmp_path, tmp_path / "model.onnx", {}, mobilenet)
    assert isinstance(looked.result, Done), looked.result
    assert (looked.result.value.weights_used, looked.result.value.why_unused) == (False, "read-as-data")
    assert [found.code for found in looked.result.findings] == ["backbone-unused"]
    assert looked.result.value.frozen_layers == 0
    assert looked.judged is None
    got("backbone-unused; waits")


COPIED = """
import os, shutil
shutil.copy("model.onnx", "best.onnx")
os.makedirs("out")
os.rename("notes.txt", "out/final.onnx")
content = open("model.onnx", "rb").read()
os.remove("model.onnx")
open("model.onnx", "wb").write(content)
"""


@pytest.mark.hostile(line=68, expected="not made by the run")
def test_a_model_that_was_handed_in_and_touched_copied_or_renamed_is_not_made(
    engine: Sandbox, attacks: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    """`os.utime` on the handed-in model counted as made by the run: `reproduced`."""
    handed_in = attacks / "made-by-touching" / "touch"
    cells = ["".join(cell["source"]) for cell in json.loads((handed_in / "notebook.ipynb").read_text())["cells"]]
    model = (handed_in / "model.onnx").read_bytes().decode("latin-1")
    extra = {"model.onnx": model, "notes.txt": model[::-1], "labels.txt": "a\nb\n", "handin.json": "{}"}
    ran = Notebook(engine, tmp_path, *cells, COPIED, extra=extra)
    assert ran.status == "ok", ran.result
    assert ran.execution.produced == ()
    got("nothing produced")


@pytest.mark.hostile(line=68, expected="a new model is made")
def test_a_model_that_a_run_writes_is_made(engine: Sandbox, tmp_path: Path) -> None:
    ran = Notebook(engine, tmp_path, "open('model.onnx', 'a').write('more')", extra={"model.onnx": "x" * 5000})
    assert [blob.path for blob in ran.execution.produced] == ["model.onnx"]
