"""What the rules know about where a notebook runs, and the notes that they make."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from .dataset_paths import Reads

_MOST_NOTES = 50


@dataclass(slots=True)
class Setting:
    """Where one notebook runs. `notes` collects (code, what) pairs, which become findings outside."""

    here: Path  # the notebook's folder
    sources: tuple[str, ...] = ()  # of all code cells, as handed in
    names: tuple[str, ...] = ()  # the assignment's names for the images' folder
    has_images: bool = True  # whether the assignment gives images
    notes: dict[tuple[str, str], None] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)  # that must exist before the notebook runs
    reads: Reads | None = None  # of the changed cells, for rules that go `LAST`
    _mentioned: dict[str, bool] = field(default_factory=dict)

    def note(self, code: str, what: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes[(code, " ".join(what.split())[:200])] = None

    def mentions(self, word: str) -> bool:
        """Whether any cell holds the word."""
        if word not in self._mentioned:
            self._mentioned[word] = any(word in source for source in self.sources)
        return self._mentioned[word]

    def can_import(self, module: str) -> bool:
        """Whether a module exists in the environment or beside the notebook; nothing is imported."""
        name = module.split(".")[0]
        if (self.here / f"{name}.py").is_file() or (self.here / name / "__init__.py").is_file():
            return True
        try:
            return importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            return False

    def has_gpu(self) -> bool:
        """Whether the sandbox shows a graphics card."""
        return Path("/dev/nvidia0").exists() or Path("/dev/nvidiactl").exists()
