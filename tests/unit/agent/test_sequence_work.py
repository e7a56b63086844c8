"""Multiply-adds of recurrent layers, Einsum and Attention, against torch's own counter and closed forms."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from harness.agent.graph.multiply_adds import work
from harness.agent.graph.onnx_model import signature
from harness.agent.graph.sequence_work import einsum
from harness.agent.torchvision_ops import declare_missing

declare_missing()

SIDE, INPUTS, HIDDEN = 16, 48, 5  # rows of an image are the positions


class Rows(nn.Module):
    """Reads an image row by row."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Any) -> Any:
        return self.layer(x.permute(0, 2, 3, 1).flatten(2))[0][:, -1]


def counted(graph: Any) -> tuple[int, tuple[str, ...]]:
    done = work(graph, signature(graph), SIDE, SIDE)
    return done.multiply_adds, done.uncounted


@pytest.mark.parametrize("is_two_way", [False, True])
@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_recurrent_layers(kind: Any, gates: int, is_two_way: bool) -> None:
    """Positions x directions x gates x hidden x (inputs + hidden); the second layer sees both directions."""
    layer = kind(INPUTS, HIDDEN, num_layers=2, batch_first=True, bidirectional=is_two_way)
    stream = io.BytesIO()
    torch.onnx.export(Rows(layer).eval(), (torch.zeros(1, 3, SIDE, SIDE),), stream, dynamo=False)
    ways = 1 + is_two_way
    expected = sum(SIDE * ways * gates * HIDDEN * (inputs + HIDDEN) for inputs in (INPUTS, ways * HIDDEN))
    assert counted(onnx.load_from_string(stream.getvalue())) == (expected, ())


def test_a_recurrent_layer_is_counted_as_torch_counts_its_cells() -> None:
    cell = nn.LSTMCell(INPUTS, HIDDEN)
    with FlopCounterMode(display=False) as counter:
        state = None
        for row in torch.zeros(SIDE, 1, INPUTS):
            state = cell(row, state)
    layer = nn.LSTM(INPUTS, HIDDEN, batch_first=True)
    stream = io.BytesIO()
    torch.onnx.export(Rows(layer).eval(), (torch.zeros(1, 3, SIDE, SIDE),), stream, dynamo=False)
    assert 2 * counted(onnx.load_from_string(stream.getvalue()))[0] == counter.get_total_flops()


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(4, 5), (5, 6)]),
        ("bhqd,bhkd->bhqk", [(2, 3, 7, 8), (2, 3, 9, 8)]),
        ("bhqk,bhkd->bqhd", [(2, 3, 7, 9), (2, 3, 9, 8)]),
        ("nchw,oc->nohw", [(2, 3, 4, 4), (6, 3)]),
        ("...ij,...jk->...ik", [(2, 1, 4, 5), (3, 5, 6)]),
        ("ij,jk", [(4, 5), (5, 6)]),
        ("ab,bc,cd->ad", [(3, 4), (4, 5), (5, 6)]),
    ],
)
def test_einsum_is_counted_as_torch_counts_it(equation: str, shapes: list[tuple[int, ...]]) -> None:
    with FlopCounterMode(display=False) as counter:
        torch.einsum(equation, *(torch.zeros(shape) for shape in shapes))
    assert 2 * einsum(equation, shapes) == counter.get_total_flops()


def test_an_einsum_of_one_factor_multiplies_nothing() -> None:
    assert einsum("ijk->ki", [(3, 4, 5)]) == 0


def attention(query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], **heads: int) -> Any:
    """Attention whose query is made of the image; keys and values are the file's."""
    make, numbers = onnx.helper.make_node, onnx.numpy_helper.from_array
    nodes = [
        make("Reshape", ["x", "all"], ["flat"]), make("Slice", ["flat", "zero", "size"], ["part"]),
        make("Reshape", ["part", "shape"], ["query"]), make("Attention", ["query", "key", "value"], ["y"], **heads),
    ]  # fmt: skip
    stored = [
        numbers(np.array([-1]), "all"), numbers(np.array([0]), "zero"), numbers(np.array([math.prod(query)]), "size"),
        numbers(np.array(query), "shape"), numbers(np.ones(key, np.float32), "key"),
        numbers(np.ones(value, np.float32), "value"),
    ]  # fmt: skip
    x = onnx.helper.make_tensor_value_info("x", 1, (1, 3, SIDE, SIDE))
    graph = onnx.helper.make_graph(nodes, "g", [x], [onnx.helper.make_tensor_value_info("y", 1, None)], stored)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)


@pytest.mark.parametrize("are_heads_together", [False, True])
def test_attention_is_counted_as_torch_counts_it(are_heads_together: bool) -> None:
    heads, positions, keys, size, value_size = 2, 7, 9, 8, 6
    query, key, value = ((1, heads, *rest) for rest in ((positions, size), (keys, size), (keys, value_size)))
    with FlopCounterMode(display=False) as counter:
        scores = torch.zeros(query) @ torch.zeros(key).mT
        _ = scores.softmax(-1) @ torch.zeros(value)
    if are_heads_together:
        query, key, value = ((1, count, heads * last) for _, _, count, last in (query, key, value))
        graph = attention(query, key, value, q_num_heads=heads, kv_num_heads=heads)
    else:
        graph = attention(query, key, value)
    assert (2 * counted(graph)[0], counted(graph)[1]) == (counter.get_total_flops(), ())


def test_heads_that_share_keys_and_values_are_all_counted() -> None:
    """Grouped queries: 4 heads over 2 pairs of keys and values, 4 x 7 x 9 x (8 + 8)."""
    graph = attention((1, 7, 32), (1, 9, 16), (1, 9, 16), q_num_heads=4, kv_num_heads=2)
    assert counted(graph) == (4 * 7 * 9 * 16, ())
