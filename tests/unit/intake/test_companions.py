"""What belongs to a model: which of a submission's files, whatever they are called and wherever they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.inputs.submissions.companions import belonging_to


def taken(model: str, *files: str) -> dict[str, str]:
    found, _ = belonging_to(Path(model), [Path(file) for file in files])
    return {one.role: str(one.path) for one in found}


def codes(model: str, *files: str) -> list[str]:
    return [one.code for one in belonging_to(Path(model), [Path(file) for file in files])[1]]


@pytest.mark.parametrize(
    "name",
    ["labels.txt", "Labels.txt", "LABELS.TXT", "labels.txt.txt", "labels (1).txt", "label.txt", "classes.txt",
     "class_names.txt", "class-names.csv", "class_indices.json", "Class Names.txt", "labels.json", "obj.names",
     "data.yaml", "class_to_idx.json", "classes.txt.txt"],
)  # fmt: skip
def test_a_list_of_classes_whatever_it_is_called(name: str) -> None:
    assert taken("model.onnx", "model.onnx", name) == {"labels.txt": name}
    assert codes("model.onnx", name) == ([] if name == "labels.txt" else ["companion-elsewhere"])


@pytest.mark.parametrize(
    ("name", "role"),
    [("HANDIN.JSON", "handin.json"), ("HandIn.json", "handin.json"), ("handin.json.txt", "handin.json"),
     ("Model.py", "model.py"), ("model.py.txt", "model.py"), ("handin (2).json", "handin.json")],
)  # fmt: skip
def test_a_declaration_and_code_with_another_case_or_a_second_suffix(name: str, role: str) -> None:
    assert taken("model.pt", "model.pt", name) == {role: name}


@pytest.mark.parametrize(
    "name",
    ["readme.txt", "notes.json", "data.txt", "names.txt", "setup.txt", "my_labels_old.docx", "labels.png"],
)
def test_what_is_something_else(name: str) -> None:
    assert taken("model.onnx", "model.onnx", name) == {}


def test_beside_the_model_comes_before_all_others_and_the_exact_name_before_another() -> None:
    files = ("models/best.onnx", "models/labels.txt", "models/classes.txt", "labels.txt", "data/labels.txt")
    assert taken("models/best.onnx", *files) == {"labels.txt": "models/labels.txt"}
    assert taken("models/best.onnx", "models/best.onnx", "models/Labels.txt", "labels.txt") == {
        "labels.txt": "models/Labels.txt"
    }


def test_the_only_one_counts_wherever_it_lies() -> None:
    """jetson-inference keeps models/<name>/resnet18.onnx and data/<name>/labels.txt."""
    model, labels = "models/objects/resnet18.onnx", "data/objects/labels.txt"
    assert taken(model, model, labels) == {"labels.txt": labels}
    assert taken(model, model, labels, "notes/classes.txt") == {"labels.txt": labels}, "the exact name is one alone"


@pytest.mark.parametrize("near", ["models/labels.txt", "models/objects/export/labels.txt"])
def test_of_several_the_one_a_folder_up_or_down_counts(near: str) -> None:
    model = "models/objects/best.onnx"
    assert taken(model, model, near, "old/first/labels.txt", "old/second/labels.txt") == {"labels.txt": near}


def test_beside_the_archive_that_the_model_came_in() -> None:
    model = "model.onnx.zip.unpacked/model.onnx"
    files = (model, "labels.txt", "handin.json", "old/deep/labels.txt")
    assert taken(model, *files) == {"labels.txt": "labels.txt", "handin.json": "handin.json"}


def test_none_of_several_is_guessed_and_all_are_named() -> None:
    model = "best.onnx"
    found, findings = belonging_to(Path(model), [Path(model), Path("a/b/labels.txt"), Path("c/d/labels.txt")])
    assert found == () and [one.code for one in findings] == ["companion-unclear"]
    assert "a/b/labels.txt, c/d/labels.txt" in findings[0].message
