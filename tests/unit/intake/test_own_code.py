"""A predict.py with which a detector is handed in, what goes in with it, and whose labels.txt is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.inputs.submission import SubmittedFile
from harness.inputs.submissions.candidates import Aged, models
from harness.inputs.submissions.companions import OF_DATA_SET, belonging_to
from harness.inputs.submissions.own_code import own_code, own_files_of


def handed_in(*named: tuple[str, str]) -> tuple[SubmittedFile, ...]:
    return tuple(SubmittedFile(Path(name), kind) for name, kind in named)


def beside(*named: tuple[str, str]) -> set[str]:
    (found,) = own_code(handed_in(*named))
    return set(own_files_of({one.role: one.path for one in found.companions}))


def test_what_code_may_read_goes_in_and_a_data_set_does_not() -> None:
    files = (
        ("app/predict.py", "python"),
        ("app/tools/boxes.py", "python"),
        ("app/best.pt", "ultralytics"),
        ("app/settings.json", "json"),
        ("app/photo.jpg", "image"),
        ("app/work.ipynb", "notebook"),
        ("app/old.zip", "archive"),
        ("app/we\nird.py", "python"),
        ("report/other.py", "python"),
        ("dataset/predict.py", "python"),
    )
    assert beside(*files) == {"tools/boxes.py", "best.pt", "settings.json"}


def test_the_nearest_one_counts_and_without_one_there_is_nothing() -> None:
    files = handed_in(("a/b/predict.py", "python"), ("z/predict.py", "python"), ("predict.py", "text"))
    assert [one.path for one in own_code(files)] == [Path("z/predict.py")]
    assert own_code(handed_in(("model.onnx", "onnx"), ("dataset/predict.py", "python"))) == ()


def test_thousands_of_files_beside_it_are_cut_to_the_nearest_and_said() -> None:
    many = [(f"data/deep/{number}.txt", "text") for number in range(300)]
    (found,) = own_code(handed_in(("predict.py", "python"), ("helper.py", "python"), *many))
    taken = own_files_of({one.role: one.path for one in found.companions})
    assert len(taken) == 200 and "helper.py" in taken
    assert [one.code for one in found.findings] == ["own-code-cut"] and "301 files" in found.findings[0].message


def test_its_labels_and_declaration_belong_to_it() -> None:
    (found,) = own_code(handed_in(("predict.py", "python"), ("labels.txt", "text"), ("handin.json", "json")))
    assert {"labels.txt", "handin.json"} <= {one.role for one in found.companions}


@pytest.mark.parametrize("inside", ["Annotations/1.xml", "ImageSets/Main/train.txt", "JPEGImages/1.jpg"])
def test_a_data_sets_own_labels_are_not_the_models(inside: str) -> None:
    files = [Path("models/ssd.onnx"), Path("data/labels.txt"), Path("data", inside)]
    found, said = belonging_to(files[0], files)
    assert [(one.role, str(one.path)) for one in found] == [(OF_DATA_SET, "data/labels.txt")] and said == ()
    found, _ = belonging_to(files[0], [*files, Path("labels.txt")])
    assert [(one.role, str(one.path)) for one in found] == [("labels.txt", "labels.txt")]
    found, _ = belonging_to(Path("data/ssd.onnx"), files)
    assert [one.role for one in found] == ["labels.txt"], "beside the model it is the model's"


@pytest.mark.parametrize(
    "name", ["mobilenet-v1-ssd-mp-0_675.pth", "ssdlite320_mobilenet_v3_large_coco-a79551df.pth", "vgg16_reducedfc.pth"]
)
def test_published_weights_come_after_trained_ones(name: str) -> None:
    there = [Aged(file, 0) for file in handed_in((name, "torch-weights"), ("deep/er/best.pth", "torch-weights"))]
    assert [str(model.path) for model in models(there)] == ["deep/er/best.pth", name]


def test_weights_go_in_before_thousands_of_annotations() -> None:
    many = [(f"Annotations/{number:04}.xml", "text") for number in range(300)]
    assert {"weights/best.pth", "tools/deep/boxes.py"} < beside(
        ("predict.py", "python"), ("weights/best.pth", "torch-weights"), ("tools/deep/boxes.py", "python"), *many
    )
