"""What a text file is: a notebook, a pointer, a page saved in place of a file, a model's description."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Mapping
from pathlib import Path

_READ = 8 << 20  # bytes of a text that are looked at; of JSON, that are parsed
_START = 64 << 10  # bytes at the beginning, where a page says what it is
_POINTER_BYTES = 4096
_LFS = re.compile(rb"^version https?://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/", re.MULTILINE)
_CONFLICT = (b"\n<<<<<<< ", b"\n=======", b"\n>>>>>>> ")
_NOTEBOOK_PAGE = (b"jp-Notebook", b"nbconvert", b"jupyter", b"ipython_notebook", b"colab-df-container")
_CELL_MARK = re.compile(rb"^# (?:In\[[\d ]*\]:|%%|<codecell>)", re.MULTILINE)
_PLAIN = {
    ".py": "python", ".csv": "table", ".tsv": "table", ".yaml": "text", ".yml": "text", ".md": "text", ".txt": "text",
    ".prototxt": "caffe", ".cfg": "darknet", ".pbtxt": "frozen-graph", ".r": "program", ".m": "program",
    ".js": "program", ".ts": "program", ".sh": "program", ".css": "program",
}  # fmt: skip
# Keys at the top of a JSON file -> what it is; the first that fits.
_JSON = (
    ("notebook", {"cells", "nbformat"}),
    ("notebook", {"worksheets", "nbformat"}),
    ("tfjs", {"modelTopology"}),
    ("tfjs", {"weightsManifest"}),
    ("tfjs-metadata", {"tfjsVersion"}),
    ("tfjs-metadata", {"tmVersion"}),
    ("coreml", {"itemInfoEntries"}),
    ("keras-architecture", {"class_name", "config"}),
    ("link", {"doc_id"}),
    ("web-page", {"error"}),
)


def of_text(content: mmap.mmap, name: str) -> str:
    """The kind of a file whose beginning is text."""
    start = content[:_START]
    if len(content) <= _POINTER_BYTES and _LFS.search(start):
        return "lfs-pointer"
    if _has_conflict(content):
        return "conflict"
    begin = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    suffix = Path(name).suffix.lower()
    if begin.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "notebook-page" if any(mark in content[:_READ] for mark in _NOTEBOOK_PAGE) else "web-page"
    if begin.startswith(b"<"):
        return "openvino" if b"<net name=" in start and b"<layers>" in start else "text"
    if begin.startswith((b"[internetshortcut]", b"url=")):
        return "link"
    if begin.startswith(b"{"):
        return _of_json(content, suffix)
    if begin.startswith(b"model_checkpoint_path:"):
        return "tf-checkpoint"
    if begin.startswith((b"[net]", b"[convolutional]")):
        return "darknet"
    if suffix == ".py" or _CELL_MARK.search(start):
        return "notebook-as-code" if _CELL_MARK.search(start) else "python"
    return _PLAIN.get(suffix, "text")


def _has_conflict(content: mmap.mmap) -> bool:
    """Whether git's marks follow each other, each at the beginning of a line."""
    text, place = b"\n" + content[:_READ], 0
    for mark in _CONFLICT:
        place = text.find(mark, place)
        if place < 0:
            return False
    return True


def _of_json(content: mmap.mmap, suffix: str) -> str:
    if len(content) > _READ:  # a notebook's pictures make it large: both ends say enough
        ends = content[:_START] + content[-_START:]
        return "notebook" if b'"cells"' in ends and b'"nbformat"' in ends else "json"
    text = content[:].decode("utf-8-sig", errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "notebook" if suffix == ".ipynb" or ('"cells"' in text and '"nbformat"' in text) else "json"
    if not isinstance(found, Mapping):
        return "json"
    for kind, keys in _JSON:
        if keys <= found.keys():
            return kind
    return "json"
