"""What a file is, by its content; its name decides only where contents look alike.

`kind_of` gives a code of `harness/findings/file_kinds.py`, which has the words for each. Nothing is loaded or run.
"""

from __future__ import annotations

import mmap
import os
import re
import stat
from pathlib import Path

from .model_kinds import of_hdf5, of_pickle, of_protobuf, of_zip
from .sources import READ_PLAIN, Unreadable
from .text_kinds import of_text

_HEAD = 4096  # bytes
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"%PDF-", "document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document"),
    (b"{\\rtf", "document"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\x00", "archive"),
    (b"(\xb5/\xfd", "archive"),
    (b"\x93NUMPY", "numpy"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"SQLite format 3", "data"),
    (b"ptrt", "tensorrt"),
    (b"ftrt", "tensorrt"),
    (b"\x00\x05\x16\x07", "litter"),  # AppleDouble
)
_BRANDS = {b"heic": "image", b"heix": "image", b"mif1": "image", b"avif": "image", b"avis": "image"}
# Contents without a mark of their own, by the only thing that tells them: the suffix.
_BY_SUFFIX = {
    ".engine": "tensorrt",
    ".trt": "tensorrt",
    ".plan": "tensorrt",
    ".mlmodel": "coreml",
    ".caffemodel": "caffe",
    ".weights": "darknet",
    ".params": "mxnet",
    ".pdparams": "paddle",
    ".index": "tf-checkpoint",
    ".meta": "tf-checkpoint",
}
_TF_SHARD = re.compile(r"\.data-\d{5}-of-\d{5}$")
_SAFETENSORS_HEADER = 100_000_000  # bytes; the longest that the format allows


def kinds(folder: str, files: list[str]) -> list[str]:
    """The kind of each of the files below `folder`; `unreadable` for what is no plain file."""
    found = []
    for name in files:
        try:
            found.append(kind_of(Path(folder, name)))
        except (OSError, Unreadable):
            found.append("unreadable")
    return found


def kind_of(file: Path) -> str:
    """The kind of one file. Raises `OSError`, or `Unreadable` for anything but a plain file."""
    handle = os.open(file, READ_PLAIN)
    with os.fdopen(handle, "rb"):
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("it is no plain file")
        if not found.st_size:
            return "empty"
        with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as content:
            return _of(content, file)


def _of(content: mmap.mmap, file: Path) -> str:
    head = content[:_HEAD]
    name, suffix = file.name, file.suffix.lower()
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return of_zip(file)
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return of_hdf5(content)
    if head[4:8] == b"TFL3":
        return "tflite"
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        return of_pickle(content)
    for magic, kind in _MAGIC:
        if head.startswith(magic) and (magic not in (b"BM", b"MZ") or not _is_text(head)):
            return kind
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video")
    if head[:4] == b"RIFF":
        return "image" if head[8:12] == b"WEBP" else "video"
    if _is_safetensors(content):
        return "safetensors"
    if (in_protobuf := of_protobuf(content, name)) is not None:
        return in_protobuf
    if suffix in _BY_SUFFIX and not _is_text(head):
        return _BY_SUFFIX[suffix]
    if _TF_SHARD.search(name):
        return "tf-checkpoint"
    if _is_text(head):
        return of_text(content, name)
    return "archive" if content[257:262] == b"ustar" else "unrecognised"


def _is_text(head: bytes) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    return not any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)


def _is_safetensors(content: mmap.mmap) -> bool:
    length = int.from_bytes(content[:8], "little")
    return content[8:9] == b"{" and 2 <= length <= min(_SAFETENSORS_HEADER, len(content) - 8)
