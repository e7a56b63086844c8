"""A course whose task is detection, with photographs of playing cards: prepared, validated and run in sandboxes."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from readable import readable_to_the_sandbox
from small_course import notebook, with_weights

from harness.grading.context import with_scenes, without_reference
from harness.grading.validation import validate
from harness.inputs.assignment import Assignment, load
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ExecutionRules
from harness.inputs.submission import Submission
from harness.sandbox import Sandbox
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.store import Store

TOML = """\
title = "Cards"
task = "detection"
[dataset]
path = "train"
[held_out]
path = "test"
[[criteria]]
kind = "manual"
points = 10
"""
RANKS = ("ace", "jack", "king", "nine", "queen", "ten")


class Silent:
    def say(self, line: str) -> None: ...


@pytest.fixture
def assignment(shared: Path, fetched_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    """Every third photograph of the playing cards; the weights are in a cache of their own."""
    monkeypatch.setenv("HARNESS_CACHE", str(with_weights(fetched_weights, tmp_path / "cache")))
    for part in ("train", "test"):
        (tmp_path / "cards" / part).mkdir(parents=True)
        for annotation in sorted((shared / "playing-cards" / part).glob("*.xml"))[::3]:
            for file in annotation.parent.glob(f"{annotation.stem}.*"):
                shutil.copy(file, tmp_path / "cards" / part / file.name)
    readable_to_the_sandbox(tmp_path / "cards")
    (tmp_path / "cards" / "assignment.toml").write_text(TOML)
    return load(tmp_path / "cards" / "assignment.toml")


def test_the_course_is_prepared_from_its_boxes(assignment: Assignment, engine: Sandbox):
    with without_reference(assignment, engine, Silent()) as prepared:  # type: ignore[arg-type]
        shared = with_scenes(prepared).shared
        held_out, known = shared.held_out, shared.known
        assert held_out.classes == RANKS and len(held_out.files) == 23 == len(held_out.objects)
        assert len(held_out.scenes) == 23 and len(set(held_out.scenes)) > 10
        assert known is not None and known.labelled.classes == RANKS and len(known.staged.names) == 24
        counted = Counter(box.label for one in known.labelled.objects for box in one.boxes)
        assert len(counted) == 6 and min(counted.values()) >= 5
        for file, one in zip(known.staged.files(), known.labelled.objects, strict=True):
            with Image.open(file) as image:
                assert image.width / image.height == pytest.approx(one.width / one.height, rel=0.01)
        assert shared.training.folder == assignment.file.parent / "train"
        assert len(shared.training.check_images()) == 12


def test_a_copy_of_a_training_image_among_the_held_out_is_found(assignment: Assignment):
    train, test = assignment.file.parent / "train", assignment.file.parent / "test"
    original = sorted(train.glob("*.JPG"))[0]
    with Image.open(original) as image:
        ImageOps.mirror(image.convert("RGB")).save(test / "mirrored.jpg", quality=80)
    found = validate(assignment.file, Bubblewrap(), Silent())  # type: ignore[arg-type]
    (leak,) = found.of("error")
    assert f"test/mirrored.jpg is train/{original.name}" in leak.what
    assert any("mirrored.jpg" in one.what and "without objects" in one.what for one in found.of("doubt"))


def test_a_notebook_finds_the_data_set_with_its_annotations(assignment: Assignment, tmp_path: Path):
    assert assignment.dataset is not None and assignment.dataset.path is not None
    (tmp_path / "anna").mkdir()
    handed_in = readable_to_the_sandbox(tmp_path / "anna")
    cell = (
        "import os, xml.etree.ElementTree as E\n"
        "files = sorted(os.listdir('data/train'))\n"
        "trees = [E.parse(os.path.join('data/train', name)) for name in files if name.endswith('.xml')]\n"
        "assert len(trees) == 99 and os.path.exists('data/train/' + trees[0].findtext('filename'))"
    )
    (handed_in / "notebook.ipynb").write_text(notebook(cell))
    submission = Submission("anna", "Anna", handed_in, Path("notebook.ipynb"), (), (), None, "0", ())
    context = StageContext(Bubblewrap(), Store(tmp_path / "store"), ResourceLimits(memory=2 * 10**9))
    dataset = Dataset(path=assignment.dataset.path, layout="as-it-is")
    done = execute(submission, dataset, ExecutionRules(), None, context)
    assert isinstance(done, Done), done
    assert done.value.given == ("data/train: 99 images",)
