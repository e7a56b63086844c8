"""Whether a graph's answers depend on the backbone whose weights it holds: by path, activations and answers.

Weights in the file prove nothing, nor does an operator that reads them, nor answers that change with them: another
network can carry a backbone along, sum its weights, and change its answers when the sum is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from ..models.loaded_model import Unusable
from .ablation import Exchange, Shuffle, carries_the_answer, constant, matters, unmoved
from .activations import agreement, given_weights
from .backbone_path import Passages, Use, backbone_path
from .backbones import Backbone, Layer, unrelated, view_like
from .layout import layout
from .multiply_adds import weights

Why = Literal[
    "", "read-as-data", "not-carried", "no-effect", "activations-differ", "unusual-graph", "same-answers", "not-run",
    "shared",
]  # fmt: skip

_FEW = 0.25  # share of the layers that may be off the path before the backbone counts as unused
_SILENT = 0.1  # share of the layers that may leave the answers unchanged: some of EfficientNet's gates nearly do
_PARTS = 4  # of the backbone; each is searched for a passage
_AGREES = 0.3  # correlation with the pre-trained activations; layers that changed by half of their norm keep 0.9


@dataclass(frozen=True, slots=True)
class BackboneUse:
    """`used` is None where it is not known. `why`: the evidence against use."""

    used: bool | None
    why: Why = ""


def backbone_use(
    model: Any,
    backbone: Backbone,
    layers: Sequence[Layer],
    input: str,
    batch: NDArray[Any],
    together: bool,
    threads: int,
) -> BackboneUse:
    """Whether the answers to `batch` depend on those of the `layers` that have a counterpart in the model."""
    tensors = weights(model)
    # Dynamic quantisation takes its scale of all images that it is asked together.
    together = together and all(node.op_type != "DynamicQuantizeLinear" for node in model.graph.node)
    path = backbone_path(model, [x.counterpart for x in layers if x.counterpart], input, tensors)
    by_weight = {layer.counterpart: layer for layer in layers if layer.counterpart}
    near = {name for name, layer in by_weight.items() if not unrelated(layer)}
    off = near.intersection(path.read_as_data)
    if len(off) > _FEW * len(near):
        return BackboneUse(False, "read-as-data")
    uses = [use for use in path.uses if use.weight in near]
    try:
        given = given_weights(model, uses, tensors)
        shuffle = Shuffle(model, uses, given, input, threads)
        answers = shuffle.answers(batch, together)
        if constant(answers):
            return BackboneUse(None, "same-answers")
        all_matter, dead = matters(shuffle, len(uses), batch, together)
        del shuffle
        exchange = Exchange(model, uses, [tensor.dtype for tensor in given], input, threads)
        passages = Passages(model, uses, input).spread_out(_PARTS)
        carries = carries_the_answer(exchange, passages, batch, answers)
        dead |= unmoved(exchange, len(uses), batch)
        del exchange
        alone = _is_compressed(near, by_weight) and not layout(model, tensors, near, input).beside
        if carries == "a part" and layout(model, tensors, near, input).beside:
            return BackboneUse(None, "shared") if all_matter else BackboneUse(False, "no-effect")
        if carries != "all":
            return BackboneUse(None if alone else False, "not-carried")
        if not all_matter or len(dead) > _FEW * len(uses):
            return BackboneUse(None if alone else False, "no-effect")
        differing = _differing(model, uses, given, backbone, by_weight, input, batch, threads)
    except Unusable:
        return BackboneUse(None, "not-run")
    if differing:
        return BackboneUse(None, "activations-differ")
    to_the_end = max(layers.start for layers in passages) >= len(uses) // _PARTS
    if off or len(dead) > _SILENT * len(uses) or not to_the_end or not path.plain:
        return BackboneUse(None, "unusual-graph")
    return BackboneUse(True)


def _is_compressed(near: set[str], layers: dict[str, Layer]) -> bool:
    """Whether the layers were rounded or pruned so much that a network may no longer answer by what it sees.

    Such a network carries nothing along unless another one stands beside it.
    """
    return any(layers[name].form == "quantised" or layers[name].zeros > 0 for name in near)


def _differing(
    model: Any,
    uses: Sequence[Use],
    given: Sequence[NDArray[Any]],
    backbone: Backbone,
    layers: dict[str, Layer],
    input: str,
    batch: NDArray[Any],
    threads: int,
) -> list[str]:
    """The layers whose outputs differ from the pre-trained layers' on the same input."""
    moved: list[tuple[Use, NDArray[Any]]] = []
    for use, weight in zip(uses, given, strict=True):
        layer = layers[use.weight]
        if layer.identical or not layer.clear:  # equal weights need no comparison of outputs, and few tell nothing
            continue
        original = view_like(backbone.layers[layer.name], weight)
        if original is not None:
            moved.append((use, original.astype(weight.dtype)))
    if not moved:
        return []
    found = agreement(model, [use for use, _ in moved], [tensor for _, tensor in moved], input, batch, threads)
    return [use.weight for (use, _), value in zip(moved, found, strict=True) if not value >= _AGREES]
