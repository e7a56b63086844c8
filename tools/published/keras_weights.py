"""Lists Keras's weights: builds each model of keras.applications, and notes what it would download."""

from __future__ import annotations

import ast
import contextlib
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from tools.published.toml import Entry

_LICENCES = {"vgg": "CC-BY-4.0", "resnet": "MIT", "densenet": "BSD-3-Clause", "convnext": "MIT"}  # of the originals
_OWN_LICENCE = "Apache-2.0"
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
_MODES = {
    "caffe": {"colour": "BGR", "scale": 1.0, "mean": [103.939, 116.779, 123.68], "std": [1.0, 1.0, 1.0]},
    "tf": {"colour": "RGB", "scale": 2 / 255, "mean": [1.0, 1.0, 1.0], "std": [1.0, 1.0, 1.0]},
    "torch": {"colour": "RGB", "scale": 1 / 255} | _IMAGENET,
}
_ALPHAS = {"MobileNet": (0.25, 0.5, 0.75, 1.0), "MobileNetV2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)}
_ROWS = {"MobileNet": (128, 160, 192, 224), "MobileNetV2": (96, 128, 160, 192, 224)}
_V3 = (
    {"alpha": 0.75, "minimalistic": False},
    {"alpha": 1.0, "minimalistic": False},
    {"alpha": 1.0, "minimalistic": True},
)
_TF_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"


class _Asked(Exception):
    """Raised in place of a download, with what the model would download."""

    def __init__(self, file: str, address: str, digest: str) -> None:
        super().__init__(file)
        self.file, self.address, self.digest = file, address, digest


def entries() -> dict[str, Entry]:
    """Each file of each model, with and without its top."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras.src.applications import nasnet
    from keras.src.utils import file_utils

    def note(fname: str, origin: str, file_hash: str | None = None, **_: Any) -> str:
        raise _Asked(fname, origin, file_hash or "")

    models = {name: value for name, value in vars(keras.applications).items() if inspect.isfunction(value)}
    # NASNetMobile refuses the torch backend by name, but can be built for the name of its file.
    unnamed = patch.object(nasnet, "backend", SimpleNamespace(**vars(nasnet.backend) | {"backend": lambda: ""}))
    with patch.object(file_utils, "get_file", note), unnamed:
        return dict(_entry(name, model, chosen) for name, model in models.items() for chosen in _variants(name))


def _variants(name: str) -> Iterator[dict[str, Any]]:
    """The arguments that choose between a model's files."""
    for top in (True, False):
        if name in _ROWS:
            for alpha in _ALPHAS[name]:
                for rows in _ROWS[name]:
                    yield {"include_top": top, "alpha": alpha, "rows": rows}
        elif name.startswith("MobileNetV3"):
            for chosen in _V3:
                yield {"include_top": top} | chosen
        else:
            yield {"include_top": top}


def _entry(name: str, model: Any, chosen: dict[str, Any]) -> tuple[str, Entry]:
    import keras

    options = {key: value for key, value in chosen.items() if key != "rows"}
    if "rows" in chosen:
        options["input_shape"] = (chosen["rows"], chosen["rows"], 3)
    try:
        with keras.device("meta"), contextlib.redirect_stdout(None):  # no numbers; only layers choose the file
            model(weights="imagenet", **options)
    except _Asked as asked:
        said = ", ".join(f"{key}={value}" for key, value in chosen.items())
        about = f"Keras' {name} ({said}), ImageNet"
        module = inspect.getsource(inspect.getmodule(model))
        entry = _file(asked.file, asked.address, asked.digest, name, about, f"keras.applications.{name}({said})")
        if mode := re.search(r'mode="(caffe|tf|torch)"', module):
            entry["trained_on"] = _MODES[mode[1]]
        return _name(name, chosen), entry
    raise AssertionError(f"{name} {chosen} asks for no file")


def _name(model: str, chosen: dict[str, Any]) -> str:
    """The entry's name: keras_mobilenet_v2_notop; with other arguments, keras_mobilenet_v2_0_5_160_notop."""
    words = ["keras", _words(model)]
    if chosen.get("alpha", 1.0) != 1.0 or chosen.get("rows", 224) != 224:
        words += [str(chosen["alpha"]).replace(".", "_"), *([str(chosen["rows"])] if "rows" in chosen else [])]
    words += [*(["minimalistic"] if chosen.get("minimalistic") else []), *([] if chosen["include_top"] else ["notop"])]
    return "_".join(words)


def _words(model: str) -> str:
    """The model's name in lower case: mobilenet_v2 for MobileNetV2, efficientnet_v2b0, vgg16."""
    return re.sub(r"(?<=[a-z0-9])(V\d)", r"_\1", model).lower()


def _file(file: str, address: str, digest: str, model: str, about: str, ask: str) -> Entry:
    licence = next((one for start, one in _LICENCES.items() if model.lower().startswith(start)), _OWN_LICENCE)
    algorithm = "sha256" if len(digest) == 64 else "md5"
    return {
        "file": file,
        **({algorithm: digest} if digest else {"no_hash": True}),
        "licence": licence,
        "about": about,
        "place": "keras",
        "asked_as": [ask],
        "sources": [{"url": address}],
    }


def only_in_tf_keras(wheel: Path) -> dict[str, Entry]:
    """RegNet and ResNet-RS, which Keras 3 lacks. The code is read as text: importing tf-keras needs TensorFlow."""
    applications = wheel / "tf_keras" / "src" / "applications"
    regnet, resnet_rs = _constants(applications / "regnet.py"), _constants(applications / "resnet_rs.py")
    found = {}
    for key, digests in regnet["WEIGHTS_HASHES"].items():  # "x002" -> with the top, without
        for top, digest in zip((True, False), digests, strict=True):
            file = f"regnet{key}{'' if top else '_notop'}.h5"
            address = f"{_TF_KERAS}/regnet/{file}"
            found[f"keras_regnet{key}{'' if top else '_notop'}"] = _old(
                f"RegNet{key.upper()}", top, file, address, digest
            )
    for depth, sizes in resnet_rs["DEPTH_TO_WEIGHT_VARIANTS"].items():
        for size in sizes:
            for top in (True, False):
                file = f"resnet-rs-{depth}-i{size}{'' if top else '_notop'}.h5"
                name = f"keras_resnetrs{depth}_i{size}{'' if top else '_notop'}"
                address, digest = f"{_TF_KERAS}/resnet_rs/{file}", resnet_rs["WEIGHT_HASHES"][file]
                found[name] = _old(f"ResNetRS{depth}", top, file, address, digest, f", imagenet-i{size}")
                if size == max(sizes):  # the default for "imagenet"
                    found[name]["asked_as"] += [f"keras.applications.ResNetRS{depth}(include_top={top})"]
    return found


def _old(model: str, top: bool, file: str, address: str, digest: str, more: str = "") -> Entry:
    said = f"{model}(include_top={top}{more})"
    entry = _file(file, address, digest, model, f"tf-keras' {said}, ImageNet", f"keras.applications.{said}")
    return entry | {"licence": _OWN_LICENCE}  # ResNet-RS has no layer from the original ResNet's authors


def _constants(module: Path) -> dict[str, Any]:
    """The constants that a module assigns."""
    found = {}
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                found[node.targets[0].id] = ast.literal_eval(node.value)
    return found
