"""The stage `detect` with handed-in models: the first that answers, what its labels mean, and what a student reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import NAMES, Sends, context, npy, order, staged
from test_hostile_detections import DESCRIBED, NO_FAULTS

from harness.findings import Finding
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import NO_SET, HeldOutSet, ImageObjects, LabelledBox, StagedImages
from harness.inputs.images.training import NO_TRAINING_IMAGES
from harness.inputs.submissions.companions import OF_DATA_SET
from harness.sandbox.engine import Job
from harness.stages.convert import HandedModel
from harness.stages.detection.detect import DETECT, DetectRequest
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.stage_result import Done, Failed, Skipped

CLASSES = ("ace", "king", "queen")
PLACES = ((0.0, 0.0, 0.3, 0.3), (0.35, 0.0, 0.65, 0.3), (0.7, 0.0, 1.0, 0.3), (0.0, 0.5, 0.4, 0.9))
# On each image four objects; every class several times, in another order on each.
TRUTH = tuple(tuple((image + place) % 3 for place in range(4)) for image in range(4))
KNOWN = HeldOutSet(
    CLASSES, (), (), "1" * 64,
    objects=tuple(
        ImageObjects(100, 100, tuple(LabelledBox(label, *place) for label, place in zip(row, PLACES, strict=True)))
        for row in TRUTH
    ),
)  # fmt: skip


class Course:
    """A detector that finds each object of an image, and calls it by the label that stands for its class."""

    def __init__(self, folder: Path, label_of: dict[int, int], **described: Any) -> None:
        self.folder, self.label_of, self.described = folder, label_of, described
        self.context = context(folder, self._sent)
        self.staged: StagedImages = staged(folder)

    def _sent(self, job: Job) -> dict[str, bytes]:
        if job.inputs.get("model", job.inputs.get("own/predict.py")).read_bytes() == b"none":  # type: ignore[union-attr]
            return {"refused.json": b'{"reason": "it is no detector that is known here"}'}
        if job.phase == "measure_detector":
            return {"refused.json": b'{"reason": "it is asked about its labels alone here"}'}
        again = json.loads(job.request)["again"]
        went_in = order(job)
        asked = {"every": went_in, "board": went_in, "again": [went_in[place] for place in again], "other": []}
        files: dict[str, bytes] = {}
        for name, images in asked.items():
            labels = [self.label_of[label] for image in images for label in TRUTH[image]]
            files |= {
                f"{name}-boxes.npy": npy(np.array(PLACES * len(images), np.float32).reshape(-1, 4)),
                f"{name}-scores.npy": npy(np.full(len(labels), 0.9, np.float32)),
                f"{name}-labels.npy": npy(np.array(labels, np.int32)),
                f"{name}-images.npy": npy(np.repeat(np.arange(len(images), dtype=np.int32), len(PLACES))),
            }
        counts = {name: len(PLACES) * len(images) for name, images in asked.items()}
        reply = {"description": DESCRIBED | self.described, "seconds_per_image": 0.1, "boxes": counts}
        return files | {"detections.json": json.dumps(reply | {"faults": NO_FAULTS}).encode()}

    def model(self, labels: str | None = None, content: bytes = b"model", role: str = "labels.txt") -> HandedModel:
        (self.folder / "m.onnx").write_bytes(content)
        beside = {}
        if labels is not None:
            (self.folder / "names.txt").write_text(labels)
            beside[role] = self.folder / "names.txt"
        return HandedModel(self.folder / "m.onnx", beside, "ssd-mobilenet.onnx", "onnx")

    def result(self, *models: HandedModel, known: HeldOutSet = KNOWN) -> Any:
        nothing = StagedImages(self.folder, (), "")
        request = DetectRequest(
            models, False, CLASSES, known, self.staged if known is KNOWN else nothing, NO_TRAINING_IMAGES,
            GivenWeights(None, {}, {}), self.staged,
        )  # fmt: skip
        return DETECT.work(request, self.context)


def codes(result: Any) -> list[str]:
    return [one.code for one in result.findings]


def the(result: Any, code: str) -> Finding:
    (found,) = [one for one in result.findings if one.code == code]
    return found


AS_THE_MODEL = {0: 1, 1: 2, 2: 3}


def test_declared_labels_that_fit_are_graded_and_nothing_is_said(tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL)
    result = course.result(course.model("BACKGROUND\nace\nking\nqueen\n"))
    assert isinstance(result, Done) and codes(result) == []
    value = result.value
    assert (value.name, value.by_the_run, value.meaning.taken) == ("ssd-mobilenet.onnx", False, (-1, 0, 1, 2))
    assert value.meaning.measured is None and value.meaning.seen == 16 and not value.meaning.unsettled
    assert HandedDetector.of(value).model == value.model
    assert DetectorAnswers.model_validate_json(value.model_dump_json()) == value


def test_a_background_that_labels_txt_lacks_shifts_every_class_as_on_a_board(tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL)
    result = course.result(course.model("ace\nking\nqueen\n"))
    meaning = result.value.meaning
    assert meaning.as_named == meaning.taken == (0, 1, 2, -1), "what is declared counts"
    assert meaning.measured == (-1, 0, 1, 2), "and this is the remedy"
    said = the(result, "labels-without-background").message
    assert "ace as king, king as queen, queen without a name" in said and "first line of labels.txt" in said
    assert "0% have the right class as labels.txt has it, and 100% with BACKGROUND as one more line" in the(
        result, "detector-labels-misfit"
    ).message  # fmt: skip


def test_the_shift_is_said_without_training_images_too(tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL)
    result = course.result(course.model("ace\nking\nqueen\n"), known=NO_SET)
    assert codes(result) == ["labels-without-background"] and result.value.meaning.measured is None


@pytest.mark.parametrize(
    ("described", "label_of", "taken"),
    [
        ({"family": "torchvision_onnx"}, AS_THE_MODEL, (-1, 0, 1, 2)),
        ({"family": "yolo_onnx", "background_first": False, "labels": 3}, {0: 0, 1: 1, 2: 2}, (0, 1, 2)),
        ({"family": "own_code", "background_first": False, "labels": None}, {0: 0, 1: 1, 2: 2}, (0, 1, 2)),
    ],
)
def test_other_tools_lists_need_no_background(described: Any, label_of: Any, taken: Any, tmp_path: Path) -> None:
    course = Course(tmp_path, label_of, **described)
    result = course.result(course.model("ace\nking\nqueen"))
    assert codes(result) == [] and result.value.meaning.taken == taken


def test_own_codes_labels_are_the_lines_of_its_list(tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL, family="own_code", background_first=False, labels=None)
    result = course.result(course.model("BACKGROUND\nace\nking\nqueen"))
    assert codes(result) == [] and result.value.meaning.taken == (-1, 0, 1, 2)
    shifted = course.result(course.model("ace\nking\nqueen"))
    assert shifted.value.meaning.taken == (0, 1, 2, -1), "each label of an answer has a meaning"
    assert codes(shifted) == ["detector-labels-misfit"] and shifted.value.meaning.measured == (-1, 0, 1, 2)


def test_a_reordered_list_is_graded_as_declared_and_the_right_one_is_shown(tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL)
    result = course.result(course.model("BACKGROUND\nqueen\nking\nace"))
    assert result.value.meaning.taken == (-1, 2, 1, 0) and result.value.meaning.measured == (-1, 0, 1, 2)
    assert "100% in the order BACKGROUND, ace, king, queen" in the(result, "detector-labels-misfit").message


def test_what_is_not_declared_and_surely_measured_is_taken(tmp_path: Path) -> None:
    course = Course(tmp_path, {0: 2, 1: 1, 2: 3})
    result = course.result(course.model())
    meaning = result.value.meaning
    assert meaning.as_named == (-1, 0, 1, 2) and meaning.taken == meaning.measured == (-1, 1, 0, 2)
    assert "in the order BACKGROUND, king, ace, queen, so the latter" in the(result, "labels-measured").message
    assert the(Course(tmp_path, AS_THE_MODEL).result(course.model()), "labels-missing").severity == "info"
    assert the(course.result(course.model(), known=NO_SET), "labels-missing").severity == "warning"


def test_names_inside_the_model_and_the_data_sets_order_come_before_the_alphabet(tmp_path: Path) -> None:
    named = Course(tmp_path, {0: 2, 1: 1, 2: 0}, family="yolo_onnx", background_first=False, labels=3,
                   names=["queen", "king", "ace"])  # fmt: skip
    result = named.result(named.model(), known=NO_SET)
    assert codes(result) == ["labels-from-model"] and result.value.meaning.taken == (2, 1, 0)
    course = Course(tmp_path, {0: 3, 1: 2, 2: 1})
    result = course.result(course.model("queen\nking\nace\n", role=OF_DATA_SET))
    assert codes(result) == ["labels-missing"] and result.value.meaning.taken == (-1, 2, 1, 0)


@pytest.mark.parametrize(
    ("labels", "said", "taken"),
    [
        ("BACKGROUND\nace\nking", ["detector-labels-wrong-count", "class-missing"], (-1, 0, 1, -1)),
        ("BACKGROUND\nAce\nKINGS\nqueen", ["labels-other-form"], (-1, 0, 1, 2)),
        ("BACKGROUND\nace\njack\nqueen", ["class-missing", "class-unknown"], (-1, 0, -1, 2)),
        ("ace\nBACKGROUND\nking\nqueen", ["labels-background-elsewhere"], (0, -1, 1, 2)),
    ],
)
def test_faults_of_the_names_are_findings(labels: str, said: list[str], taken: Any, tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL)
    result = course.result(course.model(labels), known=NO_SET)
    assert codes(result) == said and result.value.meaning.taken == taken


def test_a_count_of_labels_has_a_background_only_where_the_model_has_one(tmp_path: Path) -> None:
    """And a class's name may hold a comma, where semicolons stand between the names."""
    ssd = Course(tmp_path, AS_THE_MODEL)
    said = the(ssd.result(ssd.model("BACKGROUND;ace;king"), known=NO_SET), "detector-labels-wrong-count").message
    assert said == "The detector has 4 labels, its background included, but labels.txt names 3."
    (tmp_path / "yolo").mkdir()
    yolo = Course(tmp_path / "yolo", {0: 0, 1: 1, 2: 2}, family="yolo_onnx", background_first=False, labels=3)
    said = the(yolo.result(yolo.model("ace;king, queen"), known=NO_SET), "detector-labels-wrong-count").message
    assert said == "The detector has 3 labels, but labels.txt names 2."


def test_a_void_class_is_none_that_the_board_shows(tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL)
    result = course.result(course.model("BACKGROUND\nace\nvoid\nqueen"))
    engine = course.context.sandbox
    assert isinstance(engine, Sends) and json.loads(engine.jobs[-1].request)["void"] == [2]
    assert result.value.void == (2,)


def test_a_refusal_before_held_out_images_went_in_is_told_to_the_student(tmp_path: Path) -> None:
    course = Course(tmp_path, AS_THE_MODEL)
    result = course.result(course.model(content=b"none"))
    assert isinstance(result, Failed) and "it is no detector that is known here" in result.reason and not result.detail
    assert "it is no detector" in the(result, "prediction-failed").message
    engine = course.context.sandbox
    assert isinstance(engine, Sends) and len(engine.jobs) == 1


def test_the_next_is_graded_where_the_first_is_no_detector_and_code_comes_last(tmp_path: Path) -> None:
    course = Course(tmp_path, {0: 0, 1: 1, 2: 2}, family="own_code", background_first=False, labels=None)
    (tmp_path / "predict.py").write_text("code")
    own = HandedModel(tmp_path / "predict.py", {}, "predict.py", "python")
    result = course.result(course.model(content=b"none"), own)
    assert isinstance(result, Done) and result.value.name == "predict.py" and result.value.model is None
    assert [name for name, _ in result.value.own] == ["predict.py"]
    said = the(result, "several-models").message
    assert "predict.py (a Python program) was graded" in said and "ssd-mobilenet.onnx (an ONNX model: " in said
    assert isinstance(course.result(), Skipped) and codes(course.result()) == ["no-model"]
    assert len(NAMES) == result.value.images
