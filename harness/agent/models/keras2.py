"""Makes Keras 2 files readable for Keras 3: rewrites the model's configuration and leaves its weights."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from .model_file import is_hdf5

_MODELS = ("Functional", "Model")


def is_keras2(file: Path) -> bool:
    """Whether Keras 2 wrote the file, by its version attribute; a file without one counts as Keras 3's."""
    return _version(file).startswith("2.")


def _version(file: Path) -> str:
    try:
        if is_hdf5(file):
            import h5py

            with h5py.File(file, "r") as stored:
                given = stored.attrs.get("keras_version", "")
            return given.decode() if isinstance(given, bytes) else str(given)
        with zipfile.ZipFile(file) as archive:
            return str(json.loads(archive.read("metadata.json")).get("keras_version", ""))
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile):
        return ""


def as_keras3(file: Path) -> None:
    """Rewrite the configuration in place."""
    if is_hdf5(file):
        import h5py

        with h5py.File(file, "r+") as stored:
            if "model_config" in stored.attrs:
                stored.attrs["model_config"] = json.dumps(_rewritten(json.loads(stored.attrs["model_config"])))
        return
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members["config.json"] = json.dumps(_rewritten(json.loads(members["config.json"]))).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


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
