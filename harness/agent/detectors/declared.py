"""The pre-processing that handin.json declares, in place of what is usual for a family."""

from __future__ import annotations

from dataclasses import replace

from ..models.loaded_model import Unusable
from .detector import Description, Opening


def as_declared(description: Description, opening: Opening) -> Description:
    """The description with the pre-processing that is declared, or was measured, if any.

    Raises `Unusable` for a declared one that cuts images, or has another size than the model.
    """
    if opening.scaling is not None:
        return opening.scaling.of(description)
    rule = opening.rule
    if rule is None:
        return description
    if rule.resize != "stretch":
        raise Unusable("handin.json cuts the image (shorter-side-crop); a detector has to see all of it: use stretch")
    if (rule.width, rule.height) != (description.width, description.height):
        raise Unusable(
            f"handin.json says {rule.width} x {rule.height} pixels, but the model takes {description.width} x "
            f"{description.height}"
        )
    return replace(description, fit="stretch", colour=rule.colour, scale=rule.scale, mean=rule.mean, std=rule.std)
