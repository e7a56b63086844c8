"""What a Keras file says of itself: its version, its layers, and settings that the Keras here does not know."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..phases.error_text import one_sentence
from .model_file import is_hdf5

_DEEPEST = 60  # parts in parts
_NAMED = 60  # characters of a name that are repeated
# Settings that every layer takes without naming them, and what a model's description has beside settings.
_OF_ALL = {
    "name", "dtype", "trainable", "batch_input_shape", "batch_shape", "input_shape", "autocast", "input_dtype",
    "activity_regularizer", "layers", "input_layers", "output_layers", "build_input_shape", "build_config",
}  # fmt: skip
_HUB = "KerasLayer"  # tensorflow_hub's only layer
_OWN = "build the model of Keras' own layers, or save it as ONNX"
_UNKNOWN = re.compile(
    r"(?:Could not locate (?:class|function)|Could not deserialize|Unknown (?:layer|object|function)):? *"
    r"['\"]?([\w.>]+)"
)
_PARSED = (OSError, KeyError, ValueError, AttributeError, RecursionError, zipfile.BadZipFile)


def version(file: Path) -> str:
    """The Keras that wrote the file; empty where it does not say."""
    try:
        if is_hdf5(file):
            import h5py

            with h5py.File(file, "r") as stored:
                given = stored.attrs.get("keras_version", "")
            return (given.decode() if isinstance(given, bytes) else str(given))[:_NAMED]
        with zipfile.ZipFile(file) as archive:
            return str(json.loads(archive.read("metadata.json")).get("keras_version", ""))[:_NAMED]
    except _PARSED:
        return ""


def changed(file: Path, change: Callable[[Any], Any]) -> None:
    """Replace the model's description in place by what `change` makes of it."""
    if is_hdf5(file):
        import h5py

        with h5py.File(file, "r+") as stored:
            if "model_config" in stored.attrs:
                stored.attrs["model_config"] = json.dumps(change(json.loads(stored.attrs["model_config"])))
        return
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members["config.json"] = json.dumps(change(json.loads(members["config.json"]))).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def layer_of_a_hub(file: Path) -> bool:
    """Whether a layer of the model is one of TensorFlow Hub."""
    return any(part.get("class_name") == _HUB or "tensorflow_hub" in str(part.get("module")) for part in _parts(file))


def without_unknown_settings(file: Path) -> tuple[str, ...]:
    """Take out settings that the Keras here does not know where they are null, false or empty; which those were."""
    found: list[str] = []

    def change(config: Any) -> Any:
        for part in _inside(config):
            for key in _unknown(part):
                if _is_nothing(part["config"][key]):
                    del part["config"][key]
                    found.append(_named(part, key))
        return config

    changed(file, change)
    return tuple(dict.fromkeys(found))


def why_not(file: Path, error: BaseException, here: str) -> str:
    """Why Keras of the version `here` cannot load the file, and what to do."""
    text = str(error)
    said = one_sentence(_cause(text), 140)
    if isinstance(error, OSError) and ("truncated file" in text or "signature" in text or "bad object" in text):
        return "the file is cut off or damaged; save or upload it again"
    wrote = version(file)
    by = f", and Keras {wrote} wrote it" if wrote and wrote != here else ""
    if (
        unknown := []
        if wrote.startswith("2.")
        else [_named(part, key) for part in _parts(file) for key in _unknown(part)]
    ):
        return f"Keras {here}, which is here, does not know the setting {unknown[0]}{by}; save it as ONNX"
    found = _UNKNOWN.search(text)
    missing = found[1].rpartition(">")[2][:_NAMED] if found else ""
    if _is_newer(wrote, here):
        what = f"has no {missing}" if missing else f"cannot read it ({said})"
        return (
            f"it was written by Keras {wrote}, which is newer than the {here} that is here and {what}; save it as ONNX"
        )
    if missing:
        return f"it has a layer or function of its own, {missing}, whose code is not in the file; {_OWN}"
    if any(part.get("class_name") == "Lambda" for part in _parts(file)):
        return f"it has a Lambda layer, whose Python code does not run here ({said}); {_OWN}"
    return f"Keras cannot load it ({said}); save it again with model.save('model.keras'), or as ONNX"


def _cause(text: str) -> str:
    """What Keras says after a dumped configuration."""
    return text.rpartition("Exception encountered: ")[2]


def _parts(file: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = []
        if is_hdf5(file):
            import h5py

            with h5py.File(file, "r") as stored:
                config = json.loads(stored.attrs["model_config"])
        else:
            with zipfile.ZipFile(file) as archive:
                config = json.loads(archive.read("config.json"))
        found.extend(_inside(config))
    except _PARSED:
        return []
    return found


def _inside(part: Any, depth: int = _DEEPEST) -> Iterator[dict[str, Any]]:
    """Each object of the description that has a class and settings."""
    if not depth:
        return
    if isinstance(part, dict):
        if isinstance(part.get("config"), dict) and isinstance(part.get("class_name"), str):
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _inside(inner, depth - 1)


def _unknown(part: dict[str, Any]) -> list[str]:
    """The settings that the object's class, one of Keras', does not take."""
    kind = _class(part)
    if kind is None:
        return []
    known = set(_OF_ALL)
    for one in kind.__mro__:
        with suppress(ValueError, TypeError):  # of a class that is written in C
            known.update(inspect.signature(one.__init__).parameters)
    return [key for key in part["config"] if key not in known]


def _class(part: dict[str, Any]) -> Any:
    module, name = part.get("module") or "keras.layers", part["class_name"]
    if not (isinstance(module, str) and module.partition(".")[0] == "keras"):
        return None
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None
    return found if inspect.isclass(found) else None


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, (str, list, dict)) and not value)


def _named(part: dict[str, Any], key: str) -> str:
    return f"{key[:_NAMED]} of {part['class_name'][:_NAMED]}"


def _is_newer(wrote: str, here: str) -> bool:
    numbers = [tuple(int(n) for n in re.findall(r"\d+", text)[:2]) for text in (wrote, here)]
    return numbers[0] > numbers[1]
