"""A class's models are compared by their answers, but not by very many of each: all are held at once."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from example_evidence import conversion, evidence

from harness.grading.similarity.models import with_copies_noted
from harness.grading.submission_run import Examined
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import Done
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


def codes(tmp_path: Path, labels: int) -> list[set[str]]:
    store = Store(tmp_path / "store")
    course = SimpleNamespace(stage_context=SimpleNamespace(store=store), shared=SimpleNamespace(reference=None))
    both = [examined(store, tmp_path, name, labels) for name in "ab"]
    return [{one.code for one in each.evidence.later_findings} for each in with_copies_noted(both, course)]  # type: ignore[arg-type]


def test_answers_for_ten_thousand_labels_are_not_held_and_that_is_said(tmp_path: Path):
    """Six such submissions took 480 MB."""
    assert codes(tmp_path, 10_000) == [{"answers-not-compared"}] * 2


def test_those_of_ordinary_models_are_compared(tmp_path: Path):
    assert codes(tmp_path, 50) == [{"model-copied"}] * 2
