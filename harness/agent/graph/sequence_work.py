"""Multiply-adds of operators with several matrix products inside: recurrent layers, Einsum and Attention.

Formulas follow the operators' definitions (github.com/onnx/onnx, docs/Operators.md); elementwise work, a softmax or
peepholes say, is left out, as it is of every other operator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .shapes import Shape

SEQUENCE = ("LSTM", "GRU", "RNN", "Einsum", "Attention")
_HEADS_APART = 4  # dimensions of Attention's inputs: batch, heads, positions, numbers; with 3 the heads are together
_PAST_KEYS = 4  # Attention's input with the keys of earlier positions


def names(node: Any) -> list[str]:
    """The inputs whose shapes `sequence_multiply_adds` needs."""
    if node.op_type == "Einsum":
        return list(node.input)
    places = (0, 1, 2, _PAST_KEYS) if node.op_type == "Attention" else (0, 1, 2)
    return [node.input[place] for place in places if place < len(node.input) and node.input[place]]


def sequence_multiply_adds(node: Any, shapes: Mapping[str, Shape]) -> int | None:
    """Multiply-adds of a node in `SEQUENCE`; None where a shape is not known or they do not fit together."""
    given = [shapes.get(name) for name in names(node)]
    known = [shape for shape in given if shape is not None]
    if len(known) < len(given):
        return None
    try:
        if node.op_type == "Einsum":
            equation = next(a.s.decode() for a in node.attribute if a.name == "equation")
            return einsum(equation, known)
        return _attention(node, known) if node.op_type == "Attention" else _recurrent(*known[:3])
    except (ValueError, IndexError, KeyError, StopIteration, ZeroDivisionError):  # shapes that no engine runs
        return None


def _recurrent(sequence: Shape, inputs: Shape, states: Shape) -> int:
    """Each gate of each direction multiplies the input and the last state: positions x batch x (|W| + |R|).

    `sequence`: X, positions and batch in either order, then numbers. `inputs`: W, (directions, gates x hidden,
    numbers). `states`: R, (directions, gates x hidden, hidden). An LSTM has 4 gates, a GRU 3, an RNN 1.
    """
    return sequence[0] * sequence[1] * (math.prod(inputs) + math.prod(states))


def einsum(equation: str, shapes: Sequence[Shape]) -> int:
    """Products from left to right, as ONNX Runtime takes them: for each pair the product of all its labels' sizes.

    One factor alone is summed or turned, which takes no multiply-adds. Raises `ValueError` or `KeyError`.
    """
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    sizes: dict[str, int] = {}
    labelled = []
    for term, shape in zip(terms, shapes, strict=True):
        labels = _labels(term, len(shape))
        for label, size in zip(labels, shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 1))  # an ellipsis broadcasts sides of 1
        labelled.append(set(labels))
    if arrow:
        kept = set(output.replace("...", ""))
        kept |= {label for label in sizes if label.startswith(".")} if "..." in output else set()
    else:
        kept = {label for label in sizes if inputs.count(label) == 1 or label.startswith(".")}
    total, left = 0, labelled[0]
    for place, right in enumerate(labelled[1:], 1):
        both = left | right
        total += math.prod(sizes[label] for label in both)
        left = both & kept.union(*labelled[place + 1 :])
    return total


def _labels(term: str, dimensions: int) -> list[str]:
    before, dots, after = term.partition("...")
    if not dots:
        return list(before)
    free = dimensions - len(before) - len(after)
    return [
        *before,
        *(f".{place}" for place in range(free, 0, -1)),
        *after,
    ]  # counted from the right, as they broadcast


def _attention(node: Any, shapes: Sequence[Shape]) -> int:
    """Scores, and their product with the values: batch x heads x positions x keys x (numbers of a key and a value)."""
    query, key, value = shapes[:3]
    past = shapes[3][2] if len(shapes) > 3 else 0
    if len(query) == _HEADS_APART:
        batch, heads, positions, size = query
        return batch * heads * positions * (key[2] + past) * (size + value[3])
    heads_of: dict[str, int] = {a.name: a.i for a in node.attribute if a.name.endswith("num_heads")}
    heads, value_heads = heads_of["q_num_heads"], heads_of["kv_num_heads"]
    batch, positions, together = query
    return batch * positions * (key[1] + past) * (together + heads * (value[2] // value_heads))
