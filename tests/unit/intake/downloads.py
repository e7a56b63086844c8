"""Downloads as the LMSs make them, laid out as a folder, as a zip in a folder, or as the zip itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
LAYOUTS = ("unpacked", "zip in a folder", "the zip", "unpacked into a folder of its name")

Tree = Mapping[str, bytes]  # path -> content; a path that ends in / is an empty folder


def lay_out(tree: Tree, at: Path, layout: str) -> Path:
    """What `harness grade` is given."""
    at.mkdir(parents=True, exist_ok=True)
    if layout == "unpacked":
        unpacked(tree, at)
        return at
    if layout == "unpacked into a folder of its name":
        unpacked(tree, at / "Assignment 3 Download Nov 4, 2025 901 AM")
        return at
    file = at / "submissions.zip"
    file.write_bytes(zipped(tree))
    return file if layout == "the zip" else at


def unpacked(tree: Tree, folder: Path) -> None:
    for name, content in tree.items():
        path = folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(content)


def zipped(tree: Tree) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in tree.items():
            info = zipfile.ZipInfo(name)
            info.filename = name  # as given: backslashes, too
            archive.writestr(info, content)
    return stream.getvalue()
