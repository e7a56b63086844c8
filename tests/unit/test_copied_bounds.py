"""A class's models are compared by their answers, but not by very many of each: all are held at once."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from example_detector import detector_answers
from example_evidence import conversion, evidence

from harness.grading.similarity.models import with_copies_noted
from harness.grading.submission_run import Examined
from harness.stages.evidence.detections import Boxes, LabelMeaning
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.evidence.submission import OF_ANOTHER_TASK
from harness.stages.store import Store


def examined(store: Store, tmp_path: Path, name: str, labels: int) -> Examined:
    np.save(tmp_path / "rows.npy", np.full((120, labels), 1 / labels, np.float32))
    predictions = Predictions(
        probabilities=store.put(tmp_path / "rows.npy", "probabilities.npy"),
        labels=tuple(f"label {n}" for n in range(labels)),
        images=120,
        seconds_per_image=0.01,
    )
    model = conversion().model.model_copy(update={"sha256": name * 64})
    found = evidence(
        convert=Done(value=conversion(model=model), origin="measured-inside"),
        predict=Done(value=predictions, origin="measured-inside"),
    )
    return Examined(SimpleNamespace(id=name), found)  # type: ignore[arg-type]


_SHARED = SimpleNamespace(reference=None, held_out=SimpleNamespace(classes=("cup", "duck")))


def codes(tmp_path: Path, labels: int) -> list[set[str]]:
    store = Store(tmp_path / "store")
    course = SimpleNamespace(stage_context=SimpleNamespace(store=store), shared=_SHARED)
    both = [examined(store, tmp_path, name, labels) for name in "ab"]
    return [{one.code for one in each.evidence.later_findings} for each in with_copies_noted(both, course)]  # type: ignore[arg-type]


def test_answers_for_ten_thousand_labels_are_not_held_and_that_is_said(tmp_path: Path):
    """Six such submissions took 480 MB."""
    assert codes(tmp_path, 10_000) == [{"answers-not-compared"}] * 2


def test_those_of_ordinary_models_are_compared(tmp_path: Path):
    assert codes(tmp_path, 50) == [{"model-copied"}] * 2


def own_code(store: Store, folder: Path, name: str, scores: np.ndarray) -> Examined:
    """A predict.py that finds a cup on each of 12 images, with these scores."""
    arrays = {
        "boxes": np.tile(np.array([0.1, 0.1, 0.5, 0.5], np.float32), (12, 1)),
        "scores": scores.astype(np.float32),
        "labels": np.zeros(12, np.int32),
        "images": np.arange(12, dtype=np.int32),
    }
    kept = {}
    for part, array in arrays.items():
        np.save(folder / f"{part}.npy", array)
        kept[part] = store.put(folder / f"{part}.npy", f"{part}.npy")
    meaning = LabelMeaning(as_named=(0, 1), taken=(0, 1))
    answers = detector_answers(Boxes(count=12, **kept), images=12, meaning=meaning)
    found = evidence(
        convert=Skipped(reason="no graph"),
        predict=OF_ANOTHER_TASK,
        detect=Done(value=answers, origin="measured-inside"),
    )
    return Examined(SimpleNamespace(id=name), found)  # type: ignore[arg-type]


def test_a_detector_behind_a_students_own_code_is_known_by_its_answers(tmp_path: Path):
    store, unsure = Store(tmp_path / "store"), np.linspace(0.3, 0.9, 12)
    course = SimpleNamespace(stage_context=SimpleNamespace(store=store), shared=_SHARED)
    given = {"one": unsure, "same": unsure + 4e-4, "other": unsure[::-1], "blind": unsure * 0.01, "too": unsure * 0.01}
    class_of = [own_code(store, tmp_path, name, scores) for name, scores in given.items()]
    noted = {one.submission.id: one.evidence for one in with_copies_noted(class_of, course)}  # type: ignore[arg-type]
    assert {name for name, found in noted.items() if found.is_copy} == {"one", "same"}
    assert noted["one"].same_model_as == ("same",)
    assert "on all 12 images" in noted["same"].later_findings[0].message
