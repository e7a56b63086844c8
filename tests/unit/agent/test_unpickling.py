"""Torch files with classes that are not here or were renamed: weights load, and no stand-in passes for a model."""

from __future__ import annotations

import argparse
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.agent.models.loaded_model import Unusable
from harness.agent.torchvision_ops import declare_missing

declare_missing()
import torch  # noqa: E402
import torchvision  # noqa: E402
from torch import nn  # noqa: E402

from harness.agent.models.checkpoints import model_or_state  # noqa: E402
from harness.agent.models.unpickling import unpickled  # noqa: E402

STATE = nn.Linear(3, 2).state_dict()


class Settings(dict[str, Any]):
    """A dictionary of a library that is gone."""


class Optimizer:
    """Its state has tensors, too."""

    def __init__(self) -> None:
        self.state = {0: {"exp_avg": torch.ones(9)}}


class Network(nn.Module):
    """A model of a library that is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 2)


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The classes above belong to a library that is there only while a file is written."""
    name = "a_library_that_is_gone"
    module = types.ModuleType(name)
    for kind in (Settings, Optimizer, Network):
        monkeypatch.setattr(kind, "__module__", name)
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, name, module)
    yield name


def read_without(held: Any, file: Path, *names: str) -> Any:
    """What is found in the file when the modules are no more."""
    torch.save(held, file)
    for name in names:
        del sys.modules[name]
    return model_or_state(unpickled(file))


def is_the_state(found: Any) -> bool:
    return list(found) == list(STATE) and all(torch.equal(found[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("key", ["state_dict", "my_weights", "optimal"])
def test_weights_beside_objects_that_are_gone(key: str, gone: str, tmp_path: Path) -> None:
    held = {"cfg": Settings(lr=1), "opt": Optimizer(), "optimizer_state": {"exp_avg": torch.ones(4), "b": torch.ones(1),
            "c": torch.ones(1)}, key: STATE}  # fmt: skip
    assert is_the_state(read_without(held, tmp_path / "f", gone))


def test_weights_in_an_object_that_is_gone(gone: str, tmp_path: Path) -> None:
    """As Lightning's AttributeDict, a dictionary with another name."""
    assert is_the_state(read_without({"inside": Settings(weights=STATE)}, tmp_path / "f", gone))


def test_weights_beside_harmless_extras(tmp_path: Path) -> None:
    held = {"args": argparse.Namespace(lr=0.1, out=Path("/x")), "best": np.float64(0.5), "model": STATE}
    assert is_the_state(read_without(held, tmp_path / "f"))


@pytest.mark.parametrize("held", [STATE, [STATE, {"accuracy": 0.5}], ({"a": 1}, {"deep": {"er": {"state": STATE}}})])
def test_weights_wherever_they_are(held: Any, tmp_path: Path) -> None:
    assert is_the_state(read_without(held, tmp_path / "f"))


@pytest.mark.parametrize("how", ["alone", "under a key", "as an average", "in a Sequential", "in DataParallel"])
def test_a_model_that_is_gone_is_named(how: str, gone: str, tmp_path: Path) -> None:
    network = Network()
    held = {
        "alone": network, "under a key": {"model": network, "opt": Optimizer()},
        "in a Sequential": nn.Sequential(network),
        "as an average": {"model": None, "ema": network}, "in DataParallel": nn.DataParallel(network),
    }[how]  # fmt: skip
    with pytest.raises(Unusable, match=f"made with {gone}"):
        read_without(held, tmp_path / "f", gone)


def test_a_history_is_neither(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="neither a model nor a state dict"):
        read_without({"loss": [0.5, 0.4], "accuracy": [0.1, 0.2]}, tmp_path / "f")


@pytest.mark.parametrize("cut", [100, 900])
def test_a_cut_off_file_is_said_in_our_words(cut: int, tmp_path: Path) -> None:
    torch.save(nn.Linear(300, 200), tmp_path / "f")
    (tmp_path / "f").write_bytes((tmp_path / "f").read_bytes()[:-cut])
    with pytest.raises(Unusable, match=r"^the file is cut off or damaged; save or upload it again$"):
        unpickled(tmp_path / "f")


def test_wrappers_are_taken_off_the_model_and_its_parts(tmp_path: Path) -> None:
    inner = nn.Sequential(nn.DataParallel(nn.Linear(3, 3)), nn.ReLU())
    outer = nn.DataParallel(torch.compile(inner))
    outer.device_ids, outer.output_device, outer.src_device_obj = [0, 1], 0, torch.device("cuda:0")
    found = read_without(outer, tmp_path / "f")
    assert [type(part).__name__ for part in found.modules()] == ["Sequential", "Linear", "ReLU"]
    assert torch.equal(found(torch.ones(1, 3)), inner(torch.ones(1, 3)))


def test_a_plain_pickle_of_a_wrapped_model(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(pickle.dumps(nn.DataParallel(nn.Linear(3, 2))))
    assert isinstance(model_or_state(unpickled(tmp_path / "f")), nn.Linear)


def test_torchvisions_old_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ConvBNReLU and InvertedResidual, in torchvision.models.mobilenet: as of 2020."""
    now = torchvision.ops.misc.Conv2dNormActivation
    old = types.ModuleType("torchvision.models.mobilenet")
    kind = type("ConvBNReLU", (nn.Sequential,), {"__module__": old.__name__})
    old.ConvBNReLU = kind  # type: ignore[attr-defined]
    before = sys.modules[old.__name__]
    monkeypatch.setitem(sys.modules, old.__name__, old)
    torch.save(nn.Sequential(kind(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU6())), tmp_path / "f")
    monkeypatch.setitem(sys.modules, old.__name__, before)
    found = model_or_state(unpickled(tmp_path / "f")).eval()
    assert isinstance(found[0], now) and found(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 6, 6)


@pytest.mark.parametrize("name", ["alexnet", "densenet121", "gelu"])
def test_modules_of_an_older_torch_answer(name: str, tmp_path: Path) -> None:
    """Without the attributes and parts that came later."""
    if name == "gelu":
        model: Any = nn.Sequential(nn.GELU(), nn.Upsample(scale_factor=2), nn.AvgPool2d(2))
        for part in model:
            for later in ("approximate", "recompute_scale_factor", "divisor_override"):
                part.__dict__.pop(later, None)
    else:
        model = getattr(torchvision.models, name)(weights=None)
        model._modules.pop("avgpool", None)
        for part in model.modules():
            part.__dict__.pop("memory_efficient", None)
    torch.save(model, tmp_path / "f")
    found = model_or_state(unpickled(tmp_path / "f")).eval()
    side = 4 if name == "gelu" else 224
    assert found(torch.zeros(1, 3, side, side)).ndim in (2, 4)
