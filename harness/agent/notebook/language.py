"""A notebook's language, by its metadata, which may be missing or wrong."""

from __future__ import annotations

import re
from typing import Any

# Jupyter kernels of other languages, by the language or by the kernel's name (`ir`, `julia-1.9`).
_FOREIGN = (
    "r", "ir", "julia", "octave", "matlab", "javascript", "typescript", "deno", "scala", "java", "kotlin", "rust",
    "ruby", "go", "gonb", "c++", "c#", "f#", "bash", "sagemath", "sql", "haskell", "xcpp",
)  # fmt: skip
_PYTHON = re.compile(r"i?python[ \d.]*|xpython", re.IGNORECASE)


def foreign(metadata: Any) -> str:
    """The language of the notebook's kernel, if it is not Python; empty for Python and for an unknown kernel."""
    kernel = _section(metadata, "kernelspec")
    for said in (_text(kernel, "language"), re.sub(r"[-_. ]?\d.*$", "", _text(kernel, "name"))):
        if said.lower() in _FOREIGN:
            return said
    nothing = not (_text(kernel, "language") or _text(kernel, "name"))
    said = _text(_section(metadata, "language_info"), "name")
    return said if nothing and said.lower() in _FOREIGN else ""


def assumed(metadata: Any) -> str:
    """Why Python is assumed, to complete "the notebook ..."; empty when the metadata say Python."""
    kernel, information = _section(metadata, "kernelspec"), _section(metadata, "language_info")
    language = _text(kernel, "language") or _text(information, "name")
    name = _text(kernel, "name")
    if (said := _text(information, "name")) and not _PYTHON.fullmatch(said):
        return f"says that its language is {said}"
    if _PYTHON.fullmatch(language) or _PYTHON.fullmatch(name):
        return ""
    return f"names the kernel {name}" if name else "names no kernel"


def _section(metadata: Any, name: str) -> dict[str, Any]:
    found = metadata.get(name) if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _text(section: dict[str, Any], name: str) -> str:
    found = section.get(name)
    return found.strip()[:60] if isinstance(found, str) else ""
