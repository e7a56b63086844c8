"""Which network a checkpoint of `train_ssd.py` holds, for how many classes: from its tensors' names and shapes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch

from ..models.loaded_model import Unusable
from ..models.state_names import Shape, fitted
from .detector import Detector, Network
from .networks import NETWORKS

MOST_CLASSES = 1000  # Open Images, of which jetson-inference downloads, has 601
COUNTER = ".num_batches_tracked"  # of a BatchNorm; torch before 0.4.1 had none, and nothing is computed with it
_HEADS = re.compile(r"(classification|regression)_headers\.(\d+)\.")
_SHOWN = 3  # names in a sentence
_LONGEST = 80  # characters of a name
_WAY_OUT = "hand in the .pth file as train_ssd.py wrote it, or ssd-mobilenet.onnx from onnx_export.py"


class NotWhole(Unusable):
    """The weights resemble a network of the five, and do not fit it."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The network, and under which names it has the file's tensors."""

    network: Network
    classes: int  # kinds of objects, without BACKGROUND
    new_names: Mapping[str, str]  # the file's name -> the network's


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How the file's tensors fit one network. Classification heads are compared without their number of classes."""

    network: Network
    there: Mapping[str, Shape]  # under the network's names
    new_names: Mapping[str, str]
    fitting: int
    other: int  # that are there and do not fit, or are missing

    @property
    def is_resemblance(self) -> bool:
        """Whether the file has most of the network, or heads beside a part of it."""
        heads = any(_HEADS.match(name) for name in self.there)
        return 2 * self.fitting >= len(_shapes(self.network.name, 1)) or (heads and self.fitting > 0)


def recognised(given: Mapping[str, Shape]) -> Recognised | None:
    """The network whose tensors these are, `given` as name -> shape; None where they resemble none of the five.

    Raises `NotWhole`, with the network that they resemble and what does not fit, where not all of them do.
    """
    best = max((_likeness(given, network) for network in NETWORKS.values()), key=lambda one: (one.fitting, -one.other))
    if not best.is_resemblance:
        return None
    classes = _classes(best)
    wanted = _shapes(best.network.name, classes)
    missing = [name for name in wanted if name not in best.there and not name.endswith(COUNTER)]
    unknown = [name for name in given if best.new_names.get(name) not in wanted]
    different = [name for name, shape in best.there.items() if name in wanted and wanted[name] != shape]
    if missing or unknown or different:
        said = [f"lack {_some(missing)}"] if missing else []
        said += [f"hold {_some(unknown)}, which it does not have"] if unknown else []
        said += [_unlike(different, best.there, wanted, classes)] if different else []
        raise NotWhole(f"the weights resemble {best.network.name} of jetson-inference, but {_joined(said)}; {_WAY_OUT}")
    return Recognised(best.network, classes, best.new_names)


@cache
def _shapes(name: str, classes: int) -> Mapping[str, Shape]:
    """Name -> shape of the network's tensors."""
    with torch.device("meta"):  # shapes without memory
        state = Detector(NETWORKS[name], classes).state_dict()
    return {tensor: tuple(value.shape) for tensor, value in state.items()}


def _likeness(given: Mapping[str, Shape], network: Network) -> _Likeness:
    wanted = _shapes(network.name, 1)
    names = fitted(given, wanted).new_names
    there = {new: given[old] for old, new in names.items()}
    scoring = _scoring(network)
    fitting = sum(
        shape == wanted.get(name) or (name in scoring and shape[1:] == wanted[name][1:])
        for name, shape in there.items()
    )
    return _Likeness(network, there, names, fitting, len(wanted.keys() | there.keys()) - fitting)


@cache
def _scoring(network: Network) -> Mapping[str, int]:
    """The tensors whose first side depends on the classes, and how many boxes a cell of theirs has."""
    two, one = (_shapes(network.name, classes) for classes in (2, 1))
    return {name: two[name][0] - one[name][0] for name in two if two[name] != one[name]}


def _classes(likeness: _Likeness) -> int:
    """For how many kinds of objects most of the heads are. Raises `NotWhole` when that can be no number of classes."""
    counted: Counter[int] = Counter()
    for name, boxes in _scoring(likeness.network).items():
        shape = likeness.there.get(name, ())
        if shape and shape[0] % boxes == 0:
            counted[shape[0] // boxes - 1] += 1
    found = counted.most_common(1)[0][0] if counted else 1
    if 1 <= found <= MOST_CLASSES:
        return found
    scored = "nothing but BACKGROUND" if found < 1 else f"{found:,} classes, and at most {MOST_CLASSES:,} are taken"
    raise NotWhole(
        f"the weights are those of {likeness.network.name} of jetson-inference, but score {scored}; {_WAY_OUT}"
    )


def _unlike(names: Sequence[str], there: Mapping[str, Shape], wanted: Mapping[str, Shape], classes: int) -> str:
    first = min(names, key=lambda name: (wanted[name] == (), name))
    more = f", and {len(names) - 1} more differ" if len(names) > 1 else ""
    of = f" for {classes} {'class' if classes == 1 else 'classes'} and BACKGROUND" if first.startswith("class") else ""
    return f"{first} is {_sides(there[first])} in the file and {_sides(wanted[first])} in the network{of}{more}"


def _sides(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def _some(names: Sequence[str]) -> str:
    shown = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _joined(said: Sequence[str]) -> str:
    return " and ".join(said) if len(said) < 3 else f"{', '.join(said[:-1])}, and {said[-1]}"
