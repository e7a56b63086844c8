"""What [reference] may say of a detection assignment."""

from pathlib import Path

import pytest
from voc_course import voc

from harness.errors import AssignmentError
from harness.inputs.assignment import Assignment, load

TEXT = """\
title = "Objects"
task = "detection"
[dataset]
path = "train"
[held_out]
path = "held_out"
[reference]
{reference}
[[criteria]]
kind = "model_predicts"
points = 10
"""


def loaded(folder: Path, reference: str) -> Assignment:
    for part in ("train", "held_out"):
        voc(folder / part, [[("cup", 5, 5, 60, 40)]])
    (folder / "mine.py").write_text("def train(): ...\n")
    (folder / "assignment.toml").write_text(TEXT.format(reference=reference))
    return load(folder / "assignment.toml")


def test_it_needs_no_key(tmp_path: Path):
    spec = loaded(tmp_path, "").reference
    assert (spec.backbone, spec.weights_name, spec.code) == ("mobilenet_v2", "mobilenet_v2", None)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ('backbone = "resnet18"', "the packaged reference detector has no backbone 'resnet18'; one of: mobilenet_v2,"),
        ('backbone = "mobilenet_v3"', "'mobilenet_v3'; did you mean 'mobilenet_v2'?, or give code"),
        ("fine_tune_epochs = 3", "reference.fine_tune_epochs is for classification"),
    ],
)
def test_what_the_packaged_detector_cannot_be_is_an_error(tmp_path: Path, reference: str, expected: str):
    with pytest.raises(AssignmentError) as caught:
        loaded(tmp_path, reference)
    assert expected in caught.value.message
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("backbone", ["ssd_mobilenet", "vgg16", "vgg16_notop_caffe"])
def test_it_may_start_from_other_weights(tmp_path: Path, backbone: str):
    assert loaded(tmp_path, f'backbone = "{backbone}"').reference.weights_name == backbone


def test_a_classifier_cannot_start_from_a_detector(tmp_path: Path):
    file = tmp_path / "assignment.toml"
    loaded(tmp_path, 'backbone = "ssd_mobilenet"')
    file.write_text(file.read_text().replace('task = "detection"\n', ""))
    with pytest.raises(AssignmentError, match="the packaged reference classifier has no backbone 'ssd_mobilenet'"):
        load(file)


def test_an_instructors_code_may_take_any(tmp_path: Path):
    spec = loaded(tmp_path, 'code = "mine.py"\nbackbone = "vgg16"\nfine_tune_epochs = 3').reference
    assert (spec.code, spec.backbone, spec.fine_tune_epochs) == (tmp_path / "mine.py", "vgg16", 3)
