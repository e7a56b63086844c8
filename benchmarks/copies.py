"""Measures how well `model-copied` separates honest models from disguised copies: prints the table of README.md.

    python benchmarks/copies.py --data reference_solution/classification/data --weights mobilenet_v2-b0353104.pth

Heads are trained on one frozen MobileNetV2, on the same images: 40 with other seeds, optimisers, rates, epochs, batch
sizes, decays, subsets, mirrored images and dropout; 40 with a hidden layer; 40 that differ in the seed alone; and 12
from one seed (shown for comparison; naming these is not a false alarm). Every third is copied in each disguise, and the
copies are added to the class. `--features FILE` keeps the backbone's features between runs. It takes some minutes on
one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.agent.torchvision_ops import declare_missing
from harness.grading.similarity.disguised import Comparable, disguised

declare_missing()

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """`train`: (views, images, 1280), upright and mirrored, with `labels`; `held_out`: (images, 1280)."""

    train: torch.Tensor
    labels: torch.Tensor
    held_out: Array
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """Layers as (weight, bias) with ReLU between them; the last one gives logits."""

    layers: tuple[tuple[Array, Array], ...]

    def answers(self, features: Array) -> Array:
        for weight, bias in self.layers[:-1]:
            features = np.maximum(features @ weight.T + bias, 0)
        logits = features @ self.layers[-1][0].T + self.layers[-1][1]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def features(data: Path, weights: Path) -> Features:
    from PIL import Image
    from torchvision import models, transforms

    network = models.mobilenet_v2()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    network.eval()
    prepared = transforms.Compose(
        [
            *(transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )

    def seen(files: list[Path], mirrored: bool) -> torch.Tensor:
        parts = []
        for start in range(0, len(files), 16):
            images = torch.stack([prepared(Image.open(file).convert("RGB")) for file in files[start : start + 16]])
            with torch.no_grad():
                parts.append(network.features(images.flip(3) if mirrored else images).mean((2, 3)))
        return torch.cat(parts)

    train, held_out = sorted(data.glob("train/*/*")), sorted(data.glob("heldout/*/*"))
    classes = tuple(sorted({file.parent.name for file in train}))
    labels = torch.tensor([classes.index(file.parent.name) for file in train])
    return Features(
        torch.stack([seen(train, False), seen(train, True)]), labels, seen(held_out, False).numpy(), classes
    )


def trained(given: Features, seed: int, hidden: int, varied: bool, first_seed: int | None = None) -> Model:
    """A trained model. `varied`: random hyper-parameters; else Adam, 1e-3, 20 epochs, batches of 32, all images."""
    lot = np.random.default_rng(seed)
    adam = not varied or bool(lot.integers(2))
    rate = float(lot.choice([3e-4, 1e-3, 3e-3] if adam else [1e-3, 1e-2])) if varied else 1e-3
    epochs, batch = (int(lot.choice([5, 10, 20, 40])), int(lot.choice([8, 16, 32, 64]))) if varied else (20, 32)
    decay, share = (float(lot.choice([0, 1e-4, 1e-2])), float(lot.choice([0.8, 0.9, 1.0]))) if varied else (0.0, 1.0)
    dropout, views = (float(lot.choice([0, 0.2, 0.5])), int(lot.integers(1, 3))) if varied else (0.0, 1)
    torch.manual_seed(seed if first_seed is None else first_seed)
    inputs, outputs = given.train.shape[2], len(given.classes)
    first = [nn.Linear(inputs, hidden), nn.ReLU()] if hidden else []
    network = nn.Sequential(*first, nn.Dropout(dropout), nn.Linear(hidden or inputs, outputs))
    torch.manual_seed(seed)
    if adam:
        optimiser: Any = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay)
    else:
        optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=decay)
    kept = torch.randperm(len(given.labels))[: int(share * len(given.labels))]
    for _ in range(epochs):
        for chosen in kept[torch.randperm(len(kept))].split(batch):
            view = torch.randint(0, views, (len(chosen),))
            loss = nn.functional.cross_entropy(network(given.train[view, chosen]), given.labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    return Model(tuple((layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()) for layer in linear))


def _each(change: Callable[[Array], Any]) -> Callable[[Model], Model]:
    return lambda model: Model(tuple((np.asarray(change(w), np.float32), b) for w, b in model.layers))


def noise(strength: float) -> Callable[[Model], Model]:
    random = np.random.default_rng(7)
    return _each(lambda w: w * (1 + strength * random.normal(size=w.shape)))


def pruned(share: float) -> Callable[[Model], Model]:
    return _each(lambda w: np.where(np.abs(w) < np.quantile(np.abs(w), share), 0, w))


def bfloat16(model: Model) -> Model:
    return _each(lambda w: torch.tensor(w).bfloat16().float().numpy())(model)


def scaled(model: Model) -> Model:
    *before, (weight, bias) = model.layers
    return Model((*before, (weight * 1.7, bias * 1.7)))


def permuted(model: Model) -> Model:
    """The model with the channels before its last layer permuted; for a single layer these are the backbone's."""
    *before, (weight, bias) = model.layers
    order = np.random.default_rng(3).permutation(weight.shape[1])
    if before:
        before[-1] = (before[-1][0][order], before[-1][1][order])
    return Model((*before, (weight[:, order], bias)))


DISGUISES: dict[str, Callable[[Model], Model]] = {
    **{f"noise of {strength:.2%}": noise(strength) for strength in (0.0001, 0.001, 0.01, 0.05)},
    **{f"{share:.0%} pruned": pruned(share) for share in (0.3, 0.5, 0.7)},
    "float16": _each(lambda w: w.astype(np.float16)),
    "bfloat16": bfloat16,
    "last layer x 1.7": scaled,
    "permuted": permuted,
    "permuted, noise of 5%": lambda model: noise(0.05)(permuted(model)),
    "30% pruned, noise of 2%": lambda model: noise(0.02)(pruned(0.3)(model)),
}


def comparable(model: Model, given: Features, answers: Model | None = None) -> Comparable:
    """The model for comparing. `answers`: the model to ask, if the backbone of `model` is permuted as well."""
    return Comparable(given.classes, (answers or model).answers(given.held_out), lambda: model.layers[-1][0])


def measured(name: str, models: list[Model], given: Features) -> None:
    everyone = [comparable(model, given) for model in models]
    alarms = sum(found is not None for found in disguised(everyone))
    print(f"| {name} | {len(models)} | {alarms} | |", flush=True)
    victims = range(0, len(models), 3)
    for disguise, change in DISGUISES.items():
        copies = []
        for victim in victims:
            copy = change(models[victim])
            answering = models[victim] if disguise.startswith("permuted") and len(copy.layers) == 1 else None
            copies.append(comparable(copy, given, answering))
        together = disguised([*everyone, *copies])
        in_class = sum(
            seen is not None and victim in seen.others
            for victim, seen in zip(victims, together[len(models) :], strict=True)
        )
        honest = sum(seen is not None for index, seen in enumerate(together[: len(models)]) if index not in victims)
        alone = sum(
            disguised([everyone[victim], copy])[1] is not None for victim, copy in zip(victims, copies, strict=True)
        )
        print(f"| {disguise} | {in_class} of {len(copies)} | {honest} | {alone} of {len(copies)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and heldout/")
    parser.add_argument("--weights", type=Path, required=True, help="torchvision's MobileNetV2")
    parser.add_argument("--features", type=Path, help="file to keep the features in")
    parser.add_argument("--models", type=int, default=40, help="of each kind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.features is not None and options.features.is_file():
        given = Features(*torch.load(options.features, weights_only=False))
    else:
        given = features(options.data, options.weights)
        if options.features is not None:
            torch.save((given.train, given.labels, given.held_out, given.classes), options.features)
    print(
        "| models or disguise | copies found in the class | others named | found without a class |\n|---|---|---|---|"
    )
    count = options.models
    measured("one layer", [trained(given, seed, 0, True) for seed in range(count)], given)
    measured("hidden layer", [trained(given, 1000 + seed, 64, True) for seed in range(count)], given)
    measured("other seeds alone", [trained(given, 2000 + seed, 0, False) for seed in range(count)], given)
    same = [trained(given, 3000 + seed, 0, True, first_seed=0) for seed in range(12)]
    alarms = sum(found is not None for found in disguised([comparable(model, given) for model in same]))
    print(f"| one layer, all from one first seed | {len(same)} | {alarms} | |")


if __name__ == "__main__":
    main()
