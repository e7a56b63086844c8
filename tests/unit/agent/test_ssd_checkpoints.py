"""A checkpoint's network and classes are told by its tensors alone; what fits none is named, and no code runs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.agent.models.loaded_model import Unusable
from harness.agent.ssd.checkpoint import from_state, read
from harness.agent.ssd.detector import Detector
from harness.agent.ssd.networks import NETWORKS
from harness.agent.ssd.recognition import recognised

Shapes = dict[str, tuple[int, ...]]


def shapes(name: str, classes: int) -> Shapes:
    with torch.device("meta"):
        return {key: tuple(tensor.shape) for key, tensor in Detector(NETWORKS[name], classes).state_dict().items()}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return Detector(NETWORKS["sq-ssd-lite"], classes=3).state_dict()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("classes", [1, 2, 6])
def test_each_network_is_recognised(name: str, classes: int) -> None:
    found = recognised(shapes(name, classes))
    assert found is not None and (found.network.name, found.classes) == (name, classes)
    wrapped = recognised({f"model.module.{key}": shape for key, shape in shapes(name, classes).items()})
    assert wrapped is not None and (wrapped.network.name, wrapped.classes) == (name, classes)


def damaged(change: str) -> Shapes:
    good = shapes("mb1-ssd", 3)
    if change == "no extras":
        return {key: shape for key, shape in good.items() if not key.startswith("extras.2")}
    if change == "base only":
        return {key: shape for key, shape in good.items() if key.startswith("base_net")}
    if change == "head of other":
        return good | {"classification_headers.3.bias": (36,)}
    if change == "head of vgg":
        return good | {"regression_headers.0.weight": (16, 512, 3, 3)}
    if change == "more":
        return good | {"embedding.weight": (3, 3)}
    if change == "head only":
        return {key: shape for key, shape in good.items() if "headers.0" in key}
    return {key: (6 * 10**7, *shape[1:]) if key.startswith("class") else shape for key, shape in good.items()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "no extras",
            "resemble mb1-ssd of jetson-inference, but lack extras.2.0.weight, extras.2.0.bias, extras.2.2.w",
        ),
        ("base only", "resemble mb1-ssd of jetson-inference, but lack"),
        ("head of other", "headers.3.bias is 36 in the file and 24 in the network for 3 classes and BACKGROUND"),
        ("head of vgg", "regression_headers.0.weight is 16 x 512 x 3 x 3 in the file and 24 x 512 x 3 x 3 in the netw"),
        ("more", "hold embedding.weight, which it does not have"),
        ("head only", "but lack base_net.0.0.weight"),
        ("a million classes", "score 9,999,999 classes, and at most 1,000 are taken"),
    ],
)
def test_what_does_not_fit_is_named(change: str, said: str) -> None:
    with pytest.raises(Unusable) as raised:
        recognised(damaged(change))
    assert said in str(raised.value) and len(str(raised.value)) < 400


def test_background_alone_is_no_detector() -> None:
    with pytest.raises(Unusable, match="score nothing but BACKGROUND"):
        recognised(shapes("vgg16-ssd", 0))


@pytest.mark.parametrize("given", [{}, {"fc.weight": (5, 512), "fc.bias": (5,)}])
def test_a_classifier_resembles_none(given: Shapes) -> None:
    assert recognised(given) is None


def test_a_checkpoint_answers_as_the_detector_that_was_saved(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    saved = Detector(NETWORKS["sq-ssd-lite"], classes=3)
    saved.load_state_dict(state)
    image = torch.linspace(-1, 1, 270_000).reshape(1, 3, 300, 300)
    with torch.inference_mode():
        wanted = saved.eval()(image)
    for held in (state, {"epoch": 3, "model": {f"module.{key}": value for key, value in state.items()}}):
        torch.save(held, tmp_path / "sq-ssd-lite-Epoch-3-Loss-2.5.pth")
        found = read(tmp_path / "sq-ssd-lite-Epoch-3-Loss-2.5.pth")
        assert not found.training
        with torch.inference_mode():
            assert all(map(torch.equal, found(image), wanted))


def test_counters_that_old_versions_did_not_save_are_not_missed() -> None:
    torch.manual_seed(1)
    state = Detector(NETWORKS["mb2-ssd-lite"], classes=2).state_dict()
    old = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    found = from_state(old)
    assert found is not None and torch.equal(
        found.state_dict()["extras.0.conv.0.weight"], state["extras.0.conv.0.weight"]
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.full((128,), torch.nan), "extras.3.0.bias holds NaN or infinity, so the training has diverged"),
        (torch.zeros(128, dtype=torch.int64), "extras.3.0.bias is no plain tensor"),
        (torch.zeros(128).to_sparse(), "extras.3.0.bias is no plain tensor"),
    ],
)
def test_weights_that_are_no_numbers(state: dict[str, torch.Tensor], value: torch.Tensor, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        from_state(state | {"extras.3.0.bias": value})


class Runs:
    def __reduce__(self) -> Any:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("how", ["code", "cut off", "text", "another"])
def test_a_file_that_is_no_checkpoint(
    how: str, state: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mb1-ssd-Epoch-1-Loss-2.pth"
    torch.save({"code": {**state, "x": Runs()}, "another": {"fc.weight": torch.zeros(2, 2)}}.get(how, state), file)
    if how == "cut off":
        file.write_bytes(file.read_bytes()[:-5000])
    if how == "text":
        file.write_bytes(pickle.dumps("no weights"))
    said = {"code": "holds more than weights", "another": "none of the networks"}.get(how, "damaged|neither a model")
    with pytest.raises(Unusable, match=said):
        read(file)
    assert not (tmp_path / "ran").exists()
