"""What a page says of a notebook beside its run: changes, learning curves, claims, steps and questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
import synthetic_class
from hypothesis import given
from hypothesis import strategies as st

from harness import report
from harness.report.curves import line_plot


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("class")
    made = synthetic_class.build(folder)
    report.write(made.results, made.sources, folder / "out")
    yield (folder / "out" / "students" / "team-01" / "index.html").read_text("utf-8")


def words(page: str) -> str:
    body = page.partition("<body")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).replace("\u202f", " ").split())


def test_every_change_is_shown_with_its_rules(page: str) -> None:
    text = words(page)
    assert "What was changed to run it" in text and "2 code cells were changed" in text
    assert "- !pip install -q torchinfo" in text and "+ ROOT = '/work/handin/flowers'" in text
    assert "Rules: pip install, paths" in text
    assert "flowers/train: 240 images" in text


def test_the_reported_accuracy_stands_beside_the_measured_one(page: str) -> None:
    text = words(page)
    assert "98.0% on its test images" in text and "measured here on" in text
    assert "Trainable parameters 24,581" in text


def test_learning_curves_are_drawn_with_a_key(page: str) -> None:
    assert page.count("<title>Training 1: training images, accuracy of epoch") == 1
    assert page.count("<title>Training 1: training images, loss of epoch") == 1
    assert 'class="curve held"' in page
    assert re.search(r"validation images, accuracy of epoch 1: [^;<]*, 8: 0.76[;<]", page)
    assert "8 epochs of 10" in words(page)


def test_steps_and_questions_say_what_is_missing(page: str) -> None:
    text = words(page)
    assert "Save the model not found" in text
    assert "A white mug from above looks like a ball" in text and "No answer stands below it (cell 7)" in text


@given(
    st.dictionaries(
        st.sampled_from(["train", "held"]), st.lists(st.none() | st.floats(-1e300, 1e300), max_size=400), max_size=2
    )
)
def test_any_values_give_a_plot_inside_its_frame_or_none(metrics: dict[str, list[float | None]]) -> None:
    plot = line_plot(dict(metrics))
    if plot is None:
        return
    for line in plot.lines:
        assert 2 <= len(line.spots) <= 152
        for spot in line.spots:
            assert 0 <= spot.x <= 100 and 0 <= spot.y <= plot.height


def test_one_epoch_is_no_curve() -> None:
    assert line_plot({"train": [0.4], "held": [None, 0.5, None]}) is None
