"""A network as columns of numbers about its kernels, for the latency model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.kernels import KernelKind, KernelList

KINDS: tuple[str, ...] = get_args(KernelKind)
_INDEX = {kind: index for index, kind in enumerate(KINDS)}
_SPECIAL = ("depthwise", "grouped", "product")
_A_FEW, _MANY = 0.02, 0.2  # of the arithmetic kernels
BYTES: dict[Precision, int] = {"fp32": 4, "fp16": 2, "int8": 1}

Column = NDArray[np.float64]


class Row(NamedTuple):
    """A row of architectures.csv."""

    kind: str
    shape: tuple[int, ...]
    operations: int
    inputs: int
    weights: int
    outputs: int
    nodes: int
    order: int  # its work grows with the image's area to this power
    alike: int  # how many equal kernels it represents


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Columns with one entry per kernel; `count` equal kernels share an entry."""

    kind: NDArray[np.int64]  # index into KINDS
    operations: Column
    activations: Column  # elements read and written
    weights: Column  # elements
    outputs: Column  # elements
    nodes: Column
    narrow: Column  # 8 / input channels + 8 / output channels of a convolution: the unused part of a tile
    count: Column
    signature: dict[tuple[str, tuple[int, ...]], float]  # (kind, shape of the weights) -> multiply-adds

    @staticmethod
    def scaled(rows: Sequence[Row], area: float) -> Network:
        """The network for an image with `area` times as many pixels as the rows were counted for."""
        grown = np.array([area**row.order for row in rows])
        signature: dict[tuple[str, tuple[int, ...]], float] = {}
        for row, factor in zip(rows, grown, strict=True):
            if row.shape and row.operations:
                key = (row.kind, _without_classes(row.kind, row.shape))
                signature[key] = signature.get(key, 0.0) + row.operations * factor * row.alike / 2
        return Network(
            np.array([_INDEX[row.kind] for row in rows]),
            np.array([row.operations for row in rows]) * grown,
            np.array([row.inputs + row.outputs for row in rows]) * grown,
            np.array([float(row.weights) for row in rows]),
            np.maximum(1.0, np.array([row.outputs for row in rows]) * grown),
            np.array([float(row.nodes) for row in rows]),
            np.array([_narrowness(row) for row in rows]),
            np.array([float(row.alike) for row in rows]),
            signature,
        )

    @staticmethod
    def of(kernels: KernelList) -> Network:
        """A model's own kernels, one entry each, in their order."""
        rows = [
            Row(k.kind, k.shape, k.operations, k.inputs, k.weights, k.outputs, k.nodes, 1, 1) for k in kernels.kernels
        ]
        return Network.scaled(rows, 1.0)

    def bytes(self, precision: Precision) -> Column:
        """The fewest bytes that each kernel can move."""
        return (self.activations + self.weights) * BYTES[precision]

    def bytes_unfused(self, precision: Precision) -> Column:
        """The same without fusion: every operator writes its result, and the next one reads it."""
        between = 2 * self.outputs * np.maximum(self.nodes - 1, 0)
        return (self.activations + self.weights + between) * BYTES[precision]

    @property
    def multiply_adds(self) -> float:
        counted = self.kind <= _INDEX["product"]
        return float((self.operations * self.count)[counted].sum() / 2)

    @property
    def special_layers(self) -> frozenset[str]:
        """The kinds of arithmetic kernels that not every network has, if they do more than a few percent of them."""
        return self._kinds_with(_A_FEW)

    @property
    def mostly_special(self) -> bool:
        """Whether a kind that not every network has is one of its main ones."""
        return bool(self._kinds_with(_MANY))

    def _kinds_with(self, share: float) -> frozenset[str]:
        counts = np.bincount(self.kind, self.count, len(KINDS))
        arithmetic = counts[: _INDEX["product"] + 1].sum()
        return frozenset(kind for kind in _SPECIAL if counts[_INDEX[kind]] >= max(share * arithmetic, 1))

    def total_bytes(self, precision: Precision) -> float:
        return float((self.bytes(precision) * self.count).sum())


def _narrowness(row: Row) -> float:
    if row.kind not in ("convolution", "pointwise", "grouped") or len(row.shape) < 2:
        return 0.0
    return 8 / max(1, row.shape[0]) + 8 / max(1, row.shape[1])


def _without_classes(kind: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A dense layer's shape without its number of outputs, which a new head changes."""
    return tuple(sorted(shape)[-1:]) if kind == "dense" else shape


def likeness(one: Network, other: Network) -> float:
    """The share of work in layers of the same kind and shape, 0 to 1, independent of the image's size."""
    whole, its = sum(one.signature.values()), sum(other.signature.values())
    if not whole or not its:
        return 0.0
    return sum(min(work / whole, other.signature.get(key, 0.0) / its) for key, work in one.signature.items())
