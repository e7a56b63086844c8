"""Which of the instructor's held-out images show one scene, so that intervals do not take them as independent.

The images are the instructor's, re-encoded, and are read outside the sandbox. They are compared as those of a student's
data set are (`audit/scenes.py`), but by hashes only, since embeddings are computed in the sandbox.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from harness.inputs.images import StagedImages
from harness.stages.audit import Described, ImageSet, scene_map
from harness.stages.audit.images import GREY, Split
from harness.stages.context import StageContext
from harness.stages.evidence.record import Record
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.stage import Stage


class SceneNumbers(Record):
    """For each image the number of its scene: the index of the scene's first image."""

    scenes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScenesRequest:
    """The held-out images, re-encoded, and the class of each."""

    staged: StagedImages
    truth: tuple[int, ...]


def scene_numbers(staged: StagedImages, truth: Sequence[int]) -> tuple[int, ...]:
    """For each image the number of its scene; pairs in doubt count as one scene, which makes intervals wider.

    Only images of one class are compared: photographs of one scene show the same, and the time grows with the pairs.
    """
    numbers = [0] * len(truth)
    for label in sorted(set(truth)):
        members = [index for index, one in enumerate(truth) if one == label]
        images = _image_set(staged.files(members))
        for index, first in zip(members, scene_map(images).group_of(len(images)).tolist(), strict=True):
            numbers[index] = members[first]
    return tuple(numbers)


def _image_set(files: Sequence[Path]) -> ImageSet:
    greys, described = [], []
    for file in files:
        with Image.open(file) as image:
            greys.append(np.asarray(image.convert("L").resize((GREY, GREY), Image.Resampling.BOX)))
            digest = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
            described.append(_described(image.width, image.height, digest))
    names = tuple(file.name for file in files)
    splits: tuple[Split, ...] = tuple("" for _ in names)
    return ImageSet(names, (None,) * len(names), splits, tuple(described), np.stack(greys), None)


def _described(width: int, height: int, sha256: str) -> Described:
    """What comparing needs of an image's description; its quality is the instructor's business."""
    return Described(
        width=width, height=height, sha256=sha256, blur=0, brightness=0, bright_share=0, dark_share=0,
        camera=False, rights=False, plain_border=False,
    )  # fmt: skip


def _work(request: ScenesRequest, context: StageContext) -> StageResult[SceneNumbers]:
    return Done(value=SceneNumbers(scenes=scene_numbers(request.staged, request.truth)), origin="measured-outside")


SCENES = Stage("scenes", SceneNumbers, _work)
