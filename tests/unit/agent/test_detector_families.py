"""Every family of detectors answers with boxes relative to the image, whatever its outputs look like."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_detectors import CLASSES, Fixed, TinySsd, export, images

from harness.agent.detectors.detector import Anchors, Detections, Detector, Opening
from harness.agent.detectors.registry import all_families, family_of
from harness.agent.detectors.torchvision_networks import recognised
from harness.agent.images.preprocessing import Rule
from harness.agent.models.loaded_model import Unusable
from harness.agent.ssd.detector import Detector as SsdNetwork
from harness.agent.ssd.export import export as export_ssd
from harness.agent.ssd.networks import NETWORKS
from harness.agent.torchvision_ops import declare_missing

declare_missing()
SSD_OUTPUTS = ("scores", "boxes")


def opened(file: Path, rule: Rule | None = None) -> Detector:
    return family_of(file)[1].load(Opening(file, 1, rule, checks=images()))


@pytest.fixture(scope="module")
def plain_ssd(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return opened(export(TinySsd(), tmp_path_factory.mktemp("ssd") / "ssd-mobilenet.onnx", outputs=SSD_OUTPUTS))


def test_jetson_inferences_export_is_read_as_its_own_predictor_reads_it(plain_ssd: Detector) -> None:
    described = plain_ssd.description
    assert (described.scores, described.boxes, described.graph_agrees) == ("softmax-inside", "corners", True)
    assert (described.mean[0], described.std[0], described.labels, described.background_first) == (127, 128, 4, True)
    (image,) = images(1, 300, 320)
    found = plain_ssd.answer(image[:, 10:310])  # 300 pixels wide: nothing is resized
    given = torch.from_numpy((image[:, 10:310].astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    with torch.no_grad():
        scores, boxes = TinySsd()(given)
    assert isinstance(found, Anchors) and found.first == 1 and found.scores.shape == (3000, CLASSES)
    assert np.abs(found.boxes - boxes[0].numpy()).max() < 1e-5
    assert np.abs(found.scores - scores[0, :, 1:].numpy()).max() < 1e-5


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("boxes", ["corners", "offsets", "centre-size"])
def test_what_was_left_out_of_an_export_is_found_and_done_here(
    softmax: bool, boxes: str, plain_ssd: Detector, tmp_path: Path
) -> None:
    other = opened(export(TinySsd(softmax=softmax, boxes=boxes), tmp_path / "m.onnx", outputs=SSD_OUTPUTS))
    described = other.description
    assert described.scores == ("softmax-inside" if softmax else "softmax-outside")
    assert described.boxes == boxes and described.graph_agrees
    (image,) = images(1)
    mine, same = plain_ssd.answer(image), other.answer(image)
    assert isinstance(mine, Anchors) and isinstance(same, Anchors)
    assert np.abs(mine.boxes - same.boxes).max() < 1e-5 and np.abs(mine.scores - same.scores).max() < 1e-5


SCORES = np.array([[[0.1, 0.7, 0.1, 0.1], [0.6, 0.1, 0.2, 0.1]]], np.float32)
BOXES = np.array([[[0.1, 0.2, 0.3, 0.4], [-0.1, 0.5, 1.2, 0.9]]], np.float32)


def test_other_sizes_other_orders_and_four_columns_without_a_name(tmp_path: Path) -> None:
    """With three classes scores and boxes have the same shape."""
    for name, answers, outputs in (
        ("a", (BOXES, SCORES), ("boxes", "scores")),
        ("b", (BOXES, SCORES), ("x", "y")),
        ("c", (SCORES, BOXES), ("x", "y")),
    ):
        detector = opened(export(Fixed(*answers), tmp_path / f"{name}.onnx", (1, 3, 96, 160), outputs))
        found = detector.answer(images(1)[0])
        assert isinstance(found, Anchors) and (detector.description.width, detector.description.height) == (160, 96)
        assert np.allclose(found.boxes, BOXES[0]) and np.allclose(found.scores, SCORES[0, :, 1:]), name


def test_offsets_from_priors_that_are_not_known_are_refused_with_what_to_do(tmp_path: Path) -> None:
    offsets = np.array([[[0.5, 0.2, -0.3, -0.4], [0.1, 0.5, -0.2, 0.9]]], np.float32)
    with pytest.raises(Unusable, match=r"2 boxes have sides below 0.*export it with the boxes decoded"):
        opened(export(Fixed(SCORES, offsets), tmp_path / "m.onnx", outputs=SSD_OUTPUTS))


@pytest.mark.parametrize("outputs", [(np.full_like(SCORES, np.nan), BOXES), (SCORES, np.full_like(BOXES, np.inf))])
def test_a_detector_that_gives_nan_for_all_is_refused(outputs: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="NaN or infinite; train"):
        opened(export(Fixed(*outputs), tmp_path / "m.onnx", outputs=SSD_OUTPUTS))


def test_a_declared_pre_processing_takes_the_place_of_the_usual_one(tmp_path: Path) -> None:
    file = export(TinySsd(), tmp_path / "m.onnx", outputs=SSD_OUTPUTS)
    rule = Rule(300, 300, "BGR", 1 / 255, (0.0,) * 3, (1.0,) * 3, "stretch")
    assert opened(file, rule).description.colour == "BGR"
    with pytest.raises(Unusable, match="use stretch"):
        opened(file, Rule(300, 300, "RGB", 1.0, (0.0,) * 3, (1.0,) * 3, "shorter-side-crop", 0.9))
    with pytest.raises(Unusable, match="200 x 300"):
        opened(file, Rule(200, 300, "RGB", 1.0, (0.0,) * 3, (1.0,) * 3, "stretch"))


def yolo(classes: int, anchors: int) -> np.ndarray:
    """Anchors of which the first sees class 1 in the middle of a letterboxed 640, the others nothing."""
    output = np.zeros((1, 4 + classes, anchors), np.float32)
    output[0, :4, 0] = 320, 320, 160, 120
    output[0, 5, 0] = 0.9
    return output


def test_a_yolos_boxes_come_back_from_the_letterbox(tmp_path: Path) -> None:
    names = "{0: 'ace', 1: 'king'}"
    suppressed = np.array([[[240, 260, 400, 380, 0.9, 1], [0, 0, 0, 0, 0, 0]]], np.float32)
    objectness = np.swapaxes(yolo(2, 20), 1, 2)
    objectness = np.concatenate([objectness[..., :4], np.ones((1, 20, 1), np.float32), objectness[..., 4:]], 2)
    for number, output in enumerate((yolo(2, 20), objectness, suppressed, np.swapaxes(yolo(2, 20), 1, 2))):
        file = export(Fixed(output), tmp_path / f"{number}.onnx", (1, 3, 640, 640), ("output0",), names=names)
        detector = opened(file)
        assert detector.description.names == ("ace", "king") and detector.description.labels == 2
        found = detector.answer(np.zeros((240, 320, 3), np.uint8))  # gain 2, 80 pixels of grey above and below
        score = found.scores[0, 1] if isinstance(found, Anchors) else found.scores[0]
        assert score == pytest.approx(0.9) and isinstance(found, Detections) == (number == 2)
        assert found.boxes[0] == pytest.approx([0.375, 0.375, 0.625, 0.625], abs=1e-6)


class FirstBright(torch.nn.Module):
    """A YOLO of three classes with an anchor in each row, which sees something on bright images only."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rows", torch.from_numpy(np.swapaxes(yolo(3, 20), 1, 2).copy()))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        shown = torch.ones(7)
        shown[4:] = 0
        return self.rows * torch.where(image.mean() > 0.8, torch.ones(7), shown)


@pytest.mark.parametrize(("checked", "named", "labels"), [(255, 0, 3), (0, 3, 3), (0, 2, 2), (0, 0, 2)])
def test_what_rows_hold_any_image_shows_else_labels_txt(checked: int, named: int, labels: int, tmp_path: Path) -> None:
    file = export(FirstBright(), tmp_path / "m.onnx", (1, 3, 640, 640), ("output0",))
    dark = [np.zeros((64, 64, 3), np.uint8)] * 6
    opening = Opening(file, 1, checks=[*dark, np.full((64, 64, 3), checked, np.uint8)], named=named)
    assert family_of(file)[1].load(opening).description.labels == labels


def test_an_output_like_a_yolos_in_shares_of_the_image_is_refused(tmp_path: Path) -> None:
    output = np.full((1, 300, 7), 0.5, np.float32)
    with pytest.raises(Unusable, match="no pixels of its input"):
        opened(export(Fixed(output), tmp_path / "m.onnx", (1, 3, 640, 640), ("output0",)))


def test_three_outputs_are_boxes_in_pixels_labels_and_scores_in_any_order(tmp_path: Path) -> None:
    boxes, labels, scores = np.array([[8, 6, 40, 30.0]], np.float32), np.array([2]), np.array([0.8], np.float32)
    for number, answers in enumerate(((boxes, labels, scores), (boxes, scores, labels), (labels, scores, boxes))):
        file = export(Fixed(*answers), tmp_path / f"{number}.onnx", (3, 60, 80), ("a", "b", "c"))
        found = opened(file).answer(images(1)[0])
        assert isinstance(found, Detections) and found.labels.tolist() == [2]
        assert found.boxes[0] == pytest.approx([0.1, 0.1, 0.5, 0.5]) and found.scores[0] == pytest.approx(0.8)


@pytest.fixture(scope="module")
def ssdlite() -> torch.nn.Module:
    import torchvision

    torch.manual_seed(0)
    build = torchvision.models.detection.ssdlite320_mobilenet_v3_large
    model = build(weights=None, weights_backbone=None, num_classes=4, detections_per_img=20, score_thresh=0.1)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):  # its own start is so small that all scores are equal
            torch.nn.init.kaiming_normal_(module.weight)
    return model.eval()


def test_torchvisions_ssdlite_answers_alike_as_onnx_and_as_the_module(ssdlite: torch.nn.Module, tmp_path: Path) -> None:
    (image,) = images(1, 120, 160)
    given = torch.from_numpy(image).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        want = ssdlite([given])[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(ssdlite, ([given],), str(tmp_path / "m.onnx"), dynamo=False, opset_version=17)
    torch.save(ssdlite, tmp_path / "m.pt")
    for name, family in (("m.onnx", "torchvision_onnx"), ("m.pt", "torch_module")):
        detector = opened(tmp_path / name)
        found = detector.answer(image)
        assert detector.description.family == family and isinstance(found, Detections) and len(found) == 20
        rows = np.column_stack([found.boxes * [160, 120, 160, 120], found.scores, found.labels])
        wanted = np.column_stack([want[part].numpy() for part in ("boxes", "scores", "labels")])
        nearest = np.abs(wanted[:, None] - rows[None]).max(axis=2).min(axis=1)  # equally sure ones change places
        assert nearest.max() < 1e-2


def test_a_state_dict_is_recognised_by_its_tensors(ssdlite: torch.nn.Module, tmp_path: Path) -> None:
    torch.save({"model": ssdlite.state_dict(), "classes": ["ace", "king", "queen"]}, tmp_path / "m.pth")
    detector = opened(tmp_path / "m.pth")
    assert detector.description.labels == 4 and detector.description.names == ("ace", "king", "queen")
    assert isinstance(detector.answer(images(1)[0]), Detections)
    torch.save({"fc.weight": torch.zeros(4, 8)}, tmp_path / "other.pth")
    with pytest.raises(Unusable, match="no detector that is known here"):
        opened(tmp_path / "other.pth")


@pytest.mark.parametrize(
    "builder",
    ["ssd300_vgg16", "ssdlite320_mobilenet_v3_large", "fasterrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn_v2",
     "fasterrcnn_mobilenet_v3_large_fpn", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2"],
)  # fmt: skip
def test_each_of_torchvisions_networks_is_told_from_the_others(builder: str) -> None:
    import torchvision

    with torch.device("meta"):
        build = getattr(torchvision.models.detection, builder)
        state = build(weights=None, weights_backbone=None, num_classes=5).state_dict()
    found = recognised({name: tuple(tensor.shape) for name, tensor in state.items()})
    assert found is not None and (found[0].builder, found[1]) == (builder, 5)


def test_the_families_are_told_apart_and_what_is_none_is_said(tmp_path: Path) -> None:
    assert set(all_families()) >= {"own_code", "saved_model", "ssd_onnx", "tflite", "torch_module",
                                   "torchvision_onnx", "yolo_onnx"}  # fmt: skip
    whole = export(Fixed(SCORES, BOXES), tmp_path / "m.onnx", outputs=SSD_OUTPUTS).read_bytes()
    for content, said in (
        (b"", "empty"),
        (b"not a model", "no detector that is known here"),
        (whole[:-40], "cut off or damaged"),
    ):
        (tmp_path / "model").write_bytes(content)
        with pytest.raises(Unusable, match=said):
            family_of(tmp_path / "model")


def test_a_checkpoint_of_train_ssd_answers_as_the_file_that_is_exported_from_it(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = SsdNetwork(NETWORKS["sq-ssd-lite"], 2).eval()
    torch.save(network.state_dict(), tmp_path / "m.pth")
    for raw in (False, True):
        export_ssd(network, tmp_path / f"{raw}.onnx", raw=raw)
    (image,) = images(1, 120, 160)
    answers = {name: opened(tmp_path / name) for name in ("m.pth", "False.onnx", "True.onnx")}
    assert [one.description.family for one in answers.values()] == ["ssd_checkpoint", "ssd_onnx", "ssd_onnx"]
    found = [one.answer(image) for one in answers.values()]
    for other in found[1:]:
        np.testing.assert_allclose(found[0].scores, other.scores, atol=1e-5)
        np.testing.assert_allclose(found[0].boxes, other.boxes, atol=1e-4)
    cut = {name: tensor for name, tensor in network.state_dict().items() if "regression" not in name}
    torch.save(cut, tmp_path / "cut.pth")
    with pytest.raises(Unusable, match="resemble sq-ssd-lite"):
        opened(tmp_path / "cut.pth")
