"""The multibox loss (Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.2)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

NEGATIVES_PER_OBJECT = 3
_FEWEST_NEGATIVES = 6  # an image without objects teaches, too


def multibox(logits: Tensor, offsets: Tensor, labels: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of the objects and the hardest negatives, and smooth L1 of the objects' offsets, per object.

    `logits` (images, priors, classes), background first; `offsets` and `wanted` (images, priors, 4), of which only
    those of objects count; `labels` (images, priors) int64, 0 for the background.
    """
    objects = labels > 0
    chosen = objects | hard_negatives(logits.detach(), labels)
    sorts = functional.cross_entropy(logits[chosen], labels[chosen], reduction="sum")
    places = functional.smooth_l1_loss(offsets[objects], wanted[objects], reduction="sum")
    return (sorts + places) / objects.sum().clamp(min=1)


def hard_negatives(logits: Tensor, labels: Tensor) -> Tensor:
    """The priors (images, priors) of the background that look least like it, three for each prior of an object."""
    objects = labels > 0
    surprise = -functional.log_softmax(logits, dim=2)[..., 0]
    surprise = surprise.masked_fill(objects, -1.0)
    rank = surprise.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    many = (NEGATIVES_PER_OBJECT * objects.sum(dim=1, keepdim=True)).clamp(min=_FEWEST_NEGATIVES)
    return (rank < many) & ~objects
