"""Tells a zip that is itself a model or a document from a zip that somebody packed, by its members' names.

A torch checkpoint, an exported program, a `.keras` and a `.npz` are zips, whatever their names. Unpacked they would be
lost. A zip that holds such a file beside others, or one folder with its unpacked content, is an archive.
"""

from __future__ import annotations

from collections.abc import Collection

TORCH, TORCH_EXPORT, KERAS, ARRAYS, DOCUMENT = "torch", "torch-export", "keras", "arrays", "document"

_EXPORTED = (
    {"archive_format", "models"},
    {"archive_format", "data"},
    {"serialized_exported_program.json", "version"},
    {"archive_format", "archive_version"},
)
_OF_KERAS = {"config.json", "metadata.json", "model.weights.h5", "model.weights.json", "assets", "assets.npz"}
_OFFICE = {"word", "xl", "ppt", "visio"}


def model_in(names: Collection[str]) -> str | None:
    """What the zip with these members is: `TORCH`, `TORCH_EXPORT`, `KERAS`, `ARRAYS`, `DOCUMENT`; None: an archive."""
    paths = [parts for name in names if (parts := [part for part in name.split("/") if part]) and name[-1] != "/"]
    if not paths:
        return None
    tops = {parts[0] for parts in paths}
    if {"config.json", "model.weights.h5"} <= tops <= _OF_KERAS and "model.weights.h5" in names:
        return KERAS
    if "[Content_Types].xml" in tops and tops & _OFFICE:
        return DOCUMENT
    if {"mimetype", "content.xml", "META-INF"} <= tops:
        return DOCUMENT
    if all(len(parts) == 1 and parts[0].endswith(".npy") for parts in paths):
        return ARRAYS
    below = {parts[1] for parts in paths if len(parts) > 1} if len(tops) == 1 else set()
    whole = bool(below) and all(len(parts) > 1 for parts in paths)
    if any(parts[-1].endswith(".ipynb") for parts in paths):
        return None
    for inside in (tops, below if whole else set()):
        if any(need <= inside for need in _EXPORTED):
            return TORCH_EXPORT
    return TORCH if whole and {"data.pkl", "version"} <= below | _hidden_version(paths) else None


def _hidden_version(paths: list[list[str]]) -> set[str]:
    """`version`, where torch wrote it to `.data/version` only."""
    return {"version"} if any(parts[1:] == [".data", "version"] for parts in paths) else set()
