"""Copies are named, by weights or by answers; two good models that agree are not."""

import numpy as np

from harness.grading.similarity.copies import Known, copies

LABELS = ("ball", "bottle", "mug")


def known(name: str | None, *marks: str, rows: np.ndarray | None = None, labels: tuple[str, ...] = LABELS) -> Known:
    given = answers(sum(map(ord, name or ""))) if rows is None else rows
    return Known(name, frozenset(marks), labels, given.astype(np.float32))


def answers(seed: int, sharpness: float = 1.0, images: int = 24) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, sharpness, (images, len(LABELS)))
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_one_mark_in_common_is_a_copy_and_both_are_named():
    first, other, copy = copies([known("a", "f1", "w1"), known("b", "f2", "w2"), known("c", "f3", "w1")])
    assert other is None
    assert first is not None and first.hand_ins == ("c",)
    assert copy is not None and copy.hand_ins == ("a",)


def test_the_same_answers_are_a_copy_whatever_the_weights_are():
    rows = answers(1)
    first, second, other = copies(
        [known("a", "w1", rows=rows), known("b", "w2", rows=rows + 2e-4), known("c", "w3", rows=answers(2))]
    )
    assert first is not None and second is not None
    assert other is None


def test_columns_in_another_order_are_the_same_answers():
    rows = answers(1)
    first, _ = copies([known("a", rows=rows), known("b", rows=rows[:, [2, 0, 1]], labels=("mug", "ball", "bottle"))])
    assert first is not None and "same answers" in first.how


def test_two_models_that_are_certain_and_right_are_no_copies():
    """Both give 0.999 to the right class of each image: that is what good models do."""
    certain = np.full((24, 3), 0.0004)
    certain[np.arange(24), np.arange(24) % 3] = 0.9992
    assert copies([known("a", rows=certain), known("b", rows=certain + 1e-5)]) == [None, None]


def test_other_labels_or_few_images_say_nothing():
    rows = answers(1, images=8)
    assert copies([known("a", rows=rows), known("b", rows=rows)]) == [None, None]
    rows = answers(1)
    assert copies([known("a", rows=rows), known("b", rows=rows, labels=("x", "y", "z"))]) == [None, None]


def test_what_a_student_reads_names_no_other_hand_in():
    first, second = copies([known("anna", "w"), known("daan", "w")])
    assert first is not None and first.other() == "another submission"
    assert second is not None and second.other() == "another submission"
    (of_many, *_) = copies([known(f"team-{number}", "w") for number in range(30)])
    assert of_many is not None and of_many.other() == "another submission"  # a number would say which group


def test_the_reference_is_named_and_is_no_hand_in():
    _, copy = copies([known(None, "w"), known("anna", "w")])
    assert copy is not None and copy.other() == "the reference solution"
    assert copy.hand_ins == ()
