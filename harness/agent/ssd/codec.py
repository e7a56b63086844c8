"""Boxes as offsets from priors, which an SSD's heads output, and back."""

from __future__ import annotations

import torch

CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2  # jetson-inference's train_ssd.py; Liu et al. 2016 use the same


def decoded(offsets: torch.Tensor, priors: torch.Tensor) -> torch.Tensor:
    """Corners (..., priors, 4) left, top, right, bottom, relative to the image, that may leave [0, 1].

    `offsets` is (..., priors, 4), `priors` (priors, 4) with centre and size.
    """
    centre = offsets[..., :2] * CENTRE_VARIANCE * priors[..., 2:] + priors[..., :2]
    half = torch.exp(offsets[..., 2:] * SIZE_VARIANCE) * priors[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def encoded(corners: torch.Tensor, priors: torch.Tensor) -> torch.Tensor:
    """Offsets (..., priors, 4) from which `decoded` makes `corners`; these have widths and heights above 0."""
    centre, size = (corners[..., :2] + corners[..., 2:]) / 2, corners[..., 2:] - corners[..., :2]
    moved = (centre - priors[..., :2]) / priors[..., 2:] / CENTRE_VARIANCE
    return torch.cat([moved, torch.log(size / priors[..., 2:]) / SIZE_VARIANCE], dim=-1)
