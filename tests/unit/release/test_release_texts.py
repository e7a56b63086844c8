"""What students read: the keys of the assignment that they may know, its words, the notebook, the images."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import get_args

import pytest
import yaml
from PIL import Image
from pydantic import BaseModel

from harness.errors import AssignmentError
from harness.grading.release.images import write_images
from harness.grading.release.package import release
from harness.grading.release.public_assignment import PRIVATE, PUBLIC, public_toml
from harness.grading.release.starting_notebook import starting_notebook
from harness.grading.release.words import github_workflow, gitlab_job, readme
from harness.inputs.assignment import Assignment, load
from harness.inputs.student_package import ReferenceScores

ASSIGNMENT = """\
title = "Two objects"
weights = ["mobilenet_v2"]
[notebook]
steps = ["Load the data", "Fit"]
questions = ["Which pre-processing?"]
[dataset]
path = "train"
[held_out]
mode = "both"
path = "kept-back"
[own_dataset]
seed = 7
min_classes = 2
[execution]
requirements = "needs.txt"
[reference]
code = "transfer.py"
seed = 99
[grading]
borderline = [5]
[deadline]
at = 2026-12-01T23:59:00
time_zone = "Europe/Amsterdam"
grace_minutes = 10
[[criteria]]
kind = "accuracy_vs_reference"
points = 10
zero_at = -0.3
[[criteria]]
kind = "manual"
title = "Open | questions"
points = 5
"""


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    for part in ("train", "kept-back"):
        for name in ("ball", "mug"):
            (tmp_path / part / name).mkdir(parents=True)
            Image.new("RGB", (20, 20), "red").save(tmp_path / part / name / "1.png")
    (tmp_path / "transfer.py").write_text("")
    (tmp_path / "needs.txt").write_text("rich\n")
    (tmp_path / "assignment.toml").write_text(ASSIGNMENT)
    return load(tmp_path / "assignment.toml")


def test_every_key_is_decided_to_be_public_or_private():
    """A table that is public in part names all its keys."""
    for key, field in Assignment.model_fields.items():
        name = field.alias or key
        if field.exclude:
            continue
        assert name in PUBLIC or PRIVATE.get(name, ()) is None, name
        if (keys := PUBLIC.get(name)) is not None:
            (table,) = (
                one
                for one in (field.annotation, *get_args(field.annotation))
                if isinstance(one, type) and issubclass(one, BaseModel)
            )
            assert {*keys, *(PRIVATE.get(name) or ())} == set(table.model_fields), name


def test_the_public_assignment_has_no_path_no_seed_and_nothing_of_the_reference(assignment: Assignment):
    found = tomllib.loads(public_toml(assignment, trains_on_images=True))
    assert found["dataset"] == {"path": "images"} and found["held_out"] == {"mode": "both"}
    assert found["own_dataset"] == {"min_classes": 2}
    assert found["execution"] == {"requirements": "requirements.txt"}
    assert not {"reference", "grading", "public", "unseen"} & set(found)
    assert found["criteria"][0]["zero_at"] == -0.3
    assert "path" not in tomllib.loads(public_toml(assignment, trains_on_images=False)).get("dataset", {})


def test_the_readme_says_what_is_asked(assignment: Assignment):
    scores = ReferenceScores(
        backbone="vgg16",
        images_sha256="0",
        accuracy=0.5,
        accuracy_interval=(0.1, 0.9),
        right={"a/1": True, "b/1": False},
    )
    said = readme(assignment, 2, scores, trains_on_images=True)
    assert "Tuesday 01 December 2026, 23:59 (Europe/Amsterdam). 10 minutes later is still in time." in said
    assert "| Open \\| questions | 5 |" in said and "**15**" in said
    assert "(vgg16) reaches 0.500" in said and "which none are: -0.3" in said
    assert "2 public images" in said and "withheld" in said
    assert 'pip install "transfer-harness[check]"' in said  # no torch but the student's own


def test_what_students_install_brings_no_torch():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert set(extras["check"]) < set(extras["torch"])
    assert not [one for one in (*project["dependencies"], *extras["check"]) if one.startswith("torch")]


@pytest.mark.parametrize("job", [github_workflow, gitlab_job])
def test_the_jobs_check_and_keep_the_result(job, assignment: Assignment):
    assert "check" in {**yaml.safe_load(job(assignment)), **yaml.safe_load(job(assignment)).get("jobs", {})}
    assert 'pip install "transfer-harness[torch]"' in job(assignment)
    assert "harness check --junit check.xml" in job(assignment)


def test_the_notebook_is_made_of_the_steps_or_is_the_instructors_without_outputs(
    assignment: Assignment, tmp_path: Path
):
    cells = json.loads(starting_notebook(assignment, trains_on_images=False))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    assert "## 2. Fit" in texts and texts[-1] == "%load_ext harness\n%check"
    assert any("Which pre-processing?" in text for text in texts)
    own = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Ours\n", "begins"]},
            {
                "cell_type": "code",
                "metadata": {"secret": 1},
                "source": "train()",
                "outputs": [{"output_type": "stream", "text": "0.93"}],
                "execution_count": 3,
            },
        ],
        "metadata": {"author": "the instructor"},
    }
    (tmp_path / "ours.ipynb").write_text(json.dumps(own))
    public = assignment.public.model_copy(update={"notebook": tmp_path / "ours.ipynb"})
    text = starting_notebook(assignment.model_copy(update={"public": public}), trains_on_images=True)
    assert not any(word in text for word in ("0.93", "secret", "the instructor"))
    found = json.loads(text)["cells"]
    assert found[0]["source"] == "# Ours\nbegins" and "data/train" in found[1]["source"]
    (tmp_path / "ours.ipynb").write_text("{}")
    with pytest.raises(AssignmentError, match="not a notebook"):
        starting_notebook(assignment.model_copy(update={"public": public}), trains_on_images=True)


def test_images_are_written_without_their_metadata_and_names(tmp_path: Path):
    (tmp_path / "in" / "ball").mkdir(parents=True)
    image = Image.new("RGB", (30, 20), "green")
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "label: mug", 6
    image.save(tmp_path / "in" / "ball" / "held-out-7.jpg", exif=exif, comment=b"label: mug")
    image.save(tmp_path / "in" / "ball" / "z.tiff", description="label: mug")
    with (tmp_path / "in" / "ball" / "held-out-7.jpg").open("ab") as stream:
        stream.write(b"label: mug")
    assert write_images(tmp_path / "in", tmp_path / "out") == 2
    written = sorted(file for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert [file.relative_to(tmp_path / "out").as_posix() for file in written] == ["ball/0001.jpg", "ball/0002.png"]
    for file in written:
        assert b"label" not in file.read_bytes()
        with Image.open(file) as opened:
            assert not opened.getexif()
    with Image.open(written[0]) as opened:
        assert opened.size == (20, 30)  # upright
    (tmp_path / "in" / "ball" / "broken.png").write_bytes(b"no image")
    with pytest.raises(AssignmentError, match=r"broken\.png"):
        write_images(tmp_path / "in", tmp_path / "again")


def test_what_pip_installs_is_one_line(assignment: Assignment, tmp_path: Path):
    text = ASSIGNMENT.replace("[reference]", '[public]\ninstall = "x\\n- run: rm"\n[reference]')
    (tmp_path / "assignment.toml").write_text(text)
    with pytest.raises(AssignmentError, match="one requirement"):
        load(tmp_path / "assignment.toml")


def test_withheld_images_need_a_seed_that_nobody_can_guess(assignment: Assignment, tmp_path: Path):
    """Before anything is trained: `harness check` has the same program to draw with."""
    with pytest.raises(AssignmentError, match=r"own_dataset\.seed is 7, so students can find out"):
        release(assignment, tmp_path / "package", None, None)  # type: ignore[arg-type]
    assert not (tmp_path / "package").exists()
