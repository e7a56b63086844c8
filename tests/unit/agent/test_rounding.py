"""Which numbers are a pre-trained layer's that were rounded or pruned, and which are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.agent.graph.rounding import kept

RANDOM = np.random.default_rng(0)
CONV = RANDOM.standard_t(6, (64, 32, 3, 3)).astype(np.float32) * np.float32(0.05)
DEPTHWISE = RANDOM.normal(0, 0.3, (64, 1, 3, 3)).astype(np.float32)
OTHER = RANDOM.normal(0, 0.05, CONV.shape).astype(np.float32)
FACTORS = RANDOM.choice([-1.0, 1.0], (64, 1, 1, 1)) * RANDOM.uniform(0.2, 3, (64, 1, 1, 1))
LAYERS = {"convolution": CONV, "depthwise": DEPTHWISE}


def quantised(w: Any, bits: int, by_channel: bool) -> tuple[Any, Any]:
    """Symmetric minimum and maximum: the dequantised numbers and their step."""
    largest = np.abs(w).max(axis=(1, 2, 3), keepdims=True) if by_channel else np.abs(w).max()
    step = np.broadcast_to(largest / (2 ** (bits - 1) - 1), w.shape).astype(np.float32)
    return (np.round(w / step) * step).astype(np.float32), step


def pruned(w: Any, share: float) -> Any:
    return np.where(np.abs(w) < np.quantile(np.abs(w), share), 0, w).astype(np.float32)


def bfloat16(w: Any) -> Any:
    import torch

    return torch.from_numpy(np.asarray(w, np.float32)).bfloat16().float().numpy()


def float16(w: Any) -> Any:
    return np.asarray(w, np.float32).astype(np.float16).astype(np.float32)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("by_channel", [False, True])
@pytest.mark.parametrize("is_known", [False, True])
def test_eight_bits_are_recognised_by_their_step_or_by_the_values(name: str, by_channel: bool, is_known: bool) -> None:
    found, step = quantised((LAYERS[name] * FACTORS).astype(np.float32), 8, by_channel)
    one = kept(LAYERS[name], found, step if is_known else None)
    assert one is not None and (one.form, one.zeros, one.clear) == ("quantised", 0.0, True)


def test_a_grid_is_recognised_after_a_batch_norm_was_folded_in() -> None:
    found, _ = quantised(CONV, 8, by_channel=True)
    one = kept(CONV, (found * FACTORS).astype(np.float32), None)
    assert one is not None and (one.form, one.clear) == ("quantised", True)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("rounded", [float16, bfloat16])
@pytest.mark.parametrize("order", ["rounded", "folded, then rounded", "rounded, then folded"])
def test_half_precision_is_recognised_wherever_batch_norm_was_folded(name: str, rounded: Any, order: str) -> None:
    w = LAYERS[name]
    found = {
        "rounded": rounded(w),
        "folded, then rounded": rounded(w * FACTORS),
        "rounded, then folded": rounded(w) * FACTORS.astype(np.float32),
    }[order]
    one = kept(w, found, None)
    assert one is not None and (one.form, one.zeros, one.clear) == ("half", 0.0, True)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_what_pruning_left_is_compared(share: float) -> None:
    one = kept(CONV, pruned(CONV, share), None)
    assert one is not None and (one.form, one.clear) == ("", True)
    assert one.zeros == pytest.approx(share, abs=0.01)


def test_channels_that_were_set_to_zero_are_pruned() -> None:
    found = pruned(CONV, 0.2)
    found[::3] = 0
    one = kept(CONV, found, None)
    assert one is not None and one.clear and one.zeros == pytest.approx(np.mean(found == 0), abs=0.001)


def test_pruned_and_then_quantised_is_both() -> None:
    found, step = quantised((pruned(CONV, 0.5) * FACTORS).astype(np.float32), 8, by_channel=True)
    one = kept(CONV, found, step)
    assert one is not None and (one.form, one.clear) == ("quantised", True)
    assert one.zeros == pytest.approx(0.5, abs=0.03)


# --- what is no evidence -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.01, 0.1])
@pytest.mark.parametrize("bits", [0, 8])
def test_a_layer_that_was_trained_is_not_kept(size: float, bits: int) -> None:
    found = CONV + RANDOM.normal(0, size * CONV.std(), CONV.shape).astype(np.float32)
    step = None
    if bits:
        found, step = quantised(found, bits, by_channel=True)
    assert kept(CONV, found, step) is None
    assert kept(CONV, pruned(found, 0.3), step) is None


@pytest.mark.parametrize("found", [OTHER, float16(OTHER), pruned(OTHER, 0.5), pruned(OTHER, 0.9)])
def test_another_layer_is_not_kept(found: Any) -> None:
    assert kept(CONV, found, None) is None


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_another_layer_is_not_kept_however_it_is_quantised(bits: int) -> None:
    for by_channel in (False, True):
        one = kept(CONV, *quantised(OTHER, bits, by_channel))
        assert one is None or not one.clear


def test_steps_as_large_as_the_weights_prove_nothing() -> None:
    """With a step of eight standard deviations every number of every layer rounds to nothing or one step."""
    step = np.full(CONV.shape, 8 * CONV.std(), np.float32)
    for source in (CONV, OTHER):
        one = kept(CONV, (np.round(source / step) * step).astype(np.float32), step)
        assert one is None or not one.clear
    assert not getattr(kept(CONV, OTHER, step), "clear", False), "a step that the file merely claims"
    coarse = kept(CONV, *quantised(CONV, 2, by_channel=True))
    assert coarse is not None and not coarse.clear


def test_numbers_that_are_nearly_all_zero_prove_nothing() -> None:
    one = kept(CONV, pruned(CONV, 0.99), None)
    assert one is not None and not one.clear


def test_one_number_for_each_channel_proves_nothing() -> None:
    """Any number is some factor times the pre-trained one."""
    found = np.zeros_like(CONV)
    found[:, 0, 0, 0] = RANDOM.normal(0, 1, len(CONV))
    one = kept(CONV, found, None)
    assert one is None or not one.clear


@pytest.mark.parametrize("name", LAYERS)
def test_a_few_real_channels_do_not_hide_others_of_single_steps(name: str) -> None:
    """The others hold -1, 0 and 1 step, drawn at random: small beside the layer, and a network of their own."""
    w = LAYERS[name]
    step = np.full(w.shape, 0.1, np.float32)
    found = RANDOM.choice([-1.0, 0.0, 1.0], w.shape)
    found[:8] = np.round(20 * w[:8] / step[:8])
    one = kept(w, (found * step).astype(np.float32), step)
    assert one is None or not one.clear
