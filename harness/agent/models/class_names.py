"""The names of the classes inside a model's file: in an ONNX file's metadata, in a checkpoint, in TFLite's labels.

They come in every form that people and tools write: a list, a dictionary either way round, one name a line, or a text
that holds one of these. What comes back is bounded, strings only, in the order of the outputs.
"""

from __future__ import annotations

import ast
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MOST = 1000  # names; ImageNet's
LONGEST = 200  # characters of a name
_TEXT = 512 * 1024  # characters of a text that is parsed
# The keys under which tools and people keep them, the most telling first; letters only are compared.
_KEYS = (
    "classnames", "names", "classes", "labels", "classtoidx", "idxtoclass", "classlabels", "labelnames", "id2label",
    "label2id", "classindices", "vocab", "categories",
)  # fmt: skip
_NESTED = ("hyper_parameters", "datamodule_hyper_parameters", "hparams", "config", "args", "meta", "metadata", "opts")
_MOST_KEYS = 10_000  # of a mapping that are looked at


def names_in(held: Any, depth: int = 2) -> tuple[str, ...]:
    """The names under one of the usual keys of a mapping, or of the settings in it; empty without any."""
    if not isinstance(held, Mapping):
        held = getattr(held, "__dict__", None)  # argparse.Namespace
    if not isinstance(held, Mapping):
        return ()
    known = {_letters(str(key)): value for key, value in list(held.items())[:_MOST_KEYS]}
    for key in _KEYS:
        if (found := names_of(known.get(key))) or (found := names_of(known.get(f"image{key}"))):
            return found
    if depth:
        for key in _NESTED:
            if key in held and (found := names_in(held[key], depth - 1)):
                return found
    return ()


def names_in_extras(file: Path, within: str = "extra/", endings: tuple[str, ...] = ("",)) -> tuple[str, ...]:
    """The names in the texts that a zip holds in the folder `within`: a list, or a dictionary with one.

    `endings` of their names that are looked at. Empty for a file that is no readable zip.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist()[:_MOST_KEYS]:
                beside = f"/{member.filename}".find(f"/{within}") >= 0 if within else True
                if not beside or not member.filename.endswith(endings) or member.file_size > _TEXT:
                    continue
                text = archive.read(member).decode("utf-8", "replace")
                if found := names_of(text) or names_in(_parsed(text)):
                    return found
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return ()
    return ()


def names_of(value: Any) -> tuple[str, ...]:
    """The names in a list, a dictionary (index to name, or name to index) or a text of either; else empty."""
    if isinstance(value, str):
        return _in_text(value)
    if callable(getattr(value, "tolist", None)):  # an array of names
        value = value.tolist()
    if isinstance(value, Mapping):
        return _in_order(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return plain_names(list(value[: MOST + 1]))
    return ()


def plain_names(value: Any) -> tuple[str, ...]:
    """A list of at least two different names, each short and of printable characters; else empty."""
    if not isinstance(value, (list, tuple)) or not 2 <= len(value) <= MOST:
        return ()
    if not all(isinstance(name, str) and name.strip() and len(name) <= LONGEST for name in value):
        return ()
    found = tuple(str(name).strip() for name in value)
    return found if len(set(found)) == len(found) and all(name.isprintable() for name in found) else ()


def _in_text(text: str) -> tuple[str, ...]:
    text = text.strip()
    if len(text) > _TEXT:
        return ()
    if text[:1] in ("[", "{", "("):
        parsed = _parsed(text)
        return () if isinstance(parsed, str) else names_of(parsed)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return plain_names(lines if len(lines) > 1 else [part.strip() for part in text.split(",")])


def _parsed(text: str) -> Any:
    """The text as JSON or as a Python literal; None for any other."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None


def _in_order(value: Mapping[Any, Any]) -> tuple[str, ...]:
    if not 2 <= len(value) <= MOST:
        return ()
    pairs = [(_number(key), name) for key, name in value.items()]
    if any(number is None for number, _ in pairs):
        pairs = [(_number(number), name) for name, number in value.items()]
    if sorted(number for number, _ in pairs if number is not None) != list(range(len(pairs))):
        return ()
    return plain_names([name for _, name in sorted(pairs, key=lambda pair: pair[0] or 0)])


def _number(value: Any) -> int | None:
    if type(value) is int:
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 6 else None


def _letters(key: str) -> str:
    return "".join(c for c in key.casefold() if c.isalnum())
