"""Fits the names of a state dict's tensors to those of the model that it is for.

What wraps a model while it is trained puts a prefix before each name: DataParallel `module.`, torch.compile
`_orig_mod.`, a LightningModule the attribute's name (`model.`, `net.`, `backbone.`). No list of them is kept: whichever
chain of prefixes, taken off or put on, makes the most names fit is the one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Tensor = TypeVar("Tensor")
Shape = tuple[int, ...]

_DEEPEST = 8  # names in a chain of prefixes
# What wrappers of a part of a model, as of `features` in torchvision's ImageNet example, put into the middle of a name.
_WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module")


@dataclass(frozen=True, slots=True)
class Fitted:
    """Tensors under the model's names. `left_out`: the file's names that do not have the prefix taken off."""

    new_names: dict[str, str]  # the file's name -> the model's
    left_out: tuple[str, ...]


def fitted(given: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> Fitted:
    """The file's names as the model calls them, by what makes the most names, with their shapes, fit.

    `given`: the file's name -> shape, `wanted`: the model's. Of ways that fit as well the one that changes least; if
    none fits better than the names as they are, nothing is changed.
    """
    as_they_are = Fitted({name: name for name in given}, ())
    best, best_score = as_they_are, _score(as_they_are, given, wanted)
    wrapped = {name: _without_wrappers(name) for name in given}
    forms = [{name: name for name in given}]
    if len(set(wrapped.values())) == len(wrapped) and wrapped != forms[0]:
        forms.append(wrapped)
    for names in forms:
        for off in _prefixes(list(names.values())):
            for on in _prefixes(list(wanted)):
                kept = {old: on + new[len(off) :] for old, new in names.items() if new.startswith(off)}
                tried = Fitted(kept, tuple(name for name in given if name not in kept))
                score = _score(tried, given, wanted)
                if score > best_score:
                    best, best_score = tried, score
    return best


def _score(tried: Fitted, given: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> tuple[int, int]:
    """How many names fit with their shapes, then how many fit at all."""
    there = [(old, new) for old, new in tried.new_names.items() if new in wanted]
    return sum(given[old] == wanted[new] for old, new in there), len(there)


def _prefixes(names: Sequence[str]) -> list[str]:
    """The chains of prefixes that at least half of the names begin with, the empty one first, then the shorter ones."""
    counted: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")[:-1][:_DEEPEST]
        counted.update(".".join(parts[: length + 1]) + "." for length in range(len(parts)))
    return ["", *sorted((prefix for prefix, times in counted.items() if 2 * times >= len(names)), key=len)]


def _without_wrappers(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)
