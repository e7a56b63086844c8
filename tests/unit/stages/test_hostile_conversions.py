"""What `convert` gets out of a sandbox is bounded and checked; and whose labels and pre-processing count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import LABELS, context

from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.stage_result import Done, Failed

CONVERTED: dict[str, Any] = {
    "source_format": "onnx",
    "layout": "NCHW",
    "input_dtype": "float32",
    "outputs": 3,
    "output_kind": "logits",
    "within_unit": False,
    "one_unit": False,
    "passed_over": [],
    "always_one": False,
    "output": [1, 1],
    "names": [],
    "only_original_varies": False,
    "default": "torchvision-imagenet",
    "rule": {
        "width": 32,
        "height": 32,
        "colour": "RGB",
        "scale": 1.0,
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "resize": "stretch",
        "crop_fraction": 1.0,
    },
    "images_compared": 8,
    "native": "",
    "dynamic_batch": True,
    "max_abs_difference": 1e-6,
    "opset": 18,
}


def converted(tmp_path: Path, files: dict[str, bytes] | None = None, **changes: Any) -> Any:
    (tmp_path / "handed.onnx").write_bytes(b"a model")
    sent = {"conversion.json": json.dumps(CONVERTED | changes).encode(), "model.onnx": b"converted"}
    place = context(tmp_path, sent if files is None else files)
    return convert(HandedModel(tmp_path / "handed.onnx"), LABELS, (), None, place)


def test_a_conversion_as_agreed(tmp_path: Path) -> None:
    result = converted(tmp_path)
    assert isinstance(result, Done) and result.value.labels == LABELS
    assert [f.code for f in result.findings] == ["labels-missing", "preprocessing-assumed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"source_format": "../../x"},
        {"layout": "CHWN"},
        {"outputs": -1},
        {"outputs": 2**70},
        {"max_abs_difference": -1},
        {"max_abs_difference": float("nan")},
        {"default": "mine"},
        {"rule": {**CONVERTED["rule"], "width": 10**9}},
        {"rule": {**CONVERTED["rule"], "mean": [0]}},
        {"labels": ["a"]},
    ],
)
def test_a_conversion_that_is_not_as_agreed(changes: dict[str, Any], tmp_path: Path) -> None:
    result = converted(tmp_path, **changes)
    assert isinstance(result, Failed) and result.status == "rejected"


def test_a_conversion_without_its_model(tmp_path: Path) -> None:
    result = converted(tmp_path, {"conversion.json": json.dumps(CONVERTED).encode()})
    assert isinstance(result, Failed) and "model.onnx was not sent" in result.reason


def test_another_number_of_outputs_than_labels(tmp_path: Path) -> None:
    result = converted(tmp_path, outputs=4)
    assert isinstance(result, Failed) and result.status == "rejected"
    assert [f.code for f in result.findings] == ["labels-missing", "labels-wrong-count"]


def test_a_refusal_is_shown_in_one_line(tmp_path: Path) -> None:
    reason = json.dumps({"reason": "bad\n<script>\x1b[31m" + "x" * 3000}).encode()
    result = converted(tmp_path, {"refused.json": reason})
    assert isinstance(result, Failed)
    assert "\n" not in result.reason and "\x1b" not in result.reason and len(result.reason) < 500


def beside(tmp_path: Path, **companions: str) -> Any:
    """Converted with a labels.txt, a handin.json, or both, of three names."""
    (tmp_path / "handed.onnx").write_bytes(b"a model")
    names = {"labels": "labels.txt", "handin": "handin.json"}
    for key, text in companions.items():
        (tmp_path / names[key]).write_text(text)
    files = {"conversion.json": json.dumps(CONVERTED).encode(), "model.onnx": b"converted"}
    model = HandedModel(tmp_path / "handed.onnx", {names[key]: tmp_path / names[key] for key in companions})
    return convert(model, ("mug", "ball", "bottle"), (), None, context(tmp_path, files))


HANDIN = {"schema": 1, "classes": ["x", "y", "z"]}


@pytest.mark.parametrize(
    ("companions", "labels"),
    [
        ({}, ("ball", "bottle", "mug")),  # the assignment's, in alphabetical order
        ({"handin": json.dumps(HANDIN)}, ("x", "y", "z")),
        ({"labels": "c\na\nb"}, ("c", "a", "b")),
        ({"labels": "c\na\nb", "handin": json.dumps(HANDIN)}, ("c", "a", "b")),
        ({"labels": "\n", "handin": json.dumps(HANDIN)}, ("x", "y", "z")),
        ({"labels": "c\na\nb", "handin": "{"}, ("c", "a", "b")),
    ],
)
def test_labels_txt_comes_before_handin_json_before_the_assignment(tmp_path: Path, companions, labels) -> None:
    result = beside(tmp_path, **companions)
    assert isinstance(result, Done) and result.value.labels == labels
    assert ("labels-missing" in [f.code for f in result.findings]) == (companions == {})


def test_a_declared_preprocessing_comes_before_an_assumed_one(tmp_path: Path) -> None:
    rule = CONVERTED["rule"] | {"width": 64, "height": 48}
    result = beside(tmp_path, handin=json.dumps(HANDIN | rule))
    assert (result.value.preprocess.width, result.value.preprocess.height, result.value.assumed) == (64, 48, "")
    assumed = beside(tmp_path, labels="a\nb\nc").value
    assert assumed.preprocess.width == 32 and "(32 x 32)" in assumed.assumed


def test_background_is_left_out_where_there_is_one_label_too_many(tmp_path: Path) -> None:
    assert beside(tmp_path, labels="BACKGROUND\na\nb\nc").value.labels == ("a", "b", "c")
    assert beside(tmp_path, labels="Background\na\nb").value.labels == ("Background", "a", "b")
    assert isinstance(beside(tmp_path, labels="foreground\na\nb\nc"), Failed)


@pytest.mark.parametrize(
    ("said", "within", "told"),
    [(None, True, True), (None, False, False), ("logits", True, False), ("probabilities", False, True)],
)
def test_outputs_that_are_no_probabilities_though_they_look_like_some(tmp_path: Path, said, within, told) -> None:
    (tmp_path / "m.onnx").write_bytes(b"x")
    (tmp_path / "handin.json").write_text(json.dumps(HANDIN | ({"output": said} if said else {})))
    files = {"conversion.json": json.dumps(CONVERTED | {"within_unit": within}).encode(), "model.onnx": b"x"}
    model = HandedModel(tmp_path / "m.onnx", {"handin.json": tmp_path / "handin.json"})
    result = convert(model, None, (), None, context(tmp_path, files))
    assert ("outputs-not-probabilities" in [f.code for f in result.findings]) == told


def test_the_key_of_a_model_is_of_all_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/a", "variables/b"):
        (folder / name).write_text(name)
    (tmp_path / "model.py").write_text("x")
    keys = {HandedModel(folder).key(), HandedModel(folder, {"model.py": tmp_path / "model.py"}).key()}
    (folder / "variables/a").write_text("another")
    keys.add(HandedModel(folder).key())
    assert len(keys) == 3
    one, other = HandedModel(tmp_path / "model.py"), HandedModel(folder / "variables/b")
    assert one.key() == HandedModel(tmp_path / "model.py").key() != other.key()
    assert one.key() != HandedModel(tmp_path / "model.py", name="renamed").key(), "what is said of it names it"


def test_names_inside_the_model_that_are_not_the_classes_are_not_taken(tmp_path: Path) -> None:
    result = converted(tmp_path, names=["x\u202e", "y", "z"])
    assert isinstance(result, Done) and result.value.labels == LABELS


def test_names_inside_the_model_are_written_as_the_assignment_does(tmp_path: Path) -> None:
    said = [name.upper() for name in reversed(LABELS)]
    result = converted(tmp_path, names=said)
    assert isinstance(result, Done) and result.value.labels == tuple(reversed(LABELS))
    assert "labels-from-model" in {found.code for found in result.findings}


@pytest.mark.parametrize("names", [[LABELS[0]] * 3, [*LABELS, LABELS[0]], list(LABELS[:2])])
def test_names_twice_or_of_another_number_are_not_taken(names: list[str], tmp_path: Path) -> None:
    result = converted(tmp_path, names=names)
    assert isinstance(result, Done) and "labels-missing" in {found.code for found in result.findings}


@pytest.mark.parametrize(
    "changes", [{"one_unit": True}, {"output": [2, 1]}, {"output": [1, 1, 1]}, {"names": ["x"] * 1001}]
)
def test_outputs_that_cannot_be(changes: dict[str, Any], tmp_path: Path) -> None:
    assert isinstance(converted(tmp_path, **changes), Failed)
