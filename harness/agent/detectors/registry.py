"""The families of detectors: one module each in `families/`, discovered there and chosen by what was handed in."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

from ..graph.onnx_model import read
from ..models.loaded_model import Unusable
from ..models.model_file import is_onnx
from .detector import Detector, Opening


class Family(Protocol):
    """What each module in `families/` offers."""

    RUNS_CODE: bool  # whether opening or asking it runs code of the student's choice: then in a process of its own

    def matches(self, file: Path) -> bool:
        """Whether the content is of this family. Loads no code. Raises nothing."""

    def load(self, opening: Opening) -> Detector:
        """The detector, ready to answer. Raises `Unusable`, or what the student's code raises."""


def all_families() -> dict[str, Family]:
    """Name -> family, sorted by name."""
    folder = Path(__file__).parent / "families"
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    return {name: named(name) for name in names}


def named(name: str) -> Family:
    """The family with this name."""
    return cast(Family, importlib.import_module(f"{__package__}.families.{name}"))


def family_of(file: Path) -> tuple[str, Family]:
    """The family that the content belongs to. Raises `Unusable` when there is none."""
    if file.stat().st_size == 0:
        raise Unusable("the file is empty; save the model again")
    for name, candidate in all_families().items():
        if candidate.matches(file):
            return name, candidate
    if is_onnx(file):
        read(file)  # says what is wrong with it
    raise Unusable(
        "it is no detector that is known here; hand in the ONNX file that onnx_export.py writes, another detector's "
        "ONNX file, a torchvision detector, TensorFlow Lite or a SavedModel with its post-processing, or predict.py "
        "with predict(images)"
    )
