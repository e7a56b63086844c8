"""Whose a mark is, and whose a model is: names that become another's id, new content, copies in disguise."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from command_line import run_harness
from onnx import TensorProto, helper, numpy_helper
from small_course import Course, hand_in

from harness.agent.graph.final_layer import final_layer
from harness.agent.graph.multiply_adds import weights
from harness.grading.similarity.disguised import Comparable, disguised

QUESTIONS = "Open questions"
MIDDLE = 64  # channels before the last layer
COLOURS = np.array([(40, 60, 200), (40, 180, 60), (200, 40, 40)]) / 255  # blue, green, red, as the course's images
SUBMISSIONS = Path(__file__).parents[2] / "submissions"


@pytest.fixture(scope="module")
def places(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cache and the assignment, of this module's own."""
    return small_course.copied(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module")
def cache(places: tuple[Path, Path]) -> Path:
    return places[0]


@pytest.fixture(scope="module")
def assignment(places: tuple[Path, Path]) -> Path:
    """The course without what takes time and has no part in this."""
    file = places[1]
    file.write_text(file.read_text() + "[robustness]\nenabled = false\n")
    return file


def graded(submissions: Path, assignment: Path, out: Path, cache: Path) -> dict[str, Any]:
    """The submissions of results.json by the name that was handed in."""
    done = run_harness(
        "grade", submissions, "--assignment", assignment, "--out", out, "--sandbox", "bubblewrap", cache=cache
    )
    assert done.returncode in (0, 1), done.stderr
    return {row["student"]: row for row in json.loads((out / "results.json").read_text())["submissions"]}


def questions(row: dict[str, Any]) -> dict[str, Any]:
    return next(mark for mark in row["marks"] if mark["title"] == QUESTIONS)


@pytest.mark.hostile(line=80, expected="no marks of another; reopened with the old mark shown")
def test_marks_follow_who_they_were_given_to_and_for_what(attacks, assignment, cache, tmp_path, got):
    """Attack marks-taken-over: folder ' Anna', alone in the next run, had Anna's id and got her marks."""
    submissions, out = tmp_path / "submissions", tmp_path / "out"
    shutil.copytree(attacks / "marks-taken-over" / "Anna", submissions / "Anna")
    anna = graded(submissions, assignment, out, cache)["Anna"]
    mark = ("mark", out, anna["id"], QUESTIONS, 17, "--reason", "Clear.", "--marker", "jo")
    assert run_harness(*mark, cache=cache).returncode == 0
    anna = graded(submissions, assignment, out, cache)["Anna"]
    assert questions(anna)["points"] == 17

    (submissions / "Anna").rename(tmp_path / "kept")
    shutil.copytree(attacks / "marks-taken-over" / " Anna", submissions / " Anna")
    other = graded(submissions, assignment, out, cache)[" Anna"]
    assert questions(other)["points"] is None and "17" not in questions(other)["reason"]
    if other["id"] == anna["id"]:
        assert "marks-of-another" in {finding["code"] for finding in other["findings"]}

    shutil.rmtree(submissions / " Anna")
    (tmp_path / "kept").rename(submissions / "Anna")
    assert questions(graded(submissions, assignment, out, cache)["Anna"])["points"] == 17

    (submissions / "Anna" / "labels.txt").write_text("other\n")
    reopened = graded(submissions, assignment, out, cache)["Anna"]
    assert questions(reopened)["points"] is None
    assert questions(reopened)["reason"].startswith("A person gave 17 points (jo) for earlier content")
    got(questions(reopened)["reason"])


# --- models -------------------------------------------------------------------------------------


def classifier(features: np.ndarray, head: np.ndarray) -> onnx.ModelProto:
    """Pixels through `features` (64, 3) and a ReLU, the mean over the image, and `head` (3, 64) to logits."""
    nodes = [
        helper.make_node("Conv", ["image", "features"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "head"], ["logits"], transB=1),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 32, 32])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])
    stored = [
        numpy_helper.from_array(features.reshape(MIDDLE, 3, 1, 1).astype(np.float32), "features"),
        numpy_helper.from_array(head.astype(np.float32), "head"),
    ]
    graph = helper.make_graph(nodes, "g", [image], [logits], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def trained(features_seed: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features drawn at random, as a frozen backbone's are; a head that a few hundred steps lead from its own start."""
    features = np.random.default_rng(features_seed).normal(size=(MIDDLE, 3))
    random = np.random.default_rng(seed)
    head, labels = random.normal(size=(3, MIDDLE)) / 8, np.arange(30) % 3
    for _ in range(300):
        seen = np.maximum((COLOURS[labels] + 0.1 * random.normal(size=(30, 3))) @ features.T, 0)
        powers = np.exp(seen @ head.T)
        head -= 0.3 * (powers / powers.sum(axis=1, keepdims=True) - np.eye(3)[labels]).T @ seen / 30
    return features, head


def _noise(share: float) -> Callable[[np.ndarray], np.ndarray]:
    random = np.random.default_rng(11)
    return lambda w: w * (1 + share * random.normal(size=w.shape))


ORDER = np.random.default_rng(12).permutation(MIDDLE)
DISGUISES: dict[str, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "a little noise": lambda f, h: (_noise(1e-4)(f), _noise(1e-4)(h)),
    "noise of 5 percent": lambda f, h: (_noise(0.05)(f), _noise(0.05)(h)),
    "pruned": lambda f, h: (f, np.where(np.abs(h) < np.quantile(np.abs(h), 0.4), 0, h)),
    "rounded to half": lambda f, h: (f.astype(np.float16), h.astype(np.float16)),
    "channels in another order": lambda f, h: (f[ORDER], h[:, ORDER]),
    "last layer scaled": lambda f, h: (f, h * 2.5),
}


@pytest.mark.hostile(line=81, expected="F model-copied; no honest model")
def test_disguised_copies_are_named_and_honest_models_are_not(small_course, assignment, cache, tmp_path, got):
    """1 % of noise on the weights was no copy before, and 0.01 % was enough."""
    submissions = tmp_path / "submissions"
    models = {"original": trained(0, 1), "same backbone": trained(0, 2), "own everything": trained(3, 3)}
    models |= {name: change(*models["original"]) for name, change in DISGUISES.items()}
    for name, parts in models.items():
        place = hand_in(submissions, name, small_course.reference)
        onnx.save(classifier(*parts), place / "model.onnx")
        declared = json.loads((place / "handin.json").read_text())
        (place / "handin.json").write_text(json.dumps({**declared, "output": "logits"}))
    rows = graded(submissions, assignment, tmp_path / "out", cache)
    named = {name for name, row in rows.items() if "model-copied" in {f["code"] for f in row["findings"]}}
    assert named == {"original", *DISGUISES}
    original = rows["original"]["id"]
    for name in DISGUISES:
        assert original in rows[name]["same_model_as"], name
        said = next(f["message"] for f in rows[name]["findings"] if f["code"] == "model-copied")
        assert "another submission" in said
        assert "original" not in said
    got(", ".join(sorted(named)))


@pytest.mark.hostile(line=81, expected="F model-copied")
def test_the_attack_with_noise_on_a_model_of_the_example_is_seen(attacks, got):
    """Attack copied-with-noise: the model of an example submission with 1 % of noise."""
    copy = _comparable(attacks / "copied-with-noise" / "copied-1" / "model.onnx")
    others = [_comparable(file) for file in sorted(SUBMISSIONS.rglob("*.onnx"))]
    found = disguised([*others, copy])
    assert found[-1] is not None and len(found[-1].others) == 1
    assert sum(one is not None for one in found) == 2
    got(found[-1].how)


def _comparable(file: Path) -> Comparable:
    model = onnx.load(str(file))
    layer = final_layer(model, weights(model))
    assert layer is not None
    labels = tuple(f"class {number}" for number in range(len(layer)))
    return Comparable(labels, np.zeros((0, len(layer)), np.float32), lambda: layer)
