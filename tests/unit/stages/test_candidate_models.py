"""Of several models the first is graded that loads and fits the classes; what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import LABELS, Sends, context
from test_hostile_conversions import CONVERTED

from harness.findings import finding
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images.training import NO_TRAINING_IMAGES
from harness.sandbox.engine import Job
from harness.stages.candidates import first_graded
from harness.stages.convert import HandedModel
from harness.stages.convert_candidates import CONVERT, ConvertRequest
from harness.stages.evidence.stage_result import Done, Failed, Skipped

FITS, IMAGENET, DAMAGED = b"three outputs", b"a thousand outputs", b"damaged"


def _sent(job: Job) -> dict[str, bytes]:
    content = job.inputs["model"].read_bytes()
    if content == DAMAGED:
        return {"refused.json": b'{"reason": "the file is cut off"}'}
    reply = CONVERTED | {"outputs": 1000 if content == IMAGENET else 3}
    return {"conversion.json": json.dumps(reply).encode(), "model.onnx": content}


class Course:
    def __init__(self, folder: Path) -> None:
        self.folder, self.context = folder, context(folder, _sent)

    def model(self, name: str, content: bytes, kind: str = "onnx", **more: Any) -> HandedModel:
        (self.folder / name).write_bytes(content)
        return HandedModel(self.folder / name, kind=kind, **more)

    def result(self, *models: HandedModel) -> Any:
        request = ConvertRequest(models, False, LABELS, NO_TRAINING_IMAGES, GivenWeights(None, {}, {}))
        return CONVERT.work(request, self.context)

    @property
    def jobs(self) -> int:
        assert isinstance(self.context.sandbox, Sends)
        return len(self.context.sandbox.jobs)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


def codes(result: Any) -> list[str]:
    return [one.code for one in result.findings]


def test_the_first_that_fits_is_graded_and_the_others_are_named_with_why(course: Course) -> None:
    result = course.result(
        course.model("mobilenetv2-12.onnx", IMAGENET),
        course.model("cut.pt", DAMAGED, "torch-module"),
        course.model("my_objects.onnx", FITS),
        course.model("later.onnx", FITS),
        course.model("history.pkl", DAMAGED, "history"),
    )
    assert isinstance(result, Done) and course.jobs == 3
    assert course.context.store.path(result.value.model).read_bytes() == FITS
    (said,) = [one.message for one in result.findings if one.code == "several-models"]
    assert said.startswith("There are several models. my_objects.onnx (an ONNX model) was graded.")
    assert "mobilenetv2-12.onnx (an ONNX model: The model has 1000 outputs, but there are 3 labels" in said
    assert "cut.pt (a whole torch model: the file is cut off)" in said and "later.onnx (an ONNX model)" in said
    assert "history" not in said
    assert not {"labels-wrong-count", "model-unreadable"} & set(codes(result)), "of models that are not graded"


def test_where_none_fits_the_first_ones_reason_stands_with_the_others(course: Course) -> None:
    result = course.result(course.model("a.onnx", IMAGENET), course.model("b.onnx", DAMAGED))
    assert isinstance(result, Failed) and "1000 outputs" in result.reason
    assert codes(result)[0] == "no-model-of-several" and "b.onnx" in result.findings[0].message
    assert "labels-wrong-count" in codes(result)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("tfjs", "TensorFlow.js"),
        ("ultralytics", "ultralytics"),
        ("lfs-pointer", "Git LFS"),
        ("keras-weights", "weights"),
    ],
)
def test_what_is_of_another_kind_is_named_and_never_loaded(kind: str, words: str, course: Course) -> None:
    result = course.result(course.model("model.json", FITS, kind))
    assert isinstance(result, Failed) and words in result.reason and course.jobs == 0
    assert codes(result) == ["model-of-another-kind"]


def test_one_model_alone_says_nothing_of_several(course: Course) -> None:
    note = finding("companion-elsewhere", what="labels.txt", name="data/labels.txt")
    assert codes(course.result(course.model("model.onnx", FITS, findings=(note,))))[0] == "companion-elsewhere"
    assert "several-models" not in codes(course.result(course.model("model.onnx", FITS)))


def test_a_model_that_the_run_made_does_not_compete_with_the_one_handed_in(course: Course) -> None:
    made = course.model("out.onnx", FITS, by_the_run=True)
    assert "several-models" not in codes(course.result(made, course.model("model.onnx", FITS)))
    spoilt = course.model("out.onnx", DAMAGED, by_the_run=True)
    result = course.result(spoilt, course.model("model.onnx", FITS))
    assert isinstance(result, Done) and "several-models" in codes(result)


def test_without_a_model(course: Course) -> None:
    assert isinstance(course.result(), Skipped) and course.jobs == 0


def test_a_packed_folder_has_its_members_where_the_library_looks(tmp_path: Path) -> None:
    import zipfile

    from harness.stages.one_file import as_one_file

    for name in ("keras/config.json", "keras/model.weights.h5", "torch/data.pkl", "torch/data/0", "torch/version"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    members = {}
    for name in ("keras", "torch"):
        (tmp_path / f"{name}-packed").mkdir()
        with zipfile.ZipFile(as_one_file(tmp_path / name, tmp_path / f"{name}-packed")) as archive:
            members[name] = set(archive.namelist())
    assert members["keras"] == {"config.json", "model.weights.h5"}
    assert members["torch"] == {"model/data.pkl", "model/data/0", "model/version"}


@pytest.mark.parametrize("quotes", [True, False])
def test_a_failures_own_words_are_quoted_only_where_it_saw_no_secret(course: Course, quotes: bool) -> None:
    failed = Failed(status="failed", reason="The model failed.", detail="image 3 shows a mug")
    done = Done(value=NO_TRAINING_IMAGES)
    models = (course.model("first.onnx", FITS), course.model("second.onnx", FITS))
    outcomes = {"first.onnx": failed, "second.onnx": done}
    result: Any = first_graded(models, lambda one: outcomes[one.shown], False, 60.0, quotes=quotes)
    said = next(one.message for one in result.findings if one.code == "several-models")
    assert ("shows a mug" in said) == quotes and ("The model failed" in said) != quotes
