"""The model formats: one module each in `formats/`, discovered there and chosen by the file's content."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

from .loaded_model import Context, Native, Unusable
from .model_file import describe


class Format(Protocol):
    """What each module in `formats/` offers."""

    def matches(self, file: Path) -> bool:
        """Whether the content has this format; the name is ignored. Raises for no content."""

    def load(self, file: Path, context: Context) -> Native:
        """The model, ready to answer. Raises `Unusable`, or what the student's code raises."""

    def to_onnx(self, native: Native, out: Path) -> None:
        """Write the model as one ONNX file. Raises anything where it cannot."""


def all_formats() -> dict[str, Format]:
    """Name -> format, sorted by name."""
    folder = Path(__file__).parent / "formats"
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    return {name: named(name) for name in names}


def named(name: str) -> Format:
    """The format with this name."""
    return cast(Format, importlib.import_module(f"{__package__}.formats.{name}"))


def format_of(file: Path) -> tuple[str, Format]:
    """The format that the content belongs to. Raises `Unusable` when there is none."""
    if file.stat().st_size == 0:
        raise Unusable("the file is empty; save the model again")
    for name, candidate in all_formats().items():
        if candidate.matches(file):
            return name, candidate
    raise Unusable(describe(file))
