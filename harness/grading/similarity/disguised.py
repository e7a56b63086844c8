"""Finds disguised copies: a model with noise, pruned, rounded, scaled, or with its channels reordered.

There are two kinds of evidence. The final layer: its numbers, and its channels in any order, compared with those of
models with as many inputs. The answers: the logits on the held-out images, less what the class has in common. Honest
models of one class are alike in both, because they learn from the same images on the same backbone. So likeness alone
proves nothing: a pair is compared with the class, or must be nearer than any second training gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.findings import sentence
from harness.grading.similarity.likeness import (
    Floats,
    answers,
    centred,
    channels_apart,
    left_in_common,
    products,
    same_numbers,
)

# Measured by benchmarks/copies.py, for honest pairs and for copies with 5 % of noise.
_SAME_NUMBERS = 0.3  # share; honest at most 0.03, pruned or rounded at least 0.9
_COSINE = 0.997  # of final layers; honest at most 0.993, even from one seed; with 5 % of noise 0.9987
_APART = 0.35  # of channels in any order; honest at least 0.5, with 5 % of noise and permuted 0.25
_LEFT = 0.75  # correlation of the remainders; honest at most 0.5, with 5 % of noise at least 0.9

_FEWEST_NUMBERS = 128  # of a final layer: fewer are alike by chance
_FEWEST_CHANNELS = 32  # to compare them in any order
_FEWEST_OTHERS = 8  # models, to know what a class has in common
_FEWEST_IMAGES = 50  # to compare answers
_CONVERGED = 0.99  # cosine of nearly all others with a model, if training leads to one solution
_NEARLY_ALL, _FEWEST_CONVERGED = 0.9, 12  # share of the others, and their least number
_NEAR_ANSWERS = 0.9996  # cosine of answers; nearer models cannot show what a class has in common
_NEAREST = 5  # models that each is compared with in detail, by final layer and by answers
_LONGEST = 2**13  # numbers of each final layer that are in memory for all models at once


@dataclass(frozen=True, slots=True)
class Comparable:
    """A model with its classes in the order of their names."""

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]  # (images, labels); (0, labels) where the images are not the class's
    final_layer: Callable[[], NDArray[np.float32]] | None  # (labels, inputs); loaded when it is looked at


@dataclass(frozen=True, slots=True)
class Disguise:
    """The models that a model is a disguised copy of, and the evidence."""

    others: tuple[int, ...]
    how: str


def disguised(models: Sequence[Comparable]) -> list[Disguise | None]:
    """For each model, the models that it is a disguised copy of, or that are copies of it; None for most.

    Each is compared in detail with its ten nearest, so the time grows linearly with the class; a bounded part of each
    model's final layer is in memory.
    """
    seen: list[dict[int, str]] = [{} for _ in models]
    for i, j, how in _pairs(models):
        seen[i].setdefault(j, how)
        seen[j].setdefault(i, how)
    return [Disguise(tuple(sorted(found)), next(iter(found.values()))) if found else None for found in seen]


def _pairs(models: Sequence[Comparable]) -> Iterator[tuple[int, int, str]]:
    layers = dict(_final_layers(models))
    converged: set[int] = set()
    for members in _groups({index: (models[index].labels, layer.inputs) for index, layer in layers.items()}):
        cosines = products(np.stack([layers[index].short for index in members]))
        alike = _has_converged(cosines)
        converged.update(index for index, is_alike in zip(members, alike, strict=True) if is_alike)
        yield from _by_final_layer(models, members, cosines, alike)
    given = {index: (one.labels, one.probabilities.shape) for index, one in enumerate(models) if _answered(one)}
    for members in _groups(given):
        yield from _by_answers(models, members, {i: one.inputs for i, one in layers.items() if i not in converged})


def _groups(kinds: Mapping[int, object]) -> list[list[int]]:
    together: dict[object, list[int]] = {}
    for index, kind in kinds.items():
        together.setdefault(kind, []).append(index)
    return [members for members in together.values() if len(members) > 1]


@dataclass(frozen=True, slots=True)
class _Layer:
    inputs: int
    short: Floats  # of length 1, at most 8192 numbers that keep angles between layers


def _final_layers(models: Sequence[Comparable]) -> Iterator[tuple[int, _Layer]]:
    for index, one in enumerate(models):
        if one.final_layer is None:
            continue
        weights = one.final_layer()
        if len(weights) == len(one.labels) and weights.size >= _FEWEST_NUMBERS:
            layer = centred(weights)
            if layer.any():
                yield index, _Layer(weights.shape[1], _shortened(layer.reshape(-1)))


def _shortened(flat: Floats) -> Floats:
    """A count sketch (Charikar, Chen and Farach-Colton, 2002): it keeps dot products to within 1 / sqrt(8192)."""
    if len(flat) <= _LONGEST:
        return flat
    random = np.random.default_rng(0)
    places = random.integers(0, _LONGEST, len(flat))
    short = np.bincount(places, weights=flat * random.choice([-1.0, 1.0], len(flat)), minlength=_LONGEST)
    return short / float(np.linalg.norm(short))


def _by_final_layer(
    models: Sequence[Comparable], members: Sequence[int], cosines: Floats, converged: NDArray[np.bool_]
) -> Iterator[tuple[int, int, str]]:
    near = (cosines >= _COSINE) & ~converged[:, None]
    for i, j in _nearest(cosines):
        how = "" if converged[i] or converged[j] else _alike(models[members[i]], models[members[j]])
        left, others = (0.0, 0) if how else left_in_common(cosines, i, j, near)
        if others >= _FEWEST_OTHERS and left >= _LEFT:
            how = f"the final layers have more in common ({left:.2f} of 1) than training on the same images gives"
        if how:
            yield members[i], members[j], how


def _has_converged(cosines: Floats) -> NDArray[np.bool_]:
    """For each model, whether more than 90 % of at least 12 others are nearly equal to it.

    Near equality then is no sign of a copy: training leads everyone to one solution. A simple majority is not enough,
    because a ring of copies can be one.
    """
    others = len(cosines) - 1
    alike = (cosines >= _CONVERGED).sum(axis=1) - 1
    return np.asarray((others >= _FEWEST_CONVERGED) & (alike > _NEARLY_ALL * others))


def _alike(one: Comparable, other: Comparable) -> str:
    """In which way the final layers are certainly the same; empty when they are not."""
    assert one.final_layer is not None and other.final_layer is not None
    first, second = one.final_layer(), other.final_layer()
    if (share := same_numbers(first, second)) >= _SAME_NUMBERS:
        return sentence("copy-same-numbers", share=share)
    mine, theirs = centred(first), centred(second)
    cosine = float((mine * theirs).sum())
    if cosine >= _COSINE:
        return sentence("copy-near-layers", difference=np.sqrt(2 - 2 * cosine))
    if first.shape[1] >= _FEWEST_CHANNELS and channels_apart(mine, theirs) <= _APART:
        return sentence("copy-reordered")
    return ""


def _answered(one: Comparable) -> bool:
    return len(one.probabilities) >= _FEWEST_IMAGES and bool(np.isfinite(one.probabilities).all())


def _by_answers(
    models: Sequence[Comparable], members: Sequence[int], inputs: Mapping[int, int]
) -> Iterator[tuple[int, int, str]]:
    """Pairs, with the evidence in their answers. `inputs`: of final layers, to compare where answers are near."""
    cosines = products(np.stack([answers(models[index].probabilities) for index in members]))
    near = cosines >= _NEAR_ANSWERS
    for i, j in _nearest(cosines):
        one, other = members[i], members[j]
        same_size = inputs.get(one, -1) == inputs.get(other)
        left, others = left_in_common(cosines, i, j, near)
        if others >= _FEWEST_OTHERS and left >= _LEFT:
            yield one, other, sentence("copy-answers-in-common", left=left)
        elif same_size and (how := _alike(models[one], models[other])):
            yield one, other, how


def _nearest(cosines: Floats) -> Iterator[tuple[int, int]]:
    """Each model with its five nearest, each pair once."""
    apart = cosines.copy()
    np.fill_diagonal(apart, -np.inf)
    kept = min(_NEAREST, len(cosines) - 1)
    nearest = np.argpartition(-apart, kept - 1, axis=1)[:, :kept]
    pairs = {(min(i, j), max(i, j)) for i, row in enumerate(nearest.tolist()) for j in row}
    yield from sorted(pairs)
