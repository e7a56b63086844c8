"""What `harness validate` says of an assignment, without a sandbox but for the comparison's own functions."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageOps

from harness.agent.dataset.describing import described
from harness.agent.dataset.keypoints import sift
from harness.cli.main import cli
from harness.errors import NoSandbox
from harness.grading.similarity.course_images import ComparedImages, CourseImage, copied, same_scenes
from harness.grading.validation import Validation, validate
from harness.grading.validation.contents import listed, of_contents
from harness.grading.validation.folders import image_folder
from harness.grading.validation.leaks import leaks_of
from harness.stages.audit.images import Described, ImageSet

TOML = """\
title = "Objects"
weights = ["{weights}"]
[dataset]
path = "train"
[held_out]
path = "{held_out}"
[reference]
code = "transfer.py"
[[criteria]]
kind = "{kind}"
points = 10
"""


class Silent:
    def say(self, line: str) -> None: ...


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course's folder: smooth noise, another for each image, in two classes."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder, rng = tmp_path / "course", np.random.default_rng(1)
    for part, count in (("train", 10), ("heldout", 5)):
        for name in ("ball", "mug"):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                noise = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
                noise.resize((192, 192), Image.Resampling.BICUBIC).save(
                    folder / part / name / f"{number}.jpg", quality=90
                )
    (folder / "transfer.py").write_text("def train(): ...\n")
    write(folder)
    return folder


def write(folder: Path, weights: str = "mobilenet_v2", held_out: str = "heldout", kind: str = "model_predicts") -> None:
    (folder / "assignment.toml").write_text(TOML.format(weights=weights, held_out=held_out, kind=kind))


def said(folder: Path, level: str) -> str:
    found = validate(folder / "assignment.toml", NoSandbox("no engine"), Silent())  # type: ignore[arg-type]
    return "\n".join(str(one) for one in found.of(level))  # type: ignore[arg-type]


def test_the_command_names_weights_that_are_not_here_and_how_to_fetch_them(course: Path, monkeypatch):
    monkeypatch.setattr("harness.sandbox.choose", lambda _: (_ for _ in ()).throw(NoSandbox("no engine")))
    done = CliRunner().invoke(cli, ["validate", str(course), "--json"], standalone_mode=False)
    found = Validation.model_validate_json(done.stdout)
    assert done.return_value == 2
    errors = [(one.place, one.do) for one in found.of("error")]
    assert ("assignment.toml:2  weights", "harness weights fetch mobilenet_v2") in errors
    assert any(one.place == "sandbox" and one.do == "harness doctor" for one in found.of("doubt"))
    assert json.loads(done.stdout)["assignment"] == str(course / "assignment.toml")


def test_every_fault_of_the_file_is_said_at_once_with_the_nearest_name(course: Path):
    write(course, weights="mobilnet_v2", kind="model_predict")
    errors = said(course, "error")
    assert "weights: unknown weights 'mobilnet_v2'" in errors and "'mobilenet_v2'" in errors
    assert "criteria.1.kind: unknown kind 'model_predict'; did you mean 'model_predicts'?" in errors


def test_a_broken_table_hides_no_fault_of_the_rubric(course: Path):
    write(course, kind="model_predict")
    with (course / "assignment.toml").open("a") as stream:
        stream.write("[limits]\nmemry = 1\n")
    errors = said(course, "error")
    assert "did you mean 'memory'?" in errors and "did you mean 'model_predicts'?" in errors


@pytest.mark.parametrize("held_out", ["train", "train/inner"])
def test_a_held_out_set_inside_the_training_images_is_an_error(course: Path, held_out: str):
    if held_out != "train":
        (course / "heldout").rename(course / held_out)
    write(course, held_out=held_out)
    errors = said(course, "error")
    assert "lies inside" in errors and "must be apart" in errors


@pytest.mark.parametrize(("seed", "is_doubt"), [("", True), ("seed = 999", True), ("seed = 48151623", False)])
def test_a_seed_of_withheld_images_that_can_be_guessed_is_a_doubt(tmp_path: Path, seed: str, is_doubt: bool):
    text = TOML.format(weights="mobilenet_v2", held_out="heldout", kind="model_predicts")
    text = text.replace('path = "heldout"', 'mode = "withhold"').replace('[dataset]\npath = "train"\n', "")
    text = text.replace('[reference]\ncode = "transfer.py"\n', "")
    (tmp_path / "assignment.toml").write_text(f"{text}[own_dataset]\n{seed}\n")
    assert ("students can find out which of their images" in said(tmp_path, "doubt")) == is_doubt


def test_classes_that_do_not_fit_are_errors(course: Path):
    (course / "heldout" / "mug").rename(course / "heldout" / "Mug")
    assert "no training images of Mug" in said(course, "error")
    (course / "heldout" / "ball").rename(course / "heldout" / "mug")
    assert "'Mug' and 'mug' differ only by case" in said(course, "error")


def test_links_litter_few_images_and_a_licence_that_is_not_there_are_doubts(course: Path):
    (course / "heldout" / "mug" / "Thumbs.db").write_bytes(b"x")
    (course / "heldout" / "mug" / "9.jpg").symlink_to(course / "heldout" / "mug" / "0.jpg")
    (course / "train" / "ball" / "0.jpg").unlink()
    doubts = said(course, "doubt")
    assert "heldout/mug/Thumbs.db" in doubts and "1 links (heldout/mug/9.jpg)" in doubts
    assert "few images of ball (9)" in doubts
    assert "no LICENSE or README" in doubts
    (course / "LICENSE").write_text("CC-BY")
    assert "no LICENSE or README" not in said(course, "doubt")


def test_three_mirrored_training_images_and_a_crop_are_found_among_the_held_out_ones(course: Path):
    for number in range(3):
        ImageOps.mirror(Image.open(course / "train" / "mug" / f"{number}.jpg")).save(
            course / "heldout" / "mug" / f"m{number}.jpg", quality=80
        )
    crop = Image.open(course / "train" / "ball" / "4.jpg").crop((12, 8, 180, 176)).resize((192, 192))
    crop.save(course / "heldout" / "mug" / "crop.jpg", quality=90)
    sets = {key: image_folder(key, f"{key}.path", course / name) for key, name in NAMES.items()}
    images = listed(sets)
    describing = sift()
    seen = [described(one.file, describing) for one in images]
    assert all(one is not None and one.keypoints is not None for one in seen)
    table = ImageSet(
        tuple(str(one.file) for one in images),
        (None,) * len(images),
        ("",) * len(images),
        tuple(Described(**one.values()) for one in seen if one),
        np.stack([one.grey for one in seen if one]),
        None,
        np.stack([one.keypoints for one in seen if one and one.keypoints is not None]),
    )
    copies, complete = copied(table, images)
    more, scenes = same_scenes(table, images, {index for pair in copies for index in pair})
    found = {(images[i].file.name, images[j].file.name) for i, j in (*copies, *more)}
    assert complete and scenes == []
    assert found == {("m0.jpg", "0.jpg"), ("m1.jpg", "1.jpg"), ("m2.jpg", "2.jpg"), ("crop.jpg", "4.jpg")}


NAMES = {"held_out": "heldout", "dataset": "train"}


def test_leaks_are_errors_and_scenes_doubts_with_the_files_named(tmp_path: Path):
    images = (
        CourseImage("held_out", "mug", tmp_path / "h.jpg"),
        CourseImage("held_out", "mug", tmp_path / "i.jpg"),
        CourseImage("held_out", "cup", tmp_path / "j.jpg"),
        CourseImage("dataset", "mug", tmp_path / "t.jpg"),
    )
    compared = ComparedImages(
        sizes=((90, 90), (90, 20), None, None), copies=((0, 2), (0, 3)), scenes=((1, 3),), complete=True
    )
    places = {"held_out": "held", "dataset": "train"}
    leaks = leaks_of(compared, images, tmp_path, ())
    found = [(one.level, one.place, one.what) for one in of_contents(compared, images, places, tmp_path, leaks)]
    wanted = [
        ("error", "held", "1 image cannot be decoded: j.jpg"),
        ("doubt", "held", "1 image of less than 64 pixels: i.jpg (90 x 20)"),
        ("doubt", "train", "1 image cannot be decoded: t.jpg"),
        ("error", "held", "h.jpg is t.jpg"),
        ("doubt", "held", "i.jpg and t.jpg"),
        ("error", "held", "1 photograph in two classes: h.jpg and j.jpg"),
    ]
    assert len(found) == len(wanted)
    assert all((a, b) == (c, d) and e in f for (a, b, e), (c, d, f) in zip(wanted, found, strict=True))
