"""For a rerun that does not finish in time: how far its training came, and the notebook with fewer epochs."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.boundary.bounded_json import Unbounded, check
from harness.boundary.parsed_apart import NotParsed, parsed_apart

_RESERVE = 0.8  # of the time; the rest is for the cells after the training
_SAID: TypeAdapter[tuple[int, int] | None] = TypeAdapter(tuple[int, int] | None)


@dataclass(frozen=True, slots=True)
class Pace:
    """`done` of `total` epochs were finished, summed over all trainings that began."""

    done: int
    total: int

    @property
    def share(self) -> float:
        """The share of the epochs that fits into the same time, with a reserve."""
        return _RESERVE * self.done / self.total

    def minutes(self, seconds: float) -> float:
        """The minutes that all epochs would take, if those done took `seconds`."""
        return seconds / 60 * self.total / self.done


def pace(executed: Path) -> Pace | None:
    """How far the training came, by lines `Epoch 3/30` of an executed notebook.

    None when no epoch was finished, and for a file that cannot be parsed.
    """
    try:
        said = parsed_apart("epochs", "pace", executed)
        check(said)
        found = _SAID.validate_json(said)
    except (NotParsed, Unbounded, ValidationError):
        return None
    return Pace(*found) if found is not None and 0 < found[0] < found[1] else None


def with_fewer_epochs(notebook: Path, share: float, target: Path) -> bool:
    """Write the notebook to `target` with every `epochs = N` reduced to that share of N, at least 1.

    Returns False when nothing would change, and for a file that cannot be parsed.
    """
    with tempfile.TemporaryDirectory(prefix="harness-epochs-") as folder:
        given, fewer = Path(folder) / "given", Path(folder) / "fewer"  # any user can read a command line
        shutil.copyfile(notebook, given)
        try:
            changed = parsed_apart("epochs", "fewer", given, str(share), fewer).strip() == b"true"
        except NotParsed:
            return False
        if changed:
            shutil.copyfile(fewer, target)
        return changed
