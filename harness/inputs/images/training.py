"""The training images that notebooks get: the course's, or the part of a student's own that is not withheld."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.inputs.assignment.sections import Dataset

CHECK_IMAGES = 12  # on which a conversion is compared with its original, which wants 8 at least


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """Images in class folders, how a notebook finds them, and a few of them for checking conversions."""

    dataset: Dataset | None  # None where the assignment gives no images
    sha256: str  # of what the images show and which class they have
    check_images: Callable[[], Sequence[Path]]  # made ready when they are first needed

    def key(self) -> object:
        """What identifies them, wherever they lie."""
        return [self.sha256, self.dataset and self.dataset.model_dump(mode="json", exclude={"path"})]

    @property
    def folder(self) -> Path:
        """The class folders. Only where there are images."""
        assert self.dataset is not None and self.dataset.path is not None  # `assignment.load` has seen to it
        return self.dataset.path


NO_TRAINING_IMAGES = TrainingImages(None, "", lambda: ())
