"""The model's labels and the assignment's classes meet as people write them, each label for one class."""

import math
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stages.evaluate import Answers, Truth, evaluate
from harness.stages.evaluate.labels import match_labels


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("COFFEE MUG", "coffee mug"),
        ("coffee_mug", "coffee mug"),
        ("Coffee-Mug ", "coffeemug"),
        ("cafe\u0301", "café"),
        ("ｍｕｇ", "mug"),
        ("Straße", "STRASSE"),
        ("mugs", "mug"),
        ("glass", "Glass"),
        ("+", "+"),
    ],
)
def test_one_name_written_two_ways_matches(label: str, name: str):
    column_of, findings = match_labels((label, "other thing"), (name,))
    assert column_of.tolist() == [0]
    assert [finding.code for finding in findings] == ["class-unknown"]


def test_the_closest_form_wins_and_no_label_serves_two_classes():
    assert match_labels(("cats", "cat"), ("cat", "cats"))[0].tolist() == [1, 0]
    column_of, findings = match_labels(("cat", "dog"), ("cat", "cats"))
    assert column_of.tolist() == [0, -1]
    assert [finding.message for finding in findings] == [
        "The model does not know the class cats.",
        "The model's class dog is none of the assignment's.",
    ]


def test_names_of_punctuation_alone_stay_apart():
    assert match_labels(("-", "_"), ("_", "-"))[0].tolist() == [1, 0]


def test_a_label_twice_counts_once():
    column_of, findings = match_labels(("mug", "Mug", "ball"), ("ball", "mug"))
    assert column_of.tolist() == [2, 0]
    assert [finding.code for finding in findings] == ["class-unknown"]


def test_a_thousand_unknown_labels_are_ten_findings():
    _, findings = match_labels(tuple(f"n{i:08}" for i in range(1000)), ("mug",))
    assert [finding.code for finding in findings] == ["class-missing"] + ["class-unknown"] * 10


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=8, unique=True), st.randoms())
def test_the_same_names_in_another_order_always_match(names: list[str], random):
    labels = random.sample(names, len(names))
    column_of, findings = match_labels(tuple(labels), tuple(names))
    assert [labels[column] for column in column_of] == names
    assert findings == []


@given(st.text(alphabet=st.characters(categories=["L"]), min_size=1, max_size=12))
def test_case_and_unicode_form_make_no_difference(name: str):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        written = unicodedata.normalize(form, name).casefold()
        assert match_labels((written,), (name,))[0].tolist() == [0]


def test_certainty_about_a_class_that_is_none_of_ours_costs_what_the_true_class_lacks():
    """Log loss is -log of the probability that the true class got, whatever the rest went to."""
    probabilities = np.array([[0.01, 0.0, 0.99]] * 3, dtype=np.float32)
    found, _ = evaluate(Answers(probabilities, ("a", "b", "x")), Truth(("a", "b"), np.array([0, 0, 0])), None)
    assert found.log_loss == pytest.approx(-math.log(0.01), rel=1e-4)
    assert found.confusion_other == (3, 0)
    assert found.mistakes[0].predicted == "x"


def test_a_model_that_knows_no_class_at_all_is_scored_zero_not_dropped():
    probabilities = np.full((4, 2), 0.5, dtype=np.float32)
    found, findings = evaluate(
        Answers(probabilities, ("mok", "bal")), Truth(("ball", "mug"), np.array([0, 0, 1, 1])), None
    )
    assert (found.accuracy, found.macro_f1, found.balanced_accuracy) == (0, 0, 0)
    assert found.log_loss == pytest.approx(-math.log(1e-7), rel=1e-3)
    assert [finding.code for finding in findings] == ["class-missing"] * 2 + ["class-unknown"] * 2
