"""What a binary file of a machine learning library is: its framework, and whether it is a model, weights or data."""

from __future__ import annotations

import io
import mmap
import pickletools
import struct
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from . import zip_models
from .zip_file import DIRECTORY, directory_bytes
from .zip_models import model_in

_MOST_MEMBERS = 100_000  # of a zip
_PICKLED = 64 << 20  # bytes of a pickle that are read
_MOST_OPERATIONS = 2_000_000  # of a pickle that are looked at; a model has some 100,000
_TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before 1.6
_DAMAGED = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, struct.error)
# Names that a pickle imports -> what made it; the first that fits. Modules of torch and torchvision come last, since a
# model of another library is built of them too.
_MAKERS = (
    ("ultralytics", ("ultralytics.", "models.yolo.", "models.common.")),
    ("fastai", ("fastai.", "fastcore.", "fasttransform.", "fastai2.")),
    ("sklearn", ("sklearn.", "xgboost.", "lightgbm.")),
    ("pickled-keras", ("keras.", "tensorflow.", "tf_keras.")),
)
_MODULES = ("torch.nn.modules.", "torchvision.models.", "torch.fx.", "timm.")
_TENSORS = ("torch._utils.", "torch.FloatStorage", "torch.storage.", "torch.Tensor", "torch._tensor.")
_OF_ZIPS = {
    zip_models.TORCH: "torch",
    zip_models.TORCH_EXPORT: "torch-export",
    zip_models.KERAS: "keras",
    zip_models.ARRAYS: "numpy",
    zip_models.DOCUMENT: "document",
}


class _Pickled(NamedTuple):
    """What a pickle refers to: `module.name` of everything that it imports, and its first strings."""

    names: frozenset[str]
    strings: tuple[str, ...]


def of_zip(file: Path) -> str:
    """The kind of a file that begins as a zip."""
    try:
        if directory_bytes(file) > DIRECTORY:
            return "archive"
        with zipfile.ZipFile(file) as archive:
            names = tuple(archive.namelist()[:_MOST_MEMBERS])
            if (kind := of_members(names)) != "torch":
                return kind
            member = next(name for name in names if PurePosixPath(name).name == "data.pkl")
            with archive.open(member) as stream:
                return _of_objects([stream.read(_PICKLED)])
    except _DAMAGED:
        return "cut-off"


def of_members(names: tuple[str, ...]) -> str:
    """What a zip with members of these names is; `torch` for a file of torch.save, `archive` for no model."""
    model = model_in(names)
    if model == zip_models.TORCH and any(PurePosixPath(name).name == "constants.pkl" for name in names):
        return "torchscript"
    return _OF_ZIPS.get(model or "", "archive")


def of_hdf5(content: mmap.mmap) -> str:
    """The kind of an HDF5 file: only names are looked for, which stand in it as they are."""
    if _hdf5_end(content) > len(content):
        return "cut-off"
    if content.find(b"model_config") >= 0:
        return "hdf5-model"
    marks = (b"layer_names\x00", b"_layer_checkpoint_dependencies", b"optimizer_weights\x00")
    if any(content.find(mark) >= 0 for mark in marks) or (
        content.find(b"layers\x00") >= 0 and content.find(b"vars\x00") >= 0
    ):
        return "keras-weights"
    return "hdf5-data"


def _hdf5_end(content: mmap.mmap) -> int:
    """Where the file ends by its superblock, in bytes; 0 where that does not say."""
    version = content[8] if len(content) > 8 else 255
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(version)
    if place is None or len(content) < place + 8:
        return 0
    return int.from_bytes(content[place : place + 8], "little")


def of_pickle(content: mmap.mmap) -> str:
    """The kind of a pickle, or of a file of torch before 1.6, which is several in a row."""
    start = content[:_PICKLED]
    if not start.startswith(_TORCH_MAGIC):
        return _of_objects([start])
    return _of_objects(list(_in_a_row(start)))


def _in_a_row(start: bytes) -> Iterator[bytes]:
    """The four pickles at the beginning: magic number, protocol, system, and the object."""
    position = 0
    for _ in range(4):
        yield start[position:]
        try:
            *_, (_, _, last) = pickletools.genops(start[position:])
        except (ValueError, IndexError, EOFError, UnicodeDecodeError, struct.error):
            return
        position += (last or 0) + 1


def _of_objects(pickles: list[bytes]) -> str:
    names: set[str] = set()
    strings: list[str] = []
    for one in pickles:
        found = _looked_into(one)
        names |= found.names
        strings += found.strings
    for kind, starts in _MAKERS:
        if any(name.startswith(starts) for name in names):
            return kind
    if any(name.startswith(_MODULES) for name in names):
        return "torch-module"
    if any(name.startswith(_TENSORS) for name in names):
        if any(name.startswith("__main__.") for name in names):
            return "torch-module"
        return "torch-lightning" if "pytorch-lightning_version" in strings else "torch-weights"
    if {"loss", "accuracy", "val_loss", "val_accuracy", "acc", "val_acc"}.intersection(strings):
        return "history"
    return "pickle"


def _looked_into(pickled: bytes) -> _Pickled:
    """What the pickle would import; of a damaged one, what stands before the damage. Nothing is imported."""
    names: set[str] = set()
    strings: list[str] = []
    try:
        for opcode, argument, _ in islice(pickletools.genops(io.BytesIO(pickled)), _MOST_OPERATIONS):
            if opcode.name in ("GLOBAL", "INST"):
                names.add(str(argument).replace(" ", ".", 1))
            elif opcode.name == "STACK_GLOBAL" and len(strings) >= 2:
                names.add(".".join(strings[-2:]))
            elif isinstance(argument, str):
                strings.append(argument)
    except (ValueError, IndexError, EOFError, UnicodeDecodeError, struct.error):
        pass
    return _Pickled(frozenset(names), tuple(strings))


def of_protobuf(content: mmap.mmap, name: str) -> str | None:
    """The kind of a file in one of the protobuf forms; None where it is none of them."""
    if _is_onnx(content):
        return "onnx"
    if name.lower().endswith(".mlmodel"):
        return "coreml"
    if not name.lower().endswith(".pb"):
        return None
    return "saved-model" if name.lower() == "saved_model.pb" else "frozen-graph"


def _is_onnx(content: mmap.mmap) -> bool:
    """Whether it begins as an ONNX ModelProto: the fields up to the graph have the right types.

    Only the tags are read, so a truncated file is still recognised as ONNX.
    """
    wires = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
    seen = set[int]()
    position = 0
    while (read := _varint(content, position)) is not None:
        tag, position = read
        field, wire = tag >> 3, tag & 7
        if wires.get(field) != wire:
            return False
        seen.add(field)
        following = _varint(content, position)
        if following is None or field == 7:
            break
        value, position = following
        if wire == 2:
            position += value
    return 7 in seen or {1, 8} <= seen


def _varint(content: mmap.mmap, position: int) -> tuple[int, int] | None:
    """The variable-length integer there, and the place after it; None at the end, or where it has over 64 bits."""
    value = 0
    for index in range(10):
        if position + index >= len(content):
            return None
        byte = content[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    return None
