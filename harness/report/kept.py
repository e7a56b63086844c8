"""Which pages of an earlier run stay: a page names in its head the hash of all that it was made from.

The hash follows from what a page's sources hold (`cleared.PageSources`), whatever they hold, and from the code, the
templates and the libraries that make it. So a changed mark, finding, sentence or neighbour makes another page.
"""

from __future__ import annotations

import functools
import hashlib
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from harness.report.shared import SharedImages
from harness.stages.code_identity import kept_code_sha256
from harness.stages.store import Store

# No import leads to the last two: a process of its own reads the notebook.
_ROOTS = ("report/pages", "apart/__main__", "apart/notebook")
_LIBRARIES = ("jinja2", "MarkupSafe", "markdown-it-py", "nh3", "Pygments", "Pillow")
_END = "</html>"
_MADE_OF = re.compile(r'<meta name="run" content="([^"<>]*)">')


class Identity:
    """Makes the hashes for one run."""

    def __init__(self, store: Store) -> None:
        code = kept_code_sha256(store, _ROOTS)
        self._base = " ".join([code, *map(_version, _LIBRARIES)]).encode()

    def of(self, *sources: Any) -> str:
        """SHA-256 of what a page is made from, in hex: records, dataclasses, and objects that have a `key()`.

        Raises `PydanticSerializationError` for anything else, so that nothing is left out silently.
        """
        content = to_json(sources, inf_nan_mode="constants", fallback=_key)
        return hashlib.sha256(self._base + b"\0" + content).hexdigest()


def _key(value: Any) -> Any:
    if callable(key := getattr(value, "key", None)):
        return key()
    raise TypeError(f"{type(value).__name__} has no key, so a page made from it could not be told from another")


@functools.cache
def _version(library: str) -> str:
    return version(library)


def made_of(text: str) -> str:
    """The hash in the head of the page; empty where there is none."""
    found = _MADE_OF.search(text.partition("<body")[0])
    return found[1] if found else ""


def stands(file: Path, identity: str, shared: SharedImages | None = None) -> bool:
    """Whether the page in `file` was made from that, and the images that it shows are there.

    `shared`: the images of instructor's pages, which keeps those that the page shows.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return made_of(text) == identity and text.rstrip().endswith(_END) and (shared is None or shared.keep(text))
