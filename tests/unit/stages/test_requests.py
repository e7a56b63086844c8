"""What stages that read notebooks and data sets send into the sandbox: request, inputs, and what the job may use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asked import JOB, Place, but_seconds, model_of, place_in

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ExecutionRules, NotebookParts, OwnDataset, ReferenceSolution
from harness.inputs.submissions.companions import COMPANION_NAMES
from harness.inputs.submissions.parts import MODEL_SUFFIXES, SAVED_MODEL
from harness.sandbox.engine import Limits
from harness.stages.audit.stage import AuditRules, audit
from harness.stages.audit.withhold import withheld_images
from harness.stages.context import Rejected, StageContext
from harness.stages.detection.detector import open_detector
from harness.stages.evidence.audit import DatasetAudit, WithheldImage
from harness.stages.execute.rewrite import NotRewritten, rewrite
from harness.stages.execute.stage import execute
from harness.stages.kernels import kernels
from harness.stages.read_notebook import read
from harness.stages.train import train


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


# --- notebooks ----------------------------------------------------------------------------------


def test_execute(place: Place):
    dataset = Dataset(path=place.folder, mounted_as="data/flowers", names=("flowers", "x.zip"), layout="split")
    rules = ExecutionRules(on_cell_error="continue", rules={"paths": False})
    execute(place.submission, dataset, rules, place.folder / "torch-home", place.context)
    assert place.request == {
        "notebook": "work.ipynb",
        "dataset": {"mounted_as": "data/flowers", "names": ["flowers", "x.zip"], "layout": "split"},
        "rules": {"paths": False},
        "cell_seconds": 70,
        "idle_seconds": 44,
        "total_seconds": 990,
        "on_cell_error": "continue",
        "wanted": {
            "suffixes": list(MODEL_SUFFIXES),
            "saved_model": SAVED_MODEL,
            "companions": list(COMPANION_NAMES),
            "most_models": 6,
            "most_companions": 12,
            "most_bytes": JOB.output_bytes // 2,
        },
    }
    assert place.job.inputs == {
        "submission": place.submission.root, "dataset": place.folder, "weights": place.folder / "torch-home",
    }  # fmt: skip
    assert (place.job.phase, place.job.limits, place.job.images) == ("execute", JOB, {})


@pytest.mark.parametrize(("wall", "total"), [(20, 19), (100, 95), (200, 190), (600, 590), (86_400, 86_390)])
def test_a_notebook_is_stopped_five_percent_or_ten_seconds_early_whichever_is_less(
    place: Place, wall: float, total: float
):
    limits = ResourceLimits(wall_seconds=wall, cell_seconds=10)
    context = StageContext(place.engine, place.context.store, limits)
    execute(place.submission, None, ExecutionRules(), None, context)
    assert place.request["total_seconds"] == pytest.approx(total)
    assert place.request["cell_seconds"] == 10 and place.request["on_cell_error"] == "stop"
    assert place.request["dataset"] is None and place.job.inputs == {"submission": place.submission.root}


def test_read(place: Place):
    read(place.submission, NotebookParts(steps=("Load",), questions=("Why?",)), place.context)
    assert place.request == {"notebook": "work.ipynb", "steps": ["Load"], "questions": ["Why?"]}
    assert place.job.inputs == {"submission": place.submission.root}
    assert place.job.limits == Limits(60.0, *but_seconds(JOB))


def test_train(place: Place):
    reference = ReferenceSolution(
        code=place.file("train.py"), backbone="vgg16", seed=7, fine_tune_epochs=4, wall_seconds=1234
    )
    train(reference, place.folder, place.file("vgg16.pth"), place.context)
    assert place.request == {
        "code": "train.py", "weights": "weights.pth", "backbone": "vgg16", "seed": 7, "fine_tune_epochs": 4,
    }  # fmt: skip
    assert place.job.inputs == {
        "train.py": place.folder / "train.py", "weights.pth": place.folder / "vgg16.pth", "dataset": place.folder,
    }  # fmt: skip
    assert place.job.limits == Limits(1234, *but_seconds(JOB))


# --- data sets ----------------------------------------------------------------------------------


def test_audit(place: Place):
    audit(place.submission, AuditRules(OwnDataset(), True, place.file("mobilenet_v2.pth")), place.context)
    assert place.request == {"embed_seconds": 500, "keypoint_seconds": 250}
    assert place.job.inputs == {
        "dataset": place.submission.root / "dataset", "backbone": place.folder / "mobilenet_v2.pth",
    }  # fmt: skip
    assert (place.job.phase, place.job.limits) == ("audit", JOB)


def test_withheld_images_come_out_48_at_a_time(place: Place):
    place.engine.files = lambda job: {f"{at}.png": b"x" for at in json.loads(job.request)["places"]}
    asked = {number: (f"{number}.jpg", "mug") for number in (*range(98, 1, -1), 0)}
    found = withheld_images(asked, place.folder, place.context)
    parts = [json.loads(job.request) for job in place.engine.jobs]
    places = [0, *range(2, 99)]
    assert parts == [
        {"places": part, "longest_side": 1024} for part in (places[:48], places[48:96], places[96:])
    ]  # fmt: skip
    assert [one.picture for one in found] == [f"{number}.jpg" for number in places]
    assert all(job.inputs == {"dataset": place.folder} for job in place.engine.jobs)


def test_a_withheld_image_that_does_not_come_is_rejected(place: Place):
    with pytest.raises(Rejected, match=r"7\.png was not sent"):
        withheld_images({7: ("a", "mug")}, place.folder, place.context)


def test_rewrite(place: Place):
    labels = {"mug/b.jpg": "mug", "mug/a.jpg": "mug", "ball/c.jpg": "ball", "ball/d.jpg": "ball"}
    withheld = tuple(
        WithheldImage(picture=name, label=labels[name], file=model_of(place).model)
        for name in ("mug/b.jpg", "ball/c.jpg")
    )
    value = DatasetAudit(classes={"ball": 2, "mug": 2}, unreadable=(), withheld=withheld, labels=labels)
    asked = OwnDataset(allowed_files=("classes.txt", "../classes.txt", "missing.txt"))
    with pytest.raises((NotRewritten, Rejected)):
        rewrite(place.submission, value, asked, place.folder / "anew", place.folder / "training", place.context)
    request = place.request
    assert len(request.pop("secret")) == 64
    assert request == {
        "use": ["mug/a.jpg", "ball/d.jpg"],
        "withheld": ["ball/c.jpg", "mug/b.jpg"],
        "longest_side": 1024,
        "allowed": ["classes.txt"],
        "part": None,
    }
    root = place.submission.root
    assert place.job.inputs == {
        "dataset": root / "dataset", "allowed-0": root / "classes.txt", "notebook": root / "work.ipynb",
    }  # fmt: skip
    assert place.job.limits == JOB


# --- of every job ---

SMALL: dict[str, Callable[[Place], Any]] = {
    "kernels": lambda place: kernels(place.file("m.onnx"), 1, 1, place.context),
    "detector": lambda place: open_detector(place.file("m.onnx"), place.context),
    "read_notebook": lambda place: read(place.submission, NotebookParts(), place.context),
}


@pytest.mark.parametrize("phase", SMALL)
def test_a_job_has_the_contexts_software(place: Place, phase: str):
    SMALL[phase](place)
    assert (place.job.phase, place.job.software) == (phase, place.context.software)
