"""How a detector's pixels are scaled: what training images show of it, what is graded, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import Sends, context, npy
from test_hostile_detections import DESCRIBED, NO_FAULTS

from harness.findings.on_detections import SCALINGS
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import HeldOutSet, ImageObjects, LabelledBox, StagedImages
from harness.inputs.images.training import NO_TRAINING_IMAGES
from harness.sandbox.engine import Job
from harness.stages.convert import HandedModel
from harness.stages.detection.detect import DETECT, DetectRequest
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.detection.measuring_scaling import said
from harness.stages.detection.scalings import in_words, others, own
from harness.stages.detection.score_boxes import SCORE_BOXES, ScoreBoxesRequest
from harness.stages.evidence.detections import DetectorDescription, Scaling
from harness.stages.evidence.stage_result import Done

CLASSES = ("ace", "king")
PLACES = ((0.0, 0.0, 0.3, 0.3), (0.35, 0.0, 0.65, 0.3), (0.7, 0.0, 1.0, 0.3), (0.0, 0.5, 0.4, 0.9))
IMAGES = 24
TRUTH = tuple(tuple((image + place) % 2 for place in range(4)) for image in range(IMAGES))
NAMES = tuple(f"{image}.png" for image in range(IMAGES))
SET = HeldOutSet(
    CLASSES, tuple(map(Path, NAMES)), (), "1" * 64,
    objects=tuple(
        ImageObjects(100, 100, tuple(LabelledBox(label, *place) for label, place in zip(row, PLACES, strict=True)))
        for row in TRUTH
    ),
)  # fmt: skip
SSD, ZERO_ONE = (127.0, 128.0, 1.0), (0.0, 1.0, 1 / 255)  # mean, std, scale
HANDIN = {
    "schema": 1, "width": 300, "height": 300, "colour": "RGB", "scale": 1.0, "mean": [127.0] * 3, "std": [128.0] * 3,
    "resize": "stretch",
}  # fmt: skip


class Course:
    """A detector that finds so many of the four objects of each image, as its pixels are scaled."""

    def __init__(self, folder: Path, *, usual: int, zero_one: int, **described: Any) -> None:
        self.folder, self.usual, self.zero_one, self.described = folder, usual, zero_one, described
        for name in NAMES:
            (folder / name).write_text(name)
        self.staged = StagedImages(folder, NAMES, "0" * 64)
        self.context = context(folder, self._sent)
        self.broken: dict[str, bytes] = {}
        self.too_slow: str = ""  # the part of a request with which a job ends late

    @property
    def jobs(self) -> list[dict[str, Any]]:
        engine = self.context.sandbox
        assert isinstance(engine, Sends)
        return [json.loads(job.request) | {"phase": job.phase} for job in engine.jobs]

    def _found(self, scaling: dict[str, Any] | None) -> int:
        if scaling is None or (scaling["mean"][0], scaling["std"][0]) == SSD[:2]:
            return self.usual
        is_zero_one = scaling["colour"] == "RGB" and scaling["scale"] == ZERO_ONE[2] and scaling["mean"][0] == 0
        return self.zero_one if is_zero_one else 0

    def _sent(self, job: Job) -> dict[str, bytes]:
        request = json.loads(job.request)
        assert isinstance(self.context.sandbox, Sends)
        self.context.sandbox.status = "timeout" if self.too_slow and request.get(self.too_slow) else "ok"
        went_in = [NAMES.index(file.name) for file in job.images["images"]]
        if job.phase == "measure_detector":
            found = [self._found(way) for way in request["ways"]]
            files: dict[str, bytes] = {}
            for number, count in enumerate(found):
                files |= _boxes(f"way-{number}", went_in, count)
            reply = {"images": list(range(IMAGES)), "boxes": [IMAGES * count for count in found]}
            return files | {"measured.json": json.dumps(reply).encode()} | self.broken
        mine, other = self._found(request["scaling"]), self._found(request["other"])
        again = [went_in[place] for place in request["again"]]
        asked = {"every": (went_in, mine), "board": (went_in, mine), "again": (again, mine)}
        asked["other"] = (went_in if request["other"] else [], other)
        files = {}
        for name, (images, count) in asked.items():
            files |= _boxes(name, images, count)
        counts = {name: len(images) * count for name, (images, count) in asked.items()}
        reply = {"description": DESCRIBED | {"labels": 3} | self.described, "seconds_per_image": 0.1, "boxes": counts}
        return files | {"detections.json": json.dumps(reply | {"faults": NO_FAULTS}).encode()}

    def result(self, *, declared: bool = False) -> Any:
        (self.folder / "m.onnx").write_bytes(b"model")
        (self.folder / "names.txt").write_text("BACKGROUND\nace\nking\n")
        beside = {"labels.txt": self.folder / "names.txt"}
        if declared:
            (self.folder / "h.json").write_text(json.dumps(HANDIN))
            beside["handin.json"] = self.folder / "h.json"
        model = HandedModel(self.folder / "m.onnx", beside, "ssd-mobilenet.onnx", "onnx")
        request = DetectRequest(
            (model,), False, CLASSES, SET, self.staged, NO_TRAINING_IMAGES, GivenWeights(None, {}, {}), self.staged
        )
        return DETECT.work(request, self.context)


def _boxes(name: str, images: list[int], count: int) -> dict[str, bytes]:
    """Boxes at the first `count` objects of each image, with the label of the class."""
    labels = [TRUTH[image][place] + 1 for image in images for place in range(count)]
    return {
        f"{name}-boxes.npy": npy(np.array([PLACES[:count]] * len(images), np.float32).reshape(-1, 4)),
        f"{name}-scores.npy": npy(np.full(len(labels), 0.9, np.float32)),
        f"{name}-labels.npy": npy(np.array(labels, np.int32)),
        f"{name}-images.npy": npy(np.repeat(np.arange(len(images), dtype=np.int32), count)),
    }


def messages(result: Any) -> dict[str, str]:
    return {one.code: one.message for one in result.findings}


def test_what_is_not_declared_is_taken_as_training_images_surely_show_it(tmp_path: Path) -> None:
    course = Course(tmp_path, usual=1, zero_one=4)
    result = course.result()
    assert isinstance(result, Done)
    value, shown = result.value, messages(result)
    assert value.scaling == Scaling(colour="RGB", scale=1 / 255, mean=(0, 0, 0), std=(1, 1, 1))
    assert value.fit.verdict == "taken" and (value.fit.images, value.fit.objects) == (24, 96)
    assert "finds 100% with pixels from 0 to 1" in shown["preprocessing-measured"]
    assert "25% with what is usual for its kind ((pixel - 127) / 128" in shown["preprocessing-measured"]
    assert shown["preprocessing-measured"].endswith(
        "So the former was used. Declare it in handin.json. jetson-inference on a board gives a detector "
        "(pixel - 127) / 128 all the same: for that, the network itself has to begin with the other scaling when it is "
        "exported."
    ), "where nobody reads handin.json"
    assert value.every.count == 4 * IMAGES and value.other is None, "graded is what fits"
    again = HandedDetector.of(value).request(course.context)[0]
    assert again["scaling"]["scale"] == 1 / 255 and again["rule"] is None, "and asked so from then on"
    assert [job["phase"] for job in course.jobs] == ["detect", "measure_detector", "detect"]
    assert not {"again", "other"} & set(course.jobs[1]), "training images alone"
    assert {job["named"] for job in course.jobs} == {2} == {again["named"]}, "the background of labels.txt is no class"


def test_a_board_is_not_said_to_scale_otherwise_where_its_own_scaling_fits(tmp_path: Path) -> None:
    """A checkpoint of the network vgg16-ssd that was trained with the pixels of jetson-inference's."""
    course = Course(tmp_path, usual=1, zero_one=4)
    fit = course.result().value.fit
    for best, is_other in ((SCALINGS["ssd-mobilenet"], False), (SCALINGS["vgg16-ssd"], True)):
        (noticed,) = said(fit.model_copy(update={"best": best}), "ssd_checkpoint", declared=False)
        assert noticed.code == "preprocessing-measured" and ("on a board" in noticed.message) is is_other


def test_what_is_declared_is_graded_and_what_fits_better_is_the_remedy(tmp_path: Path) -> None:
    course = Course(tmp_path, usual=1, zero_one=4)
    result = course.result(declared=True)
    assert isinstance(result, Done)
    value, shown = result.value, messages(result)
    assert value.scaling is None and value.every.count == IMAGES and value.other.count == 4 * IMAGES
    assert "graded as declared" in shown["preprocessing-mismatch"]
    scores = SCORE_BOXES.work(ScoreBoxesRequest(value, SET, value), course.context).value
    remedy = scores.scaling_remedy
    assert remedy.way == "pixels from 0 to 1" and remedy.would == 1 > remedy.ap50 == scores.scores.ap50
    assert not scores.unsettled


def test_a_question_of_ours_that_fails_takes_no_points_from_what_is_declared(tmp_path: Path) -> None:
    course = Course(tmp_path, usual=1, zero_one=4)
    course.too_slow = "other"
    result = course.result(declared=True)
    assert isinstance(result, Done) and result.value.every.count == IMAGES and result.value.other is None
    assert "graded as declared" in messages(result)["preprocessing-mismatch"]
    assert [job["phase"] for job in course.jobs] == ["detect", "measure_detector", "detect", "detect"]


@pytest.mark.parametrize(("usual", "zero_one"), [(4, 4), (3, 3), (3, 0)])
def test_a_scaling_that_no_other_beats_is_kept_and_nothing_is_said(usual: int, zero_one: int, tmp_path: Path) -> None:
    course = Course(tmp_path, usual=usual, zero_one=zero_one)
    result = course.result()
    assert result.value.scaling is None and result.findings == ()
    phases = [job["phase"] for job in course.jobs]
    assert ("measure_detector" in phases) is (usual < 4), "nothing could matter where nearly all is found"


def test_what_scales_its_pixels_itself_is_not_asked_again(tmp_path: Path) -> None:
    course = Course(tmp_path, usual=1, zero_one=4, family="torch_module")
    result = course.result()
    assert "measure_detector" not in [job["phase"] for job in course.jobs]
    assert result.value.scaling is None and result.value.fit.ways == 0


def test_a_detector_that_finds_hardly_anything_in_any_way_is_said_to(tmp_path: Path) -> None:
    course = Course(tmp_path, usual=0, zero_one=0)
    result = course.result()
    said = messages(result)["detector-hardly-trained"]
    assert said.startswith(
        "On 24 training images the detector finds hardly anything: AP50 is 0.000 at most, whatever order its labels "
        "have, and with each of 9 other usual scalings of the pixels. It shows 0 boxes an image, "
    )
    found = Course(tmp_path, usual=1, zero_one=4).result()
    assert "detector-hardly-trained" not in messages(found)


@pytest.mark.parametrize(
    "broken",
    [
        {"measured.json": b"{}"},
        {"measured.json": json.dumps({"images": [1, 0], "boxes": [0] * 9}).encode()},
        {"measured.json": json.dumps({"images": [0, 24], "boxes": [0] * 9}).encode()},
        {"measured.json": json.dumps({"images": [0], "boxes": [0] * 8}).encode()},
        {"measured.json": json.dumps({"images": [], "boxes": [0] * 9}).encode()},
        {"way-0-boxes.npy": npy(np.full((96, 4), np.nan, np.float32))},
        {"way-3-labels.npy": b"not an array"},
        {"refused.json": b'{"reason": "no"}'},
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_what_a_sandbox_sends_instead_of_an_answer_leaves_open_what_is_not_declared(
    broken: dict[str, bytes], declared: bool, tmp_path: Path
) -> None:
    course = Course(tmp_path, usual=1, zero_one=4)
    course.broken = broken
    result = course.result(declared=declared)
    assert isinstance(result, Done)
    assert result.value.scaling is None and result.value.every.count == IMAGES
    assert list(messages(result)) == ([] if declared else ["undeclared-not-measured"])
    scores = SCORE_BOXES.work(ScoreBoxesRequest(result.value, SET, None), course.context).value
    assert scores.unsettled is not declared


def test_that_other_scalings_took_too_long_is_said(tmp_path: Path) -> None:
    course = Course(tmp_path, usual=1, zero_one=4)
    course.too_slow = "ways"
    result = course.result()
    said_of_it = messages(result)["undeclared-not-measured"]
    assert "training images: trying them did not end within 600 s. So" in said_of_it and result.value.scaling_unsettled


def described(mean: float, std: float, scale: float, colour: str = "RGB") -> DetectorDescription:
    values = DESCRIBED | {"mean": [mean] * 3, "std": [std] * 3, "scale": scale, "colour": colour}
    return DetectorDescription(**values)


def test_a_way_is_not_tried_beside_one_that_no_network_tells_from_it() -> None:
    mine = own(described(*SSD))
    ways = others(mine)
    assert len(ways) == 9 and "ssd-mobilenet" not in ways and "scaled-minus-one-one" not in ways
    assert in_words(mine).startswith("(pixel - 127) / 128") and in_words(own(described(1.0, 1.0, 1 / 127.5))) == (
        "pixels from -1 to 1"
    )
    assert in_words(own(described(3.0, 7.0, 2.0, "BGR"))) == "BGR, (pixel x 2 - (3, 3, 3)) / (7, 7, 7)"
    assert len(others(own(described(0.0, 0.0, 1.0)))) == 10, "numbers that a student's process made up"
