"""Which of many checkpoints of jetson-inference's `train_ssd.py` is the model: the one that its exporter takes.

The trainer writes `<net>-Epoch-<n>-Loss-<validation loss>.pth` after each epoch. `onnx_export.py --model-dir`
(dusty-nv/pytorch-ssd e7b5af5) takes, of a folder's .pth files, the one whose name has the lowest number below 10,000
after its last hyphen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from harness.findings import Finding, finding

# What torchvision publishes ends with a hash, which a date is not; the others are those that jetson-inference's
# train_ssd.py starts from.
_PUBLISHED = re.compile(
    r"(?:.*-(?!(?:19|20)[0-9]{6}\.)[0-9a-f]{8}|mobilenet-v1-ssd-mp-0_675|mb2-ssd-lite-mp-0_686|vgg16_reducedfc)\.pth"
)
_TRAINED = re.compile(r"(?P<network>[\w-]+)-Epoch-(?P<epoch>[0-9]{1,6})-Loss-(?P<loss>.+)", re.ASCII)
_COPY = re.compile(
    r"(?<=[0-9])(?: ?\([0-9]+\)|-[0-9]{1,2})$"
)  # what a browser or Canvas adds to a file that comes again
_HIGHEST = 10_000.0  # the exporter takes none of this loss
_ROOM = 280  # characters of a list in one finding
_MOST_LISTS = 20  # of about 25 checkpoints


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A .pth file as its name describes it."""

    path: Path
    network: str  # as `--net` calls it; empty where the trainer did not name the file
    epoch: int  # -1 likewise
    loss: float  # as the exporter reads it; infinite where it would never take the file

    @property
    def shown(self) -> str:
        """For a list of them."""
        loss = "no loss" if math.isinf(self.loss) else f"{self.loss:.4g}"
        return f"{self.epoch}: {loss}" if self.network else self.path.name


@dataclass(frozen=True, slots=True)
class Series:
    """The checkpoints of one folder."""

    taken: Checkpoint
    passed_over: tuple[Checkpoint, ...]  # by network and epoch

    def findings(self) -> tuple[Finding, ...]:
        """Which one was taken and why, and all that were passed over."""
        taken = self.taken
        alike = [one for one in self.passed_over if one.loss == taken.loss]
        why = (
            "checkpoint-without-loss" if math.isinf(taken.loss) else "checkpoint-tied" if alike else "checkpoint-taken"
        )
        chosen = finding(why, name=str(taken.path), count=len(self.passed_over) + 1, loss=f"{taken.loss:.4g}")
        lists = [finding("checkpoints-passed-over", others=others) for others in _in_lines(self.passed_over)]
        return (chosen, *lists[:_MOST_LISTS])


def series(files: Sequence[Path]) -> tuple[Series, ...]:
    """One for each folder in which the trainer wrote a checkpoint and another one lies, sorted by folder.

    Of two with the lowest loss the exporter takes that which the file system lists first; here it is the last epoch.
    """
    read = [one for file in files if (one := _checkpoint(file)) is not None]
    folders = groupby(sorted(read, key=lambda one: one.path), key=lambda one: one.path.parent)
    found = []
    for _, inside in folders:
        together = sorted(inside, key=lambda one: (one.network, one.epoch, one.path.name))
        if len(together) > 1 and any(one.network for one in together):
            taken = min(together, key=lambda one: (one.loss, -one.epoch, one.path.name))
            found.append(Series(taken, tuple(one for one in together if one is not taken)))
    return tuple(found)


def is_published(file: Path) -> bool:
    """Whether the name is that of weights to start from, which are nobody's result."""
    return _PUBLISHED.fullmatch(file.name) is not None


def _checkpoint(file: Path) -> Checkpoint | None:
    """None for a file that neither the trainer named nor the exporter would take."""
    if file.suffix != ".pth":
        return None
    stem = file.stem
    if trained := _TRAINED.fullmatch(stem):
        return Checkpoint(file, trained["network"], int(trained["epoch"]), _loss(_COPY.sub("", stem)))
    loss = _loss(stem)
    return Checkpoint(file, "", -1, loss) if loss < _HIGHEST else None


def _loss(stem: str) -> float:
    """The loss in a name as the exporter reads it: of 9e-05 it sees the 05 only."""
    try:
        loss = float(stem[stem.rfind("-") + 1 :])
    except ValueError:
        return math.inf
    return loss if loss < _HIGHEST else math.inf


def _in_lines(checkpoints: Sequence[Checkpoint]) -> Iterator[str]:
    """The checkpoints as lists that fit a finding, the network before its epochs."""
    for network, together in groupby(checkpoints, key=lambda one: one.network):
        start = f"{network} (epoch: loss) " if network else ""
        line = ""
        for shown in (one.shown for one in together):
            if line and len(start) + len(line) + len(shown) > _ROOM:
                yield start + line
                line = ""
            line += f", {shown}" if line else shown
        yield start + line
