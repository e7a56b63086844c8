"""Nothing in a request, and no order of images in it, tells of labels: not in one run, nor over many."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import Sends, conversion, npy
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules, Robustness
from harness.inputs.images import HeldOutSet, StagedImages
from harness.sandbox.engine import Job
from harness.stages.benchmark import benchmark
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evaluate.failures import chosen
from harness.stages.evidence.predictions import Predictions
from harness.stages.inspect import inspect
from harness.stages.precision import in_precision
from harness.stages.predict import predict
from harness.stages.robustness import Trial, run_robustness, trial
from harness.stages.store import Store
from harness.stages.timing import Budget, Setting, Subject, time_round

CLASSES = ("ball", "bottle", "mug")
PER_CLASS = 12
TRUTH = tuple(label for label in range(len(CLASSES)) for _ in range(PER_CLASS))  # class by class, as sets are read
RUNS = 60
NEVER_BY_CHANCE = 1e-6  # with the number of tests here, once in some thousand runs of the suite
SETTING = Setting("cpu", "fp32", "model-only", 1, None, Budget(1, 64, 3), 0.1, (0,))


@dataclass
class RunContext:
    """A set, as held out or withheld, and an engine that keeps what it is asked."""

    staged: StagedImages
    context: StageContext
    engine: Sends
    folder: Path

    @property
    def held_out(self) -> HeldOutSet:
        files = tuple(self.staged.folder / name for name in self.staged.names)
        return HeldOutSet(CLASSES, files, TRUTH, self.staged.sha256)

    def label(self, file: Path) -> int:
        return TRUTH[self.staged.names.index(str(file.relative_to(self.staged.folder)))]


@pytest.fixture(params=["shared", "withheld"])
def course(tmp_path: Path, request: pytest.FixtureRequest) -> RunContext:
    """A set as an instructor's is staged; or as a student's own, which goes in from where it is kept."""
    (tmp_path / "images").mkdir()
    names = tuple(f"{index:02}.png" for index in range(len(TRUTH)))  # the worst: names in the order of the labels
    for name in names:
        (tmp_path / "images" / name).write_text(name)
    engine = Sends(_sent)
    store = Store(tmp_path / "store")
    staged = StagedImages(tmp_path / "images", names, "5eed")
    if request.param == "withheld":
        kept = [store.path(store.put(tmp_path / "images" / name, name)) for name in names]
        staged = StagedImages(store.folder, tuple(str(file.relative_to(store.folder)) for file in kept), "5eed")
    return RunContext(staged, StageContext(engine, store, ResourceLimits()), engine, tmp_path)


def _sent(job: Job) -> dict[str, bytes]:
    """The predict stage's answers, so that it goes on to its second sandbox; of others nothing."""
    asked = json.loads(job.request)
    if job.phase != "predict":
        return {}
    even = [npy(np.full((len(of), 3), 1 / 3, np.float32)) for of in (job.images["images"], asked["again"])]
    said = {"seconds_per_image": 0.1, "probed": 0, "probes": []}
    return {"probabilities.npy": even[0], "again.npy": even[1], "predictions.json": json.dumps(said).encode()}


def answered(course: RunContext) -> Predictions:
    """Answers of which a third is wrong."""
    rows = np.full((len(TRUTH), 3), 0.2, np.float32)
    said = [(label + (index % 3 == 0)) % 3 for index, label in enumerate(TRUTH)]
    rows[np.arange(len(TRUTH)), said] = 0.6
    np.save(course.folder / "rows.npy", rows)
    blob = course.context.store.put(course.folder / "rows.npy", "rows.npy")
    return Predictions(probabilities=blob, labels=CLASSES, images=len(TRUTH), seconds_per_image=0.1)


def _predict(course: RunContext) -> None:
    predict(conversion(course.context.store, course.folder), course.staged, course.context)


def _predict_native(course: RunContext) -> None:
    predict(conversion(course.context.store, course.folder, native=True), course.staged, course.context)


def _stress(course: RunContext) -> None:
    rules = Robustness(images=18, occlusion_maps=9)
    tried = trial(answered(course), course.held_out, rules, 18, course.staged, course.context.store)
    run_robustness(conversion(course.context.store, course.folder), tried, course.staged, course.context)


def _inspect(course: RunContext) -> None:
    inspect(conversion(course.context.store, course.folder), {}, course.staged, 3, course.context)


def _benchmark(course: RunContext) -> None:
    model = conversion(course.context.store, course.folder)
    benchmark(model, None, answered(course), course.staged, BenchmarkRules(), course.context)


def _timing(course: RunContext) -> None:
    subject = Subject(conversion(course.context.store, course.folder), {})
    time_round(subject, SETTING, course.staged, None, course.context)


def _convert(course: RunContext) -> None:
    in_turn = [course.held_out.files[index] for index in chosen(TRUTH, 12)]
    (course.folder / "handed-in").write_text("a model")
    convert(HandedModel(course.folder / "handed-in"), CLASSES, in_turn, None, course.context)


def _calibrate(course: RunContext) -> None:
    in_precision(conversion(course.context.store, course.folder), "int8", course.staged, course.context)


PHASES: dict[str, Callable[[RunContext], None]] = {
    "predict": _predict, "predict, native": _predict_native, "stress": _stress, "inspect": _inspect,
    "benchmark": _benchmark, "timing": _timing, "convert": _convert, "precision": _calibrate,
}  # fmt: skip


def lists_of(job: Job, course: RunContext) -> Iterator[tuple[str, list[int]]]:
    """Every list of the job that stands for images, as the labels that an attacker would like to know."""
    streamed = {name: [course.label(file) for file in files] for name, files in job.images.items()}
    total = len(streamed["images"]) if "images" in streamed else 0  # a native model is asked by two jobs
    yield from ((f"{name}, of {total}", labels) for name, labels in streamed.items())
    for name, value in json.loads(job.request).items():
        of_images = isinstance(value, list) and value and name not in ("cores", "size")
        if of_images and all(isinstance(place, int) for place in value):
            yield f"{name}, of {total}", [streamed["images"][place] for place in value]


@pytest.mark.parametrize("phase", PHASES)
def test_no_place_in_a_list_tells_a_label(phase: str, course: RunContext) -> None:
    """Over many runs each place has every label as often as the list has: class by class and in turn both fail."""
    for _ in range(RUNS):
        PHASES[phase](course)
    seen: dict[str, list[list[int]]] = {}
    for job in course.engine.jobs:
        for name, labels in lists_of(job, course):
            seen.setdefault(name, []).append(labels)
    assert any(len(runs[0]) > 3 for runs in seen.values())
    for name, runs in seen.items():
        assert len({len(labels) for labels in runs}) == 1, f"the length of {name} changes"
        if len(runs[0]) > 1:
            told = probability_by_chance(np.array(runs))
            assert told > NEVER_BY_CHANCE, f"{phase}: the list {name} tells of labels ({told:.1g})"


def probability_by_chance(runs: NDArray[Any]) -> float:
    """How likely it is by chance that labels depend so much on the place, the place before, or the place in turn.

    `runs`: labels, shape (runs, places).
    """
    places = np.broadcast_to(np.arange(runs.shape[1]), runs.shape)
    tables = [
        (places.ravel(), runs.ravel()),
        ((places % len(CLASSES)).ravel(), runs.ravel()),
        ((places * len(CLASSES) // runs.shape[1]).ravel(), runs.ravel()),
        (places[:, 1:].ravel(), (runs[:, 1:] == runs[:, :-1]).ravel()),
    ]
    return min(_independent(one, other) for one, other in tables)


def _independent(one: NDArray[Any], other: NDArray[Any]) -> float:
    table = np.zeros((len(one_values := np.unique(one)), len(other_values := np.unique(other))))
    np.add.at(table, (np.searchsorted(one_values, one), np.searchsorted(other_values, other)), 1)
    return 1.0 if min(table.shape) < 2 else float(chi2_contingency(table).pvalue)


@pytest.mark.parametrize("order", ["class by class", "in turn", "classes in another order each time"])
def test_the_test_finds_the_orders_of_before(order: str) -> None:
    random = np.random.default_rng(0)
    kinds = {
        "class by class": lambda: np.sort(TRUTH),
        "in turn": lambda: np.tile(np.arange(3), PER_CLASS),
        "classes in another order each time": lambda: np.repeat(random.permutation(3), PER_CLASS),
    }
    assert probability_by_chance(np.array([kinds[order]() for _ in range(RUNS)])) < NEVER_BY_CHANCE


def test_no_two_runs_and_no_two_phases_share_an_order(course: RunContext) -> None:
    for phase in PHASES.values():
        phase(course)
        phase(course)
    orders = [files for job in course.engine.jobs for files in map(tuple, job.images.values()) if len(files) > 5]
    assert len(set(orders)) == len(orders)


def test_no_phase_is_given_a_file_or_a_name_of_an_image(course: RunContext) -> None:
    for phase in PHASES.values():
        phase(course)
    for job in course.engine.jobs:
        assert not set(course.held_out.files) & set(job.inputs.values())
        assert not [name for name in course.staged.names if Path(name).name.encode() in job.request]


@pytest.mark.parametrize("right", [0, 12, 36])
def test_as_many_images_are_covered_whatever_the_accuracy(right: int, course: RunContext) -> None:
    rows = np.full((len(TRUTH), 3), 0.2, np.float32)
    said = [label if index < right else (label + 1) % 3 for index, label in enumerate(TRUTH)]
    rows[np.arange(len(TRUTH)), said] = 0.6
    np.save(course.folder / "rows.npy", rows)
    blob = course.context.store.put(course.folder / "rows.npy", "rows.npy")
    answers = Predictions(probabilities=blob, labels=CLASSES, images=len(TRUTH), seconds_per_image=0.1)
    tried: Trial = trial(answers, course.held_out, Robustness(occlusion_maps=5), 12, None, course.context.store)
    assert (len(tried.covered), len(tried.images)) == (5, 12)
