"""What becomes of a detector's boxes: suppressed, merged as on a board, brought back to the image, made plain."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_detectors import images

from harness.agent.detectors.board import on_board
from harness.agent.detectors.detector import Anchors, Description, Detections
from harness.agent.detectors.families import own_code
from harness.agent.detectors.fitting import fitted, model_input, resized
from harness.agent.detectors.normalised import detections
from harness.agent.detectors.plain_boxes import plain
from harness.agent.detectors.student_detector import packed, unpacked
from harness.agent.detectors.suppression import TRAINERS, Settings, suppressed
from harness.agent.models.loaded_model import Unusable
from harness.agent.phases.detect import Asked

NAN = float("nan")


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def found(rows: np.ndarray, scores: list[float], labels: list[int]) -> Detections:
    return Detections(rows, np.array(scores, np.float32), np.array(labels))


def described(fit: str, width: int | None = 64, height: int | None = 64) -> Description:
    return Description("test", width, height, fit, "RGB", 1 / 255, (0,) * 3, (1,) * 3, True, False, 2)  # type: ignore[arg-type]


def test_an_image_is_resized_without_smoothing_as_torch_and_opencv_do() -> None:
    image = np.random.default_rng(0).integers(0, 256, (45, 70, 3), dtype=np.uint8)
    given = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    for width, height in ((30, 20), (140, 100), (70, 45), (1, 1)):
        want = torch.nn.functional.interpolate(given, (height, width), mode="bilinear", antialias=False)
        assert np.abs(resized(image, width, height) - want[0].permute(1, 2, 0).numpy()).max() <= 0.501


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (33, 190), (640, 640), (1, 7)])
@pytest.mark.parametrize("fit", ["stretch", "letterbox", "as-it-is"])
def test_a_box_in_the_input_comes_back_to_where_it_was_in_the_image(fit: str, height: int, width: int) -> None:
    side = None if fit == "as-it-is" else 256
    placed = fitted(np.full((height, width, 3), 255, np.uint8), described(fit, side, side))
    whole = boxes((placed.left, placed.top, placed.left + placed.width, placed.top + placed.height))
    assert placed.relative(whole)[0] == pytest.approx([0, 0, 1, 1])
    white = (placed.pixels == 255).all(axis=2)
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    inside = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert np.abs(whole[0] - inside).max() <= 1, "the grey is around the image"


def test_an_input_is_scaled_and_has_its_colours_in_order() -> None:
    pixels = np.full((2, 2, 3), (255, 0, 51), np.uint8)
    assert model_input(pixels, described("stretch"), "NCHW", "float32")[0, :, 0, 0] == pytest.approx([1, 0, 0.2])
    assert model_input(pixels, described("stretch"), "NHWC", "uint8").tolist() == [pixels.tolist()]


def test_suppression_keeps_the_surest_of_each_class_and_so_many_candidates() -> None:
    rows = boxes((0, 0, 0.4, 0.4), (0.02, 0, 0.42, 0.4), (0.6, 0.6, 0.9, 0.9), (0, 0, 0.4, 0.4))
    scores = np.array([[0.8, 0], [0.9, 0.6], [0.02, 0], [0.01, NAN]], np.float32)
    kept = suppressed(Anchors(rows, scores, first=1), TRAINERS)
    assert [(label, round(float(score), 2)) for label, score in zip(kept.labels, kept.scores, strict=True)] == [
        (1, 0.9), (1, 0.02), (2, 0.6),
    ]  # fmt: skip
    assert len(suppressed(Anchors(rows, scores), Settings(0.01, 1.0, 2))) == 3
    assert len(suppressed(Anchors(rows[:0], scores[:0]), TRAINERS)) == 0


def test_the_board_merges_boxes_of_a_class_and_shows_sure_ones_only() -> None:
    rows = boxes(
        (0.1, 0.1, 0.5, 0.5), (0.12, 0.1, 0.52, 0.5), (0.1, 0.1, 0.5, 0.5), (0.1, 0.1, 0.3, 0.5), (0.9, 0.9, 1.2, 1.1)
    )
    scores = np.array([[0.6, 0], [0.7, 0.1], [0.1, 0.9], [0.5, 0], [0.49, 0.55]], np.float32)
    shown = on_board(Anchors(rows, scores, first=1))
    assert shown.labels.tolist() == [1, 2, 1, 2] and shown.scores.tolist() == pytest.approx([0.7, 0.9, 0.5, 0.55])
    assert shown.boxes[0].tolist() == pytest.approx([0.1, 0.1, 0.52, 0.5]), "it grew around both"
    assert shown.boxes[3].tolist() == pytest.approx([0.9, 0.9, 1, 1]), "cut to the image"
    assert on_board(Anchors(rows, scores, first=1), frozenset({2})).labels.tolist() == [1, 1]
    assert on_board(found(rows[:2], [0.9, 0.4], [0, 0])).labels.tolist() == [0]
    assert len(on_board(Anchors(rows, np.full((5, 2), np.nan, np.float32)))) == 0
    assert len(on_board(Anchors(rows, np.zeros((5, 0), np.float32)))) == 0


def test_boxes_that_are_none_stay_as_false_alarms_and_the_rest_is_counted() -> None:
    rows = boxes(
        (0, 0, 1, 1), (NAN, 0, 1, 1), (0.5, 0, 0.4, 1), (0, 0, 1, np.inf), (0, 0, 1e6, 1e6), (0, 0, 1, 1), (0, 0, 1, 1)
    )
    kept, faults = plain(found(rows, [0.1, 0.9, 0.8, 0.7, 0.6, NAN, 0.5], [0, 1, 0, 1, 0, 0, 7]), 1000, 2)
    assert dict(faults) == {"no_box": 4, "no_score": 1, "no_class": 1}
    assert kept.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.1]) and not kept.boxes[:4].any()
    assert kept.boxes[4].tolist() == [0, 0, 1, 1]


def test_of_a_million_boxes_the_surest_are_kept_and_the_others_counted() -> None:
    scores = np.linspace(0, 1, 10**6, dtype=np.float32)
    kept, faults = plain(Detections(np.zeros((10**6, 4), np.float32), scores, np.zeros(10**6, np.int64)), 100, None)
    assert len(kept) == 100 and kept.scores[0] == 1 and kept.scores[-1] > 0.999
    assert dict(faults) == {"too_many": 10**6 - 100}


@pytest.mark.parametrize("score", [-0.5, 1.5, 1e30])
def test_scores_that_are_no_probabilities_are_refused(score: float) -> None:
    with pytest.raises(Unusable, match="from 0 to 1"):
        plain(found(boxes((0, 0, 1, 1)), [score], [0]), 10, None)


def test_boxes_cross_from_a_process_and_nothing_else_does() -> None:
    rows, scores = boxes((0, 0, 1, 1), (0.1, 0.2, 0.3, 0.4)), np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.float32)
    again = unpacked(*packed(Anchors(rows, scores, first=1)))
    assert isinstance(again, Anchors) and again.first == 1 and np.array_equal(again.scores, scores)
    again = unpacked(*packed(found(rows, [0.5, 0.25], [3, 2**40])))
    assert isinstance(again, Detections) and again.labels.tolist() == [3, 2**24]
    for said, array in (
        ({}, None),
        ({}, np.zeros((2, 5), np.float32)),
        ({}, np.zeros((2, 6), np.uint8)),
        ({"first": 2}, np.zeros((2, 6), np.float32)),
        ({"first": [1]}, np.zeros((2, 6), np.float32)),
        ({"first": 0}, np.zeros(6, np.float32)),
    ):
        with pytest.raises(Unusable, match="no boxes"):
            unpacked(said, array)
    strange = unpacked({}, np.full((1, 6), np.nan, np.float32))
    assert isinstance(strange, Detections) and strange.labels.tolist() == [-1]


def test_tensorflows_detections_are_turned_round_and_counted() -> None:
    given = detections([[[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1]]], [[0.9, 0.8]], [[1.0, NAN]], [1.0])
    assert given.boxes[0].tolist() == pytest.approx([0.2, 0.1, 0.6, 0.5]) and given.labels.tolist() == [1]
    assert len(detections([[[0, 0, 1, 1]]], [[0.9]], [[1.0]], [NAN])) == 0
    with pytest.raises(Unusable, match="1 boxes, 2 scores and 1 classes"):
        detections([[[0, 0, 1, 1]]], [[0.9, 0.8]], [[1.0]], [1.0])


def answered(given: object) -> Detections:
    return own_code.OwnCode(described("as-it-is"), lambda images: [given]).answer(images(1)[0])


def test_own_code_gives_a_dictionary_or_a_tuple_of_tensors_lists_or_arrays() -> None:
    rows = [[0.1, 0.2, 0.3, 0.4]]
    for given in (
        (rows, [0.5], [1]),
        {"boxes": torch.tensor(rows), "scores": torch.tensor([0.5]), "labels": np.array([1])},
    ):
        assert answered(given).labels.tolist() == [1] and answered(given).boxes[0].tolist() == pytest.approx(rows[0])
    assert len(answered(([], [], []))) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "boxes, scores and labels for each"),
        (([[0, 0, 1]], [0.5], [1]), "of the shapes"),
        (([[0, 0, 1, 1]], [0.5, 0.5], [1]), "of the shapes"),
        (([[10, 10, 200, 100]], [0.5], [1]), "in pixels; divide"),
        ((["a"], [0.5], [1]), "boxes that are no numbers"),
    ],
)
def test_what_own_code_gives_instead_is_said(given: object, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        answered(given)


class Overflows:
    """A detector whose graph fails with the pixels that it is given."""

    description = described("stretch")

    def answer(self, image: np.ndarray) -> Detections:
        raise Unusable("its output has another form for another image")


def test_another_scaling_with_which_a_graph_fails_finds_nothing_and_ends_nothing() -> None:
    asked = Asked(Overflows(), 100, frozenset())
    (image,) = images(1)
    assert len(asked.otherwise(Overflows(), image)) == 0
    with pytest.raises(Unusable):
        asked.found(image)
