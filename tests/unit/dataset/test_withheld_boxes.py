"""A data set with boxes in two parts: what is graded on, what measures labels, and what the rerun learns from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from boxed_sets import SIZE, audited, context, submission, value
from PIL import Image

from harness.agent.dataset import open_tree, read
from harness.agent.dataset.placed import placed
from harness.errors import MachineError
from harness.gradebook.results import _published
from harness.grading import withheld_split as own
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import OwnDataset
from harness.inputs.images import HeldOutSet

LABELS = "ball\nmug\n"
ASKED = OwnDataset(min_classes=1, min_images_per_class=1, withhold_per_class=4)
ASSIGNMENT = Assignment.model_validate(
    {
        "title": "Own objects",
        "task": "detection",
        "held_out": {"mode": "withhold"},
        "dataset": {"names": ["objects"], "mounted_as": "images"},
        "criteria": [{"kind": "model_predicts", "points": 10}],
    }
)


def box(number: int) -> tuple[str, int, int, int, int]:
    """A box of a size and place of its own, so that an image is known by it."""
    return ("mug", 5 + number, 5, 45 + 2 * number, 60 + number)


IMAGES = {f"{n:02}": [box(n), ("ball", 101, 61, 141, 111)] if n % 2 else [box(n)] for n in range(24)}


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory):
    """The submission, its audit, and the folder of the store."""
    folder = tmp_path_factory.mktemp("withheld")
    root = folder / "a" / "in"
    handed_in = submission(root, IMAGES, LABELS, {"ImageSets/Main/test.txt": b"20\n21\n22\n23\n"})
    (root / "dataset" / "ImageSets" / "Main" / "trainval.txt").write_text("\n".join(f"{n:02}" for n in range(20)))
    for path in (folder, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return handed_in, value(audited(handed_in, folder / "store", ASKED, withholds=True)), folder / "store"


def truth_of(held_out: HeldOutSet, index: int) -> list[tuple[str, list[float]]]:
    sides = [(box.label, [box.left, box.top, box.right, box.bottom]) for box in held_out.objects[index].boxes]
    return [(held_out.classes[label], corners) for label, corners in sides]


def test_each_withheld_image_has_its_own_boxes(divided):
    handed_in, audit, store = divided
    assert audit.heldout == {"ball": 4, "mug": len(audit.withheld)} and 5 <= len(audit.withheld) <= 12
    with own.laid_out(handed_in, audit, ASSIGNMENT, context(store)) as split:
        held_out = split.graded_on.held_out
    assert held_out.classes == ("ball", "mug") and not held_out.truth
    for index, one in enumerate(audit.withheld):
        mine = IMAGES[Path(one.picture).stem]
        expected = [(label, (np.array(corners) - 1) / [*SIZE, *SIZE]) for label, *corners in mine]
        found = truth_of(held_out, index)
        assert [label for label, _ in found] == [label for label, _ in expected]
        for (_, seen), (_, wanted) in zip(found, expected, strict=True):
            assert seen == pytest.approx(list(wanted), abs=1e-4)
        assert (held_out.objects[index].width, held_out.objects[index].height) == SIZE
        pixels = np.asarray(Image.open(held_out.files[index]), np.float64)
        same = np.asarray(Image.open(handed_in.root / "dataset" / one.picture), np.float64)
        assert np.abs(pixels - same).max() == 0


def test_labels_are_measured_on_the_training_part_alone(divided):
    handed_in, audit, store = divided
    with own.laid_out(handed_in, audit, ASSIGNMENT, context(store)) as split:
        known = split.graded_on.known
        assert known is not None and known.labelled.classes == split.graded_on.held_out.classes
        assert all(file.is_file() for file in known.staged.files())
    assert len(known.labelled.objects) == len(known.labelled.files) == len(audit.known) > 0
    assert not {one.picture for one in audit.known} & {one.picture for one in audit.withheld}


def test_the_training_part_keeps_its_layout_without_the_withheld_and_the_students_own_test(divided, tmp_path):
    handed_in, audit, store = divided
    with own.laid_out(handed_in, audit, ASSIGNMENT, context(store)) as split:
        anew = split.rerun.rewritten()
        reading = read(open_tree(split.graded_on.training.folder, tmp_path))
        mounted = read(open_tree(anew.rerun.root / "dataset", tmp_path))
        checks = split.graded_on.training.check_images()
        assert reading.layout == mounted.layout == "voc" and reading.labels == ("ball", "mug")
        gone = {one.picture for one in audit.withheld}
        test = {f"JPEGImages/{n}.jpg" for n in range(20, 24)}
        names = {f"JPEGImages/{stem}.jpg" for stem in IMAGES}

        def there(one, folder: Path) -> set[str]:
            return {str(image.file.relative_to(folder)) for image in one.images}

        assert there(mounted, anew.rerun.root / "dataset") == names - gone
        assert there(reading, split.graded_on.training.folder) == names - gone - test
        assert checks and {file.suffix for file in checks} == {".jpg"}
        for image in reading.images:
            drawn = placed(image, reading.layout)
            label, *corners = IMAGES[image.file.stem][0]
            assert drawn is not None and drawn.boxes[0].label == label
            found = [drawn.boxes[0].left, drawn.boxes[0].top, drawn.boxes[0].right, drawn.boxes[0].bottom]
            assert found == pytest.approx(list((np.array(corners) - 1) / [*SIZE, *SIZE]), abs=0.03)


def test_a_box_that_was_moved_makes_another_training_part(divided):
    handed_in, audit, store = divided

    def identity(one) -> str:
        with own.laid_out(handed_in, one, ASSIGNMENT, context(store)) as split:
            return split.graded_on.training.sha256

    assert identity(audit) == identity(audit.model_copy(update={"samples": ()}))
    assert identity(audit) != identity(audit.model_copy(update={"objects_sha256": "0" * 64}))


@pytest.mark.parametrize("fails", [False, True])
def test_the_reference_learns_from_the_training_part_alone(fails: bool, divided, monkeypatch):
    handed_in, audit, store = divided
    asked, said = [], []
    made = object()

    def trained(run_context, on, depth, lay_out):
        lay_out()
        learnt = {file.stem for file in on.training.folder.rglob("*.jpg")}
        asked.append((depth, learnt & {Path(one.picture).stem for one in audit.withheld}, len(learnt) > 4))
        if fails:
            raise MachineError("the reference solution failed", "look")
        return made

    monkeypatch.setattr(own.detector_reference, "trained", trained)
    run = SimpleNamespace(
        assignment=ASSIGNMENT,
        stage_context=context(store),
        trains_reference=True,
        progress=SimpleNamespace(say=said.append),
    )
    with own.opened(handed_in, audit, run) as split:
        assert split is not None and split.graded_on.detector is (None if fails else made)
    assert asked == [("reference", set(), True)] and len(said) == fails


def test_boxes_of_withheld_images_are_not_published(divided):
    _, audit, _ = divided
    published = _published(audit)
    assert published.withheld and not any(one.objects for one in published.withheld)
    assert not published.known and not published.drawn and published.objects == audit.objects
