"""Puts the mounted pre-trained weights, and other files given in place of downloads, where libraries look for them.

    /in/weights/hub/checkpoints/   ~/.cache/torch/hub/checkpoints: torch hub, torchvision, timm
    /in/weights/keras/models/      ~/.keras/models: Keras
    /in/weights/downloads/         ~/.cache/downloads/HOST/PATH: what urllib gets at http(s)://HOST/PATH
                                   (`site/sitecustomize.py`), so that each library checks, unpacks and places it itself

The folders are the notebook's own, with links in them: both libraries write beside what they look for.
A file `NAME.h5.safetensors` stands in for the Keras file `NAME.h5` and is written as one: tensors
`<layer>.weight` (OIHW) and `<layer>.bias` become a Keras file of those layers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from ..paths import IN

_PLACES = {"hub/checkpoints": ".cache/torch/hub/checkpoints", "keras/models": ".keras/models"}
_DOWNLOADS = "weights/downloads"  # below /in
_STAND_IN = ".safetensors"
_HEADER = 8  # bytes, before safetensors' own header: its length


def place(home: Path) -> None:
    """Make the links in `home`, the notebook's home folder."""
    for mounted, wanted in _PLACES.items():
        folder = home / wanted
        folder.mkdir(parents=True)
        for file in sorted((IN / "weights" / mounted).glob("*")):
            if mounted.startswith("keras") and file.suffix == _STAND_IN:
                write_keras(read_safetensors(file), folder / file.stem)
            else:
                (folder / file.name).symlink_to(file)
    if (IN / _DOWNLOADS).is_dir():
        (home / ".cache" / "downloads").symlink_to(IN / _DOWNLOADS)


def gives(address: str) -> bool:
    """Whether the file of a download from this address is mounted."""
    parts = urlsplit(address)
    name = f"{parts.netloc}{unquote(parts.path)}"
    return parts.scheme in ("http", "https") and (IN / _DOWNLOADS / name).is_file()


def read_safetensors(file: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a safetensors file, read without the library, which a course's environment may lack."""
    content = np.memmap(file, dtype=np.uint8, mode="r")
    length = int(content[:_HEADER].view("<u8")[0])
    described: dict[str, Any] = json.loads(content[_HEADER : _HEADER + length].tobytes())
    found = {}
    for name, entry in described.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{name} is {entry['dtype']}; weights that stand in are float32")
        begin, end = (_HEADER + length + offset for offset in entry["data_offsets"])
        found[name] = np.frombuffer(content[begin:end].tobytes(), "<f4").reshape(entry["shape"])
    return found


def write_keras(tensors: dict[str, NDArray[np.float32]], file: Path) -> None:
    """Write the convolutions as a file of weights that `load_weights` can read by order and by name."""
    import h5py

    layers = sorted({name.rpartition(".")[0] for name in tensors})
    with h5py.File(file, "w") as stored:
        stored.attrs["layer_names"] = [layer.encode() for layer in layers]
        stored.attrs["backend"], stored.attrs["keras_version"] = b"tensorflow", b"2.15.0"
        for layer in layers:
            parts = {
                f"{layer}/kernel:0": tensors[f"{layer}.weight"].transpose(2, 3, 1, 0),
                f"{layer}/bias:0": tensors[f"{layer}.bias"],
            }
            group = stored.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in parts]
            for name, value in parts.items():
                group.create_dataset(name, data=value)
