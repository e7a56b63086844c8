"""Recognises a model file's format by its content alone; nothing is loaded here."""

from __future__ import annotations

import mmap
import pickletools
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

ACCEPTED = (
    "ONNX, TorchScript, torch.export .pt2, a state dict or safetensors with model.py, a pickled torch model, "
    ".keras, .h5, a SavedModel or .tflite"
)
_TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before 1.6
_PLAIN = (
    "collections.OrderedDict",
    "collections.defaultdict",
    "torch.storage.UntypedStorage",
    "torch.storage.TypedStorage",
    "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
)
_HEADER = 100_000_000  # bytes; the longest header that safetensors allows


def head(file: Path, length: int = 64) -> bytes:
    """The first bytes."""
    with file.open("rb") as stream:
        return stream.read(length)


def zip_members(file: Path) -> tuple[str, ...]:
    """The names in a zip archive; empty when it is not a readable zip."""
    if head(file, 4) != b"PK\x03\x04":
        return ()
    try:
        with zipfile.ZipFile(file) as archive:
            return tuple(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ()


def has_member(file: Path, *ends: str) -> bool:
    """Whether the zip has, for each of `ends`, a member whose path ends so."""
    names = zip_members(file)
    return all(any(f"/{name}".endswith(f"/{end}") for name in names) for end in ends)


def is_hdf5(file: Path) -> bool:
    return head(file, 8) == b"\x89HDF\r\n\x1a\n"


def is_torch_pickle(file: Path) -> bool:
    """Whether `torch.save` or `pickle.dump` wrote it, TorchScript and torch.export excluded."""
    if head(file, 1) == b"\x80":
        return True
    return has_member(file, "data.pkl") and not has_member(file, "constants.pkl")


def is_old_torch(file: Path) -> bool:
    """Whether `torch.save` wrote it in its form before 1.6: several pickles in a row."""
    return head(file, len(_TORCH_MAGIC)) == _TORCH_MAGIC


def is_safetensors(file: Path) -> bool:
    start = head(file, 9)
    if len(start) < 9 or start[8:] != b"{":
        return False
    length = int.from_bytes(start[:8], "little")
    return 2 <= length <= _HEADER


def is_onnx(file: Path) -> bool:
    """Whether it begins as an ONNX ModelProto: the fields up to the graph have the right types.

    Only the tags are read, so a truncated file is still recognised as ONNX.
    """
    kinds = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
    seen = set[int]()
    with file.open("rb") as stream:
        while (tag := _varint(stream)) is not None:
            field, wire = tag >> 3, tag & 7
            if kinds.get(field) != wire:
                return False
            seen.add(field)
            value = _varint(stream)
            if value is None or field == 7:
                break
            if wire == 2:
                stream.seek(value, 1)
    return 7 in seen or {1, 8} <= seen


def _varint(stream: BinaryIO) -> int | None:
    """The next variable-length integer of a protobuf; None at the end, or when it has more than 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None


def pickle_names(file: Path) -> frozenset[str]:
    """Every `module.name` that the pickle would import. Nothing is imported.

    Of a damaged pickle, the names before the damage.
    """
    found = set[str]()
    for stream in _pickles(file):
        strings: list[str] = []
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in ("GLOBAL", "INST"):
                    found.add(str(argument).replace(" ", ".", 1))
                elif opcode.name == "STACK_GLOBAL" and len(strings) >= 2:
                    found.add(".".join(strings[-2:]))
                elif isinstance(argument, str):
                    strings.append(argument)
        except (ValueError, IndexError, EOFError, UnicodeDecodeError, struct.error):
            continue
    return frozenset(found)


def _pickles(file: Path) -> Iterator[bytes]:
    """The pickle streams in the file that describe the saved object."""
    if names := zip_members(file):
        data = next((name for name in names if f"/{name}".endswith("/data.pkl")), None)
        if data is None:
            return
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive.read(data)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            return
        return
    content = file.read_bytes()
    if not content.startswith(_TORCH_MAGIC):
        yield content
        return
    position = 0
    for index in range(4):  # magic, protocol, system, object
        try:
            *_, (_, _, last) = pickletools.genops(content[position:])
        except (ValueError, IndexError, EOFError):
            yield content[position:]
            return
        if index == 3:
            yield content[position:]
        position += (last or 0) + 1


def is_plain_state(file: Path) -> bool:
    """Whether a pickle holds only tensors and containers: a state dict, or a checkpoint with one."""
    return all(_is_plain(name) for name in pickle_names(file))


def _is_plain(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if module == "torch":
        return attribute.endswith("Storage") or attribute in ("device", "Size", "dtype")
    if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "_codecs", "builtins"):
        return attribute in ("_reconstruct", "ndarray", "dtype", "scalar", "encode", "set")
    return f"{module}.{attribute}" in _PLAIN or module == "torch._utils"


def may_be_model(file: Path) -> bool:
    """Whether the beginning is that of a model's file other than ONNX, whatever it is called. Raises nothing."""
    try:
        start = head(file, 16)
        if start[:8] == b"\x89HDF\r\n\x1a\n" or start[4:8] == b"TFL3" or start.startswith(_TORCH_MAGIC[:8]):
            return True
        if start[:4] == b"PK\x03\x04":
            names = {PurePosixPath(name).name for name in zip_members(file)}
            return bool(names & {"data.pkl", "model.weights.h5", "serialized_exported_program.json", "archive_format"})
        return is_safetensors(file)
    except OSError:
        return False


def is_weights(file: Path) -> bool:
    """Whether the file holds a torch or Keras model's weights and not the model. Raises nothing."""
    try:
        if is_hdf5(file):
            with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.find(b"model_config") < 0
        start = head(file, 16)
        is_torch = start.startswith(_TORCH_MAGIC[:8]) or has_member(file, "data.pkl")
        return is_torch and is_torch_pickle(file) and is_plain_state(file)
    except (OSError, ValueError):
        return False


def describe(file: Path) -> str:
    """Why the file has none of the known formats, and what to do."""
    start = head(file, 512)
    if start.lstrip()[:1] == b"<" or start.startswith(b"version https://git-lfs"):
        return "it is a web page or a Git LFS pointer, not the model; download the model itself"
    if start[:4] == b"PK\x03\x04":
        if not zip_members(file):
            return "the file is cut off or damaged; save or upload it again"
        return f"it is a zip archive but no model; accepted are {ACCEPTED}"
    return f"it is none of the accepted formats; save it as one of them: {ACCEPTED}"
