"""A torchvision whose compiled library does not load can be imported, and its detectors run.

Each test is a program of its own: an operator can be declared once in a process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
AGENT = REPOSITORY / "harness" / "agent"
FIRST = "from harness.agent.torchvision_ops import declare_missing; declare_missing()\n"


def said(program: str, **environment: str) -> str:
    """What a Python program prints. Fails the test when the program fails."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.fixture
def site(tmp_path: Path) -> str:
    """The folder on a kernel's PYTHONPATH, laid out as it is in a sandbox."""
    shutil.copytree(AGENT / "site", tmp_path / "site")
    (tmp_path / "agent").mkdir()
    shutil.copyfile(AGENT / "torchvision_ops.py", tmp_path / "agent" / "torchvision_ops.py")
    return str(tmp_path / "site")


def test_declared_twice_is_declared_once() -> None:
    program = FIRST + FIRST + "import torchvision; declare_missing(); print(torchvision.extension._has_ops())"
    assert said(program) == "True"


def test_it_can_be_declared_after_an_import_that_failed() -> None:
    program = """
        try:
            import torchvision
        except (RuntimeError, AttributeError):
            pass
        from harness.agent.torchvision_ops import declare_missing
        declare_missing()
        import torchvision
        print(torchvision.extension._has_ops(), len(torchvision.models.mobilenet_v2().features))
    """
    assert said(program) == "True 19"


def test_nms_keeps_what_the_definition_keeps() -> None:
    program = (
        FIRST
        + """
import torch, torchvision
from torchvision.ops import box_iou, nms

torch.manual_seed(0)
corner = torch.rand(80, 2)
boxes, scores = torch.cat([corner, corner + torch.rand(80, 2)], 1), torch.rand(80)
for threshold in (0.0, 0.3, 0.7):
    kept = []
    for i in scores.argsort(descending=True).tolist():
        if all(box_iou(boxes[i][None], boxes[j][None]) <= threshold for j in kept):
            kept.append(i)
    assert nms(boxes, scores, threshold).tolist() == kept
assert nms(boxes[:0], scores[:0], 0.5).tolist() == []
print("same")
"""
    )
    assert said(program) == "same"


def test_roi_align_equals_onnx_runtime_and_has_a_gradient() -> None:
    program = (
        FIRST
        + """
import io, onnx, onnxruntime, torch, torchvision
from onnx import TensorProto, helper

torch.manual_seed(0)
image = torch.rand(2, 3, 20, 30, requires_grad=True)
regions = torch.tensor([[0, 4.0, 4, 18, 24], [1, -3.0, -4, 70, 80], [1, 5.0, 5, 5.2, 5.1]])
for aligned in (False, True):
    for ratio in (0, 2):
        node = helper.make_node(
            "RoiAlign", ["x", "rois", "which"], ["y"], output_height=7, output_width=5, sampling_ratio=ratio,
            spatial_scale=0.5, coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel",
        )
        kinds = {"x": TensorProto.FLOAT, "rois": TensorProto.FLOAT, "which": TensorProto.INT64}
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info(name, kind, None) for name, kind in kinds.items()],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=9)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        feed = {"x": image.detach().numpy(), "rois": regions[:, 1:].numpy(), "which": regions[:, 0].long().numpy()}
        expected = torch.from_numpy(session.run(None, feed)[0])
        given = torchvision.ops.roi_align(image, regions, (7, 5), 0.5, ratio, aligned)
        assert torch.allclose(given, expected, atol=1e-5), (aligned, ratio, (given - expected).abs().max())
given.sum().backward()
print(bool(image.grad.abs().sum() > 0))
"""
    )
    assert said(program) == "True"


def test_ssdlite_answers_learns_and_becomes_torchscript() -> None:
    program = (
        FIRST
        + """
import torch, torchvision

model = torchvision.models.detection.ssdlite320_mobilenet_v3_large(
    weights=None, weights_backbone=None, num_classes=4
)
target = {"boxes": torch.tensor([[10.0, 10, 90, 90]]), "labels": torch.tensor([1])}
losses = model([torch.rand(3, 160, 160)] * 2, [target] * 2)
sum(losses.values()).backward()
model.eval()
answer = model([torch.rand(3, 160, 160)])[0]
assert set(answer) == {"boxes", "labels", "scores"}
torch.jit.script(model)
print("ok")
"""
    )
    assert said(program) == "ok"


def test_a_notebook_imports_torchvision_as_it_always_does(site: str) -> None:
    program = "import torchvision; print(torchvision.extension._has_ops(), torchvision.ops.nms.__name__)"
    assert said(program, PYTHONPATH=site) == "True nms"


def test_a_kernel_that_does_not_import_torchvision_pays_nothing(site: str) -> None:
    program = "import sys; print('torch' in sys.modules, '_torchvision_ops' in sys.modules)"
    assert said(program, PYTHONPATH=site) == "False False"
