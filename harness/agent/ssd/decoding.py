"""From an SSD's scores and boxes to detections, as the predictor of jetson-inference's trainer makes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .matching import overlaps

LEAST_SCORE, MOST_OVERLAP, CANDIDATES = 0.01, 0.45, 200  # dusty-nv/pytorch-ssd, vision/ssd/*_create_*_predictor


@dataclass(frozen=True, slots=True)
class Detections:
    """Found objects of one image, sorted by class, then from the surest."""

    boxes: Tensor  # (objects, 4) corners, relative to the image
    labels: Tensor  # (objects,) int64, from 1
    scores: Tensor  # (objects,)


def detections(scores: Tensor, boxes: Tensor) -> Detections:
    """What stays of (priors, classes) `scores`, background first, and (priors, 4) `boxes` of one image.

    In each class: scores above 0.01, the 200 surest, and of boxes that overlap by more than 0.45 the surest.
    """
    found = [(label, _kept(scores[:, label], boxes)) for label in range(1, scores.shape[1])]
    every = torch.cat([kept for _, kept in found])
    labels = torch.cat([torch.full_like(kept, label) for label, kept in found])
    return Detections(boxes[every], labels, scores[every, labels])


def _kept(scores: Tensor, boxes: Tensor) -> Tensor:
    """Indices of the priors of one class that stay, from the surest."""
    order = scores.argsort(descending=True, stable=True)[:CANDIDATES]
    order = order[scores[order] > LEAST_SCORE]
    close = overlaps(boxes[order], boxes[order]) > MOST_OVERLAP
    gone, kept = torch.zeros(len(order), dtype=torch.bool), []
    for i in range(len(order)):
        if not gone[i]:
            kept.append(i)
            gone |= close[i]
    return order[kept]
