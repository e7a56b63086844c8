"""The verdict that needs the score, and whether the pre-processing is the backbone's."""

from typing import Any

import pytest
from example_evidence import conversion, evaluation, inspection

from harness.findings import finding
from harness.inputs.weights import list_weights
from harness.stages.evidence.conversion import Preprocess
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.transfer_verdict import by_chance, concluded, fits, guesses, verdict

TRAINED_ON = {entry.name: entry.trained_on for entry in list_weights()}
IMAGENET = {"scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "colour": "RGB"}


def inspected(**changes: Any) -> Done[Inspection]:
    frozen = {"weights_say": "feature-extraction", "frozen_layers": 52, "head_initialised_as": "torch's Linear"}
    return Done(value=inspection(**(frozen | changes)))


def rule(**changes: Any) -> Preprocess:
    return Preprocess(**({"width": 224, "height": 224, "resize": "stretch"} | IMAGENET | changes))


def codes(result: Any) -> list[str]:
    return [f.code for f in result.findings]


def test_a_head_as_initialised_that_guesses_is_untrained():
    scored = Done(value=evaluation(accuracy=0.53))
    assert verdict(inspected().value, scored, is_copy=False) == "untrained-head"
    assert codes(concluded(inspected(), scored, None, None)) == ["untrained-head"]


@pytest.mark.parametrize(
    "changes",
    [{"head": "torch's Linear", "accuracy": 0.75}, {"head": "", "accuracy": 0.5}, {"head": "", "accuracy": 0.9}],
)
def test_a_head_that_has_learnt_something_or_was_moved_is_not(changes):
    scored = Done(value=evaluation(accuracy=changes["accuracy"]))
    looked = inspected(head_initialised_as=changes["head"])
    assert verdict(looked.value, scored, is_copy=False) == "feature-extraction"
    assert not codes(concluded(looked, scored, None, None))


UNEVEN = ("ball", "mug", "pen")


@pytest.mark.parametrize(
    ("confusion", "is_guessing"),
    [
        (((60, 0, 0), (25, 0, 0), (15, 0, 0)), True),  # always the largest class: 60 % right, and 1 of 3 is 33 %
        (((36, 14, 10), (15, 6, 4), (9, 4, 2)), True),  # answers as often as the classes, whatever the image
        (((55, 3, 2), (5, 18, 2), (4, 2, 9)), False),
        (((60, 0, 0), (15, 10, 0), (15, 0, 0)), False),  # never wrong about the second class
    ],
)
def test_guessing_is_judged_by_the_answers_given(confusion: Any, is_guessing: bool) -> None:
    right = sum(row[place] for place, row in enumerate(confusion))
    other = (0,) * len(UNEVEN)
    score = evaluation(classes=UNEVEN, images=100, accuracy=right / 100, confusion=confusion, confusion_other=other)
    assert guesses(score) is is_guessing


def test_chance_is_that_of_cohen_s_kappa() -> None:
    """Against scikit-learn: kappa = (accuracy - chance) / (1 - chance)."""
    from sklearn.metrics import cohen_kappa_score

    confusion = ((40, 12, 8), (5, 17, 3), (6, 2, 7))
    true = [i for i, row in enumerate(confusion) for count in row for _ in range(count)]
    said = [j for row in confusion for j, count in enumerate(row) for _ in range(count)]
    score = evaluation(classes=UNEVEN, images=100, accuracy=0.64, confusion=confusion, confusion_other=(0, 0, 0))
    chance = by_chance(score)
    assert (0.64 - chance) / (1 - chance) == pytest.approx(cohen_kappa_score(true, said))


def test_a_model_that_was_never_scored_is_called_what_its_weights_say():
    looked = inspected(weights_say="fine-tuned", frozen_layers=3).value
    assert verdict(looked, Skipped(reason="There is no score."), is_copy=False) == "fine-tuned"


@pytest.mark.parametrize("accuracy", [0.5, 0.9])
def test_a_copy_is_called_one_whatever_its_weights_and_its_score_say(accuracy):
    assert verdict(inspected().value, Done(value=evaluation(accuracy=accuracy)), is_copy=True) == "copied"


def test_untrained_takes_the_place_of_trained_from_scratch():
    looked = inspected(weights_say="from-scratch", backbone=None, frozen_layers=0).model_copy(
        update={"findings": (finding("trained-from-scratch"),)}
    )
    assert codes(concluded(looked, Done(value=evaluation(accuracy=0.5)), None, None)) == ["untrained-head"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)},
        {"scale": 1.0, "mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)},
    ],
)
def test_the_backbone_s_own_pre_processing_however_it_is_written(changes):
    trained_on = TRAINED_ON["mobilenet_v2"]
    assert trained_on is not None and fits(rule(**changes), trained_on)
    result = concluded(inspected(), Done(value=evaluation()), conversion(preprocess=rule(**changes)), trained_on)
    assert isinstance(result, Done) and result.value.preprocessing_matches is True and not codes(result)


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": (0, 0, 0), "std": (1, 1, 1)},
        {"scale": 1.0, "mean": (0, 0, 0), "std": (1, 1, 1)},
        {"colour": "BGR"},
        {"colour": "BGR", "scale": 1.0, "mean": (103.939, 116.779, 123.68), "std": (1, 1, 1)},
    ],
)
def test_another_pre_processing_than_the_backbone_s_is_named(changes):
    given = conversion(preprocess=rule(**changes))
    result = concluded(inspected(), Done(value=evaluation()), given, TRAINED_ON["mobilenet_v2"])
    assert isinstance(result, Done) and result.value.preprocessing_matches is False
    assert codes(result) == ["preprocessing-mismatch"]


def test_what_was_assumed_or_is_done_in_the_graph_is_not_judged():
    other = rule(mean=(0, 0, 0), std=(1, 1, 1))
    for looked, given in (
        (inspected(), conversion(preprocess=other, assumed="keras-raw")),
        (inspected(scales_its_input=True), conversion(preprocess=other)),
        (inspected(frozen_layers=0, weights_say="fine-tuned"), conversion(preprocess=other)),
    ):
        result = concluded(looked, Done(value=evaluation()), given, TRAINED_ON["mobilenet_v2"])
        assert isinstance(result, Done) and result.value.preprocessing_matches is None and not codes(result)


def test_a_mismatch_that_the_score_has_shown_is_said_once():
    measured = finding("preprocessing-mismatch", is_=0.4, would=0.9, images=40, other="zero-one")
    scored = Done(value=evaluation(), findings=(measured,))
    given = conversion(preprocess=rule(mean=(0, 0, 0), std=(1, 1, 1)))
    assert codes(concluded(inspected(), scored, given, TRAINED_ON["mobilenet_v2"])) == []
