"""Images on their way in, and images that lie in two places: of one data set, or of two students."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, shift

from harness.grading.similarity.images import across_students
from harness.grading.submission_run import Examined
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import OwnDataset
from harness.inputs.images import load, stage
from harness.inputs.submission import Submission
from harness.sandbox import Sandbox
from harness.stages.audit.stage import AuditRules, audit
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.evidence.submission import STAGES, Evidence
from harness.stages.store import Store

RULES = AuditRules(OwnDataset(min_classes=2, min_images_per_class=1), withholds=False, backbone=None)
LIMITS = ResourceLimits(wall_seconds=300, cell_seconds=60, memory=10**9, cpus=1, processes=128, disk=200 * 10**6)
Pixels = NDArray[np.uint8]


def scene(random: np.random.Generator) -> NDArray[np.float64]:
    """A place with coarse shapes and fine texture, in which no other place is found again."""
    coarse, fine = (
        gaussian_filter(random.normal(size=(300, 300)), 25),
        gaussian_filter(random.normal(size=(300, 300)), 3),
    )
    return coarse / coarse.std() * 45 + fine / fine.std() * 18 + 128


def photograph(place: NDArray[np.float64], random: np.random.Generator) -> Pixels:
    """The place from a few pixels aside, in another exposure."""
    seen = shift(place, random.uniform(-8, 8, 2), order=1, mode="nearest")[20:-20, 20:-20]
    return np.clip(seen * random.uniform(0.92, 1.08) + random.normal(0, 2, seen.shape), 0, 255).astype(np.uint8)


def handed_in(root: Path, images: dict[str, Pixels], name: str) -> Submission:
    for path, pixels in images.items():
        file = root / "dataset" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).convert("RGB").save(file, quality=92)
    for path in (*root.parents[:2], root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Submission(name, name, root, None, (), (), Path("dataset"), "0" * 64, ())


def examined(submission: Submission, engine: Sandbox, store: Store) -> Examined:
    result = audit(submission, RULES, StageContext(engine, store, LIMITS))
    assert isinstance(result, Done), result
    stages = {name: Skipped(reason="Not of this test.") for name in STAGES} | {"audit": result}
    return Examined(submission, Evidence.model_validate(stages))


def clean(random: np.random.Generator) -> dict[str, Pixels]:
    """Two classes, split in two, each image of a place of its own."""
    names = [f"{split}/{label}/{n}.jpg" for split in ("train", "test") for label in ("ball", "mug") for n in range(3)]
    return {name: photograph(scene(random), random) for name in names}


def codes(one: Examined) -> list[str]:
    return [found.code for found in one.evidence.findings() if found.code.startswith("dataset-")]


@pytest.mark.hostile(line=49, expected="F leak")
def test_images_on_both_sides_are_found_and_clean_ones_are_not(engine: Sandbox, tmp_path: Path, got):
    random = np.random.default_rng(3)
    store = Store(tmp_path / "store")
    images, others = clean(random), clean(random)
    table = scene(random)
    leaking = images | {
        "train/ball/same.jpg": images["test/ball/0.jpg"],
        "train/mug/burst.jpg": photograph(table, random),
        "test/mug/burst.jpg": photograph(table, random),
    }
    taking = others | {"train/ball/taken.jpg": images["train/ball/1.jpg"]}
    rows = {
        name: examined(handed_in(tmp_path / name, files, name), engine, store)
        for name, files in {"leaks": leaking, "takes": taking, "clean": clean(random)}.items()
    }
    class_rows = [rows["leaks"], rows["takes"], rows["clean"]]
    leaks, takes, nothing = across_students(class_rows, store, StageCache(store, "test"))
    assert across_students(class_rows, store, StageCache(store, "test")) == [leaks, takes, nothing]  # as it was kept
    assert sorted(codes(leaks)) == ["dataset-burst", "dataset-leak", "dataset-shared-with-other"]
    assert codes(takes) == ["dataset-shared-with-other"]
    assert codes(nothing) == []
    value = leaks.evidence.audit
    assert isinstance(value, Done)
    between = {frozenset((leak.picture, leak.other)) for leak in value.value.leaks}
    assert between == {
        frozenset(("train/ball/same.jpg", "test/ball/0.jpg")),
        frozenset(("train/mug/burst.jpg", "test/mug/burst.jpg")),
    }
    got("the copy, the burst and the other's image named, nothing on the clean submission")


@pytest.mark.hostile(line=42, expected="names random, order random, images re-encoded; no gain")
def test_images_go_in_without_names_order_times_or_metadata(tmp_path: Path, got):
    classes = ("blue", "green", "red")
    for name in classes:
        (tmp_path / "heldout" / name).mkdir(parents=True)
        for number in range(6):
            image = Image.new("RGB", (50, 40), (40 * number, 90, 10))
            exif = Image.Exif()
            exif[0x010E] = name
            image.save(tmp_path / "heldout" / name / f"{name}-{number}.jpg", exif=exif)
    held_out = load(tmp_path / "heldout")
    once, again = (stage(held_out, tmp_path / folder) for folder in ("once", "again"))
    assert not set(once.names) & set(again.names)
    assert sorted(once.names) != list(once.names)
    originals = {file.read_bytes() for file in held_out.files}
    for file in once.folder.iterdir():
        content = file.read_bytes()
        assert content not in originals and file.stat().st_mtime == 0
        assert not any(name.encode() in content for name in classes)
        with Image.open(file) as opened:
            assert not opened.info and not opened.getexif()
    got("two runs share no name; nothing of the class is in a file")
