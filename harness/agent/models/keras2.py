"""Makes Keras 2 files readable for Keras 3: rewrites the model's configuration and leaves its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .keras_config import changed, version

_MODELS = ("Functional", "Model")


def is_keras2(file: Path) -> bool:
    """Whether Keras 2 wrote the file, by its version attribute; a file without one counts as Keras 3's."""
    return version(file).startswith("2.")


def as_keras3(file: Path) -> None:
    """Rewrite the configuration in place."""
    changed(file, _rewritten)


def _rewritten(part: Any) -> Any:
    if isinstance(part, list):
        return [_rewritten(item) for item in part]
    if not isinstance(part, dict):
        return part
    part = {key: _rewritten(value) for key, value in part.items()}
    kind, config = part.get("class_name"), part.get("config")
    if isinstance(config, dict):
        if kind == "DepthwiseConv2D":
            config.pop("groups", None)
        if str(kind).startswith("Random"):
            config.pop("rng_type", None)
        if kind == "BatchNormalization" and isinstance(config.get("axis"), list):
            config["axis"] = config["axis"][0]
        if kind in _MODELS and "layers" in config:
            part["class_name"] = "Functional"
            if "module" in part:
                part["module"] = "keras.src.models.functional"
            _renumber(config)
    return part


def _renumber(config: dict[str, Any]) -> None:
    """Renumber calls: Keras 2 counts a nested model's own call as node 0, Keras 3 does not."""
    nested = {
        layer["config"]["name"] for layer in config["layers"] if layer.get("class_name") in (*_MODELS, "Sequential")
    }

    def shift(reference: Any) -> None:
        if not isinstance(reference, list):
            return
        if len(reference) >= 3 and isinstance(reference[0], str) and isinstance(reference[1], int):
            reference[1] -= reference[0] in nested
        else:
            for inner in reference:
                shift(inner)

    for layer in config["layers"]:
        shift(layer.get("inbound_nodes", []))
    for key in ("input_layers", "output_layers"):
        if key in config:
            shift(config[key])
            if len(config[key]) == 1 and isinstance(config[key][0], list):
                config[key] = config[key][0]
