"""The training images that notebooks get: the course's, or those of a student's own that are not withheld."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.inputs.assignment.sections import Dataset

CHECK_IMAGES = 12  # for comparing a conversion with its original, which needs at least 8


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """Images in class folders, how a notebook finds them, and a few of them for checking conversions."""

    dataset: Dataset | None  # None where the assignment gives no images
    sha256: str  # of the images' pixels and classes
    check_images: Callable[[], Sequence[Path]]  # prepared at first use
    by_class: Callable[[], Mapping[str, Sequence[Path]]] = field(default=dict)  # class -> images; at first use, too

    def key(self) -> object:
        """Their identity, independent of paths."""
        return [self.sha256, self.dataset and self.dataset.model_dump(mode="json", exclude={"path"})]

    @property
    def folder(self) -> Path:
        """The class folders. Call it only if there are images."""
        assert self.dataset is not None and self.dataset.path is not None  # ensured by `assignment.load`
        return self.dataset.path


NO_TRAINING_IMAGES = TrainingImages(None, "", lambda: ())
