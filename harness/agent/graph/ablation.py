"""Whether a graph's answers depend on its backbone: exchange its layers' outputs, and shuffle their weights.

Both change only the path from the pixels to the classes: a node on the path gets the changed tensor, and any other
reader of the weight, a sum say, gets the original.

- Exchange: the graph gets image i, and some consecutive layers output what they gave for image j. If the backbone
  decides the classes, the answer becomes j's. A network beside the backbone still answers i; one that notices the
  change gives neither answer.
- Shuffle: when a layer's weights are in another order, the answers must change.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..models.loaded_model import as_rows, is_probabilities
from .backbone_path import Use
from .onnx_running import open_model, run_model

# Change of the answers, relative to how much they differ from image to image. Shuffling a quarter of a backbone that
# is used gives 0.5 to 3; of one that is only carried along, 0 to 0.01.
_SMALLEST = 0.1
_PARTS = 4  # of the backbone, in the order of its layers; each has to change the answers
_SAME = 1e-9  # spread of a probability from image to image that counts as none
_DEAD = 1e-4  # change below which a single layer does not matter: rounding gives 1e-6
_LEAST = 1e-12  # probability; float32 keeps no smaller one beside 1
_PAIRS = 4  # image pairs for the exchange
_NEAR = (
    0.25  # distance from i's answer, relative to that from i's to j's: above it the backbone does a part of the work
)
_BETWEEN = 1.0  # distance from j's answer; what notices the change answers neither, and lies farther away
_FAR = 0.5  # distance from j's answer, relative to that from i's: below it the backbone does most of the work

Tensor = NDArray[Any]


def constant(answers: NDArray[np.float64]) -> bool:
    """Whether the answers are the same for all images, so that no test can tell anything."""
    return float(np.abs(answers - answers.mean(axis=0)).mean()) <= _SAME


class Exchange:
    """The graph with a switch behind each use of a weight: it passes on the node's own output, or a given one."""

    def __init__(self, model: Any, uses: Sequence[Use], dtypes: Sequence[Any], input: str, threads: int) -> None:
        """`dtypes`: the type of each use's weight. Raises `Unusable` when the changed graph does not run."""
        import onnx

        graph_model = onnx.ModelProto()
        graph_model.CopyFrom(model)
        graph, self._key = graph_model.graph, secrets.token_hex(8)
        self._input, self._answer, self._uses = input, graph.output[0].name, len(uses)
        kinds = [onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) for dtype in dtypes]
        switches: dict[int, list[Any]] = {}
        for k, use in enumerate(uses):
            node = graph.node[use.node]
            output, node.output[0] = node.output[0], self._name("own", k)
            taken = [self._name("switch", k), self._name("given", k), self._name("own", k)]
            switches.setdefault(use.node, []).append(onnx.helper.make_node("Where", taken, [output]))
            graph.input.append(onnx.helper.make_tensor_value_info(taken[0], onnx.TensorProto.BOOL, []))
            graph.input.append(onnx.helper.make_tensor_value_info(taken[1], kinds[k], None))
            graph.output.append(onnx.helper.make_tensor_value_info(taken[2], kinds[k], None))
        nodes = [one for index, node in enumerate(graph.node) for one in (node, *switches.get(index, ()))]
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del graph.node[:]
        graph.node.extend(copies)
        self._own = {self._name("given", k): np.zeros((), dtype) for k, dtype in enumerate(dtypes)}
        self._session = open_model(graph_model, threads)

    def _name(self, what: str, k: int) -> str:
        return f"{what} {k} {self._key}"

    def answer(self, image: Tensor, given: Mapping[int, Tensor]) -> NDArray[np.float64]:
        """The answer for one image, shape (1, classes), with the outputs of the uses in `given` replaced."""
        feeds = {self._input: image, **self._own}
        feeds |= {self._name("switch", k): np.array(k in given) for k in range(self._uses)}
        feeds |= {self._name("given", k): tensor for k, tensor in given.items()}
        return _scores(run_model(self._session, [self._answer], feeds)[0], 1)

    def outputs(self, image: Tensor) -> list[Tensor]:
        """The output of each use for one image."""
        feeds = {self._input: image, **self._own}
        feeds |= {self._name("switch", k): np.array(False) for k in range(self._uses)}
        return run_model(self._session, [self._name("own", k) for k in range(self._uses)], feeds)


def carries_the_answer(
    graph: Exchange, passages: Sequence[range], batch: Tensor, answers: NDArray[np.float64]
) -> Literal["all", "a part", "nothing"]:
    """What of the classes follows from what passes through each of the `passages`. Raises `Unusable`."""
    to_other: list[list[float]] = [[] for _ in passages]
    to_own: list[list[float]] = [[] for _ in passages]
    for i in range(min(_PAIRS, len(batch))):
        apart = np.linalg.norm(answers - answers[i], axis=1)
        j = int(apart.argmax())
        if apart[j] <= _SAME:
            continue
        seen = graph.outputs(batch[j : j + 1])
        for place, layers in enumerate(passages):
            row = graph.answer(batch[i : i + 1], {k: seen[k] for k in layers})[0]
            for found, whose in ((to_other, j), (to_own, i)):
                far = float(np.linalg.norm(row - answers[whose])) / float(apart[j])
                found[place].append(far if np.isfinite(far) else float("inf"))
    if all(found and float(np.median(found)) < _FAR for found in to_other):
        return "all"
    shared = all(
        other and float(np.median(other)) < _BETWEEN and _NEAR < float(np.median(own)) < np.inf
        for other, own in zip(to_other, to_own, strict=True)
    )
    return "a part" if shared else "nothing"


def unmoved(graph: Exchange, uses: int, batch: Tensor) -> set[int]:
    """The uses whose output is the same for every image, so does not depend on the pixels. Raises `Unusable`."""
    first, second = (graph.outputs(batch[i : i + 1]) for i in (0, 1))
    found = set()
    for k in range(uses):
        one, other = first[k].astype(np.float64), second[k].astype(np.float64)
        size = float(np.abs(one).mean())
        if one.shape == other.shape and float(np.abs(one - other).mean()) <= _DEAD * size:
            found.add(k)
    return found


class Shuffle:
    """The graph with the weight of each use as a separate input."""

    def __init__(self, model: Any, uses: Sequence[Use], weights: Sequence[Tensor], input: str, threads: int) -> None:
        """`weights`: the tensor for each use. Raises `Unusable` when the changed graph does not run."""
        import onnx

        opened = onnx.ModelProto()
        opened.CopyFrom(model)
        key = secrets.token_hex(8)
        self._names = [f"weight {k} {key}" for k in range(len(uses))]
        for name, use, tensor in zip(self._names, uses, weights, strict=True):
            opened.graph.node[use.node].input[use.position] = name
            kind = onnx.helper.np_dtype_to_tensor_dtype(tensor.dtype)
            opened.graph.input.append(onnx.helper.make_tensor_value_info(name, kind, tensor.shape))
        self._weights, self._input, self._random = list(weights), input, np.random.default_rng(secrets.randbits(64))
        self._session = open_model(opened, threads)

    def answers(self, batch: Tensor, together: bool, shuffled: Sequence[int] = ()) -> NDArray[np.float64]:
        """The answers to a batch, with the weights of the uses `shuffled` in another order."""
        feeds = dict(zip(self._names, self._weights, strict=True))
        for k in shuffled:
            tensor = self._weights[k]
            feeds[self._names[k]] = self._random.permutation(tensor.reshape(-1)).reshape(tensor.shape)
        batches = [batch] if together else [batch[i : i + 1] for i in range(len(batch))]
        return np.concatenate(
            [_scores(run_model(self._session, None, {self._input: one, **feeds})[0], len(one)) for one in batches]
        )


def matters(graph: Shuffle, uses: int, batch: Tensor, together: bool) -> tuple[bool, set[int]]:
    """Whether each quarter of the layers changes the answers, and the single layers that do not change them at all.

    Raises `Unusable`.
    """
    whole = graph.answers(batch, together)
    spread = float(np.abs(whole - whole.mean(axis=0)).mean())
    parts = np.array_split(np.arange(uses), min(_PARTS, max(1, uses)))
    changes = [_change(lambda part=part: graph.answers(batch, together, part), whole) for part in parts]  # type: ignore[misc]
    one = batch[:1]
    first = graph.answers(one, together)
    dead = {
        k
        for k in range(uses)
        if _change(lambda k=k: graph.answers(one, together, [k]), first) <= _DEAD * spread  # type: ignore[misc]
    }
    return all(change >= _SMALLEST * spread for change in changes), dead


def _change(answer: Callable[[], NDArray[np.float64]], whole: NDArray[np.float64]) -> float:
    change = np.abs(answer() - whole)
    return float(change.mean()) if np.isfinite(change).all() else float("inf")


def _scores(answer: Tensor, images: int) -> NDArray[np.float64]:
    """The answers; probabilities as logarithms, because a confident answer hides small changes."""
    rows = as_rows(answer, images)
    scores = rows.astype(np.float64)
    return np.log(np.maximum(scores, _LEAST)) if is_probabilities(rows) else scores
