"""Which prior learns which object."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_OVERLAP = 0.5  # intersection over union (Liu et al. 2016, section 2.2)


def overlaps(ones: Tensor, others: Tensor) -> Tensor:
    """Intersection over union (ones, others) of corner boxes (ones, 4) and (others, 4); 0 for an empty box."""
    left_top = torch.maximum(ones[:, None, :2], others[None, :, :2])
    right_bottom = torch.minimum(ones[:, None, 2:], others[None, :, 2:])
    shared = (right_bottom - left_top).clamp(min=0).prod(dim=2)
    return shared / (_areas(ones)[:, None] + _areas(others)[None] - shared).clamp(min=1e-12)


def matched(boxes: Tensor, priors: Tensor) -> Tensor:
    """For each prior the index of its object, or -1: (priors,) int64.

    `boxes` are corners (objects, 4), `priors` centre and size (priors, 4). A prior takes the object that it overlaps
    most, from `LEAST_OVERLAP`; then each object gets the free prior that overlaps it most, the surest pair first, so
    that no object is without.
    """
    if not len(boxes):
        return torch.full((len(priors),), -1)
    overlap = overlaps(_corners(priors), boxes)
    best, which = overlap.max(dim=1)
    which[best < LEAST_OVERLAP] = -1
    for _ in range(len(boxes)):
        prior, of = divmod(int(overlap.argmax()), len(boxes))
        which[prior] = of
        overlap[prior], overlap[:, of] = -1, -1
    return which


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)


def _corners(priors: Tensor) -> Tensor:
    return torch.cat([priors[:, :2] - priors[:, 2:] / 2, priors[:, :2] + priors[:, 2:] / 2], dim=1)
