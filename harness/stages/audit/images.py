"""The images of one data set, described in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

GREY = 128  # pixels, both sides, of the small grey images
Split = Literal["", "train", "val", "test", "other"]

_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Described(BaseModel):
    """An image that decodes. `blur`: 0 (sharp) to 1; shares are of its pixels; `brightness` is 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(ge=1, le=10**6)
    height: int = Field(ge=1, le=10**6)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # of the pixels
    blur: _Share
    brightness: _Share
    bright_share: _Share
    dark_share: _Share
    camera: bool
    rights: bool
    plain_border: bool


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The readable images, in one order: entry i of each field belongs to image i."""

    names: tuple[str, ...]  # paths in the data set
    labels: tuple[str | None, ...]
    splits: tuple[Split, ...]
    described: tuple[Described, ...]
    greys: NDArray[np.uint8]  # (images, 128, 128)
    embeddings: NDArray[np.float32] | None  # (images, 1280)
    keypoints: NDArray[np.uint8] | None = None  # (images, 257, 132), see `keypoints.py`; None where nobody looked

    def __len__(self) -> int:
        return len(self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """The images' classes, sorted."""
        return tuple(sorted({label for label in self.labels if label is not None}))


def unit(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to length 1, so that dot products are cosines."""
    lengths = np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings))[:, None]
    normal: NDArray[np.float32] = (embeddings / np.maximum(lengths, 1e-6)).astype(np.float32, copy=False)
    return normal
