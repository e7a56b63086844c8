"""Matching, hard negatives and the loss, against cases computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from harness.agent.ssd.loss import hard_negatives, multibox
from harness.agent.ssd.matching import matched, overlaps

# Centre and size; as corners: (0, 0, .4, .4), (.1, 0, .5, .4), (.5, .5, .9, .9), (.6, .6, 1, 1).
PRIORS = torch.tensor([[0.2, 0.2, 0.4, 0.4], [0.3, 0.2, 0.4, 0.4], [0.7, 0.7, 0.4, 0.4], [0.8, 0.8, 0.4, 0.4]])


def test_overlap_is_the_shared_area_over_the_joint_one():
    ones = torch.tensor([[0.0, 0, 2, 2], [0, 0, 0, 0]])
    others = torch.tensor([[1.0, 0, 3, 2], [2, 2, 4, 4], [0, 0, 2, 2]])
    torch.testing.assert_close(overlaps(ones, others), torch.tensor([[1 / 3, 0, 1], [0, 0, 0]]))


def test_a_prior_takes_the_object_that_it_overlaps_by_half():
    """The second prior shares 0.12 of 0.20 with the first's box."""
    assert matched(torch.tensor([[0.0, 0.0, 0.4, 0.4]]), PRIORS).tolist() == [0, 0, -1, -1]


def test_an_object_that_no_prior_overlaps_by_half_gets_its_best_one():
    assert matched(torch.tensor([[0.9, 0.9, 1.0, 1.0]]), PRIORS).tolist() == [-1, -1, -1, 0]


def test_two_objects_never_share_their_best_prior():
    """Both overlap the last prior most; the larger of the two is surer, and the smaller takes the prior beside it."""
    boxes = torch.tensor([[0.85, 0.85, 0.9, 0.9], [0.7, 0.7, 0.95, 0.95]])
    assert matched(boxes, PRIORS).tolist() == [-1, -1, 0, 1]


def test_an_image_without_objects_matches_nothing():
    assert matched(torch.zeros(0, 4), PRIORS).tolist() == [-1] * 4


def test_three_negatives_an_object_are_those_that_look_least_like_the_background():
    logits = torch.zeros(1, 12, 2)
    logits[0, :, 0] = torch.arange(12.0)  # the first looks least like the background
    labels = torch.zeros(1, 12, dtype=torch.int64)
    labels[0, [0, 2, 5]] = 1
    assert hard_negatives(logits, labels)[0].nonzero().flatten().tolist() == [1, 3, 4, 6, 7, 8, 9, 10, 11]


def test_an_image_without_objects_has_some_negatives():
    assert hard_negatives(torch.zeros(2, 50, 3), torch.zeros(2, 50, dtype=torch.int64)).sum(dim=1).tolist() == [6, 6]


def test_the_loss_of_a_case_computed_by_hand():
    """Ten priors, all logits 0: one object and six negatives cost log 2 each; offsets 0.5, 2, 0, 0 away cost
    0.5 * 0.5**2 and 2 - 0.5."""
    labels = torch.zeros(1, 10, dtype=torch.int64)
    labels[0, 4] = 1
    offsets, wanted = torch.zeros(1, 10, 4), torch.full((1, 10, 4), 7.0)
    wanted[0, 4] = torch.tensor([0.5, -2.0, 0, 0])
    assert float(multibox(torch.zeros(1, 10, 2), offsets, labels, wanted)) == pytest.approx(7 * math.log(2) + 1.625)
