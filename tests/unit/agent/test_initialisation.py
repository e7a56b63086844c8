"""An output layer that no training has touched is told from one that was trained."""

from __future__ import annotations

import numpy as np
import pytest

from harness.agent.graph.initialisation import Head, initialised_as, structure

torch = pytest.importorskip("torch")


def as_head(layer: torch.nn.Linear) -> Head:
    bias = None if layer.bias is None else layer.bias.detach().numpy()
    return Head(layer.weight.detach().numpy(), bias)


@pytest.mark.parametrize(("inputs", "outputs"), [(1280, 5), (512, 3), (25088, 10)])
def test_torch_and_torchvision_and_keras(inputs: int, outputs: int) -> None:
    torch.manual_seed(3)
    layer = torch.nn.Linear(inputs, outputs)
    assert initialised_as(as_head(layer)) == "torch's Linear"
    torch.nn.init.normal_(layer.weight, 0, 0.01)
    torch.nn.init.zeros_(layer.bias)
    assert initialised_as(as_head(layer)) == "normal, 0.01"
    torch.nn.init.xavier_uniform_(layer.weight)
    assert initialised_as(as_head(layer)) == "Keras' Dense (Glorot uniform)"
    torch.nn.init.zeros_(layer.weight)
    assert initialised_as(as_head(layer)) == "one number throughout"


def test_a_head_that_was_trained_is_none_of_them() -> None:
    """Thirty steps of Adam at the usual rate, on features that say something of the class."""
    torch.manual_seed(0)
    truth = torch.arange(60) % 5
    features = torch.relu(torch.randn(5, 1280)[truth] + 0.5 * torch.randn(60, 1280))
    layer = torch.nn.Linear(1280, 5)
    optimiser = torch.optim.Adam(layer.parameters(), 1e-3)
    for _ in range(30):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(layer(features), truth).backward()
        optimiser.step()
    assert initialised_as(as_head(layer)) == ""


def test_weights_at_random_use_all_inputs_alike_whatever_was_folded_into_them() -> None:
    random = np.random.default_rng(0)
    tensors = {str(i): random.normal(0, 0.1, (64, 64, 3, 3)).astype(np.float32) for i in range(4)}
    factor = random.uniform(0.01, 5, (64, 1, 1, 1)).astype(np.float32)
    for weights in (tensors, {name: tensor * factor for name, tensor in tensors.items()}):
        found = structure(weights)
        assert found is not None and 0.8 < found < 1.2
    importance = random.uniform(0.2, 2, (1, 64, 1, 1)).astype(np.float32)
    learnt = structure({name: tensor * importance for name, tensor in tensors.items()})
    assert learnt is not None and learnt > 2
