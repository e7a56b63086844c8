"""How the text files of a data set are encoded: training tools read UTF-8 without a byte-order mark."""

from __future__ import annotations

import codecs
import re

from .walk import Tree

LISTS = ("classes.txt", "obj.names", "predefined_classes.txt", "_darknet.labels", "labels.txt")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST_BYTES = 64 * 2**20  # of one file
_MOST_NAMED = 100
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}encoding\s*=")  # the parser goes by it


def text_of(content: bytes) -> str:
    """The text: UTF-8, or as its byte-order mark says, else Windows' Latin, in which every byte is some character."""
    encoding = _marked(content) or ("utf-8" if _is_utf8(content) else "cp1252")
    return content.decode(encoding, "replace")


def is_plain(content: bytes) -> bool:
    """Whether it is UTF-8 without a byte-order mark."""
    return _marked(content) is None and _is_utf8(content)


def declares_encoding(content: bytes) -> bool:
    """Whether an XML file names its encoding."""
    return _DECLARED.match(content) is not None


def not_plain(files: Tree) -> tuple[str, ...]:
    """The names of annotations and lists of classes that are not plain UTF-8, at most 100.

    XML may have a mark, or name its encoding.
    """
    found: list[str] = []
    lists = [file for file in files.files if file.name.lower() in LISTS]
    for file in (*lists, *files.ending(".json", ".csv", ".yaml", ".yml", ".xml")):
        if len(found) == _MOST_NAMED:
            break
        if file.stat().st_size > _MOST_BYTES:
            continue
        content = file.read_bytes()
        says_itself = file.suffix.lower() == ".xml" and (declares_encoding(content) or _marked(content) is not None)
        if not is_plain(content) and not says_itself:
            found.append(file.name)
    return tuple(found)


def _marked(content: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
