"""Rebuilds lists of images and classes: the understood part of each line, in an order that carries no data."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..dataset.image import split_named
from .plan import Kept, Plan

_MOST_BYTES = 4 * 2**20  # of one list
_MOST_ROWS = 20  # of one image in one table
_MOST_COLUMNS = 12
_COLUMN = re.compile(r"[A-Za-z][A-Za-z_ ]{0,23}")
_BACKGROUND = ("background", "__background__", "__ignore__")
_X = ("xmin", "xmax", "x1", "x2", "left", "right", "x_min", "x_max")
_Y = ("ymin", "ymax", "y1", "y2", "top", "bottom", "y_min", "y_max")
_SIZES = ("width", "height")
_LARGEST_NUMBER = 100_000


class References:
    """Finds the image that a word in a list refers to, and its name in the rerun."""

    def __init__(self, plan: Plan) -> None:
        self._by_name: dict[str, list[tuple[int, Kept]]] = {}
        for number, one in enumerate(plan.kept):
            own = one.image.file
            for key in {own.name.lower(), own.stem.lower()}:
                self._by_name.setdefault(key, []).append((number, one))
        self._root = plan.root

    def find(self, word: str) -> tuple[int, Kept, str] | None:
        """The image's index, the image, and its new name with as much of its path as `word` has; None for other words.

        A prefix before the path in the data set, such as a folder of another machine, is dropped.
        """
        parts = [part for part in re.split(r"[\\/]+", word) if part not in ("", ".")]
        if not parts:
            return None
        for number, one in self._by_name.get(parts[-1].lower(), ()):
            own = one.image.file.relative_to(self._root).parts
            length = min(len(parts), len(own))
            if [p.lower() for p in parts[-length:-1]] == [p.lower() for p in own[-length:-1]]:
                whole = parts[-1].lower() == own[-1].lower()
                path = one.path if whole else one.path.with_suffix("")
                return number, one, PurePosixPath(*path.parts[-length:]).as_posix()
        return None


def text_list(file: Path, plan: Plan, references: References) -> str:
    """The rebuilt list of classes, or of images with class, split or index; empty for any other text."""
    lines = [line.strip() for line in _text(file).splitlines()]
    if classes := _classes(lines, plan):
        return "".join(f"{name}\n" for name in classes)
    found: dict[int, str] = {}
    for line in lines:
        words = re.split(r"[\s,;]+", line)
        image = references.find(words[0]) or references.find(line)
        if image is None:
            continue
        rest = [word for word in words[1:] if _is_index(word, plan)] if references.find(words[0]) else []
        found.setdefault(image[0], " ".join([image[2], *rest]))
    return "".join(f"{found[number]}\n" for number in sorted(found))


def _classes(lines: Iterable[str], plan: Plan) -> list[str]:
    """The lines that are class names, if there are at least two, or if it is the only line."""
    known = [line for line in dict.fromkeys(lines) if line in plan.classes or line.lower() in _BACKGROUND]
    return known if len(known) >= min(2, len(plan.classes)) else []


def _is_index(word: str, plan: Plan) -> bool:
    if word in plan.classes or split_named(word):
        return True
    return bool(re.fullmatch(r"-?\d{1,3}", word)) and -1 <= int(word) <= len(plan.classes)


def table(file: Path, plan: Plan, references: References) -> str:
    """The rebuilt CSV: columns of images, classes, splits, box sides and sizes; empty without a column of images."""
    text = _text(file)
    delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error:
        return ""
    if not rows:
        return ""
    header = rows[0] if not any(references.find(cell) for cell in rows[0]) else []
    body = rows[1:] if header else rows
    kinds = [_kind(index, header, body, plan, references) for index in range(min(_MOST_COLUMNS, len(rows[0])))]
    if "image" not in kinds:
        return ""
    place = kinds.index("image")
    shown = [index for index, kind in enumerate(kinds) if kind]
    found: dict[int, list[list[str]]] = {}
    for row in body:
        image = references.find(row[place]) if len(row) > place else None
        if image is not None and len(mine := found.setdefault(image[0], [])) < _MOST_ROWS:
            number, one, name = image
            mine.append([name if i == place else _cell(row, i, kinds[i], one, plan) for i in shown])
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    if header:
        writer.writerow([header[index].strip() for index in shown])
    for number in sorted(found):
        writer.writerows(found[number])
    return out.getvalue() if found else ""


def _kind(index: int, header: list[str], body: list[list[str]], plan: Plan, references: References) -> str:
    """A column's kind: `image`, `class`, `split`, `index`, or the name of a side or size; empty for any other."""
    named = header[index].strip() if index < len(header) else ""
    if header and not _COLUMN.fullmatch(named):
        return ""
    if named.lower() in (*_X, *_Y, *_SIZES):
        return named.lower()
    cells = [row[index].strip() for row in body if len(row) > index]
    kinds = Counter(
        "image"
        if references.find(cell)
        else "class"
        if cell in plan.classes
        else "split"
        if split_named(cell)
        else "index"
        if _is_index(cell, plan)
        else ""
        for cell in cells
    )
    kinds.pop("", None)  # such as names of withheld images
    return kinds.most_common(1)[0][0] if kinds else ""


def _cell(row: list[str], index: int, kind: str, one: Kept, plan: Plan) -> str:
    cell = row[index].strip() if index < len(row) else ""
    if kind in ("class", "split", "index"):
        return cell if _is_index(cell, plan) else ""
    try:
        value = float(cell)
    except ValueError:
        return ""
    if not 0 <= value <= _LARGEST_NUMBER:
        return ""
    if kind in _SIZES:
        return str(getattr(one.frame, kind))
    return str(round(one.frame.x(value) if kind in _X else one.frame.y(value)))


def class_map(content: bytes, plan: Plan) -> str:
    """The rebuilt JSON object from class to index or back, or list of classes; empty for anything else."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    if isinstance(document, list):
        kept = [name for name in document if isinstance(name, str) and name in plan.classes]
        return json.dumps(list(dict.fromkeys(kept))) if kept else ""
    if not isinstance(document, dict):
        return ""
    most = len(plan.classes)
    indices = {k: v for k, v in document.items() if k in plan.classes and type(v) is int and 0 <= v <= most}
    names = {
        k: v
        for k, v in document.items()
        if isinstance(v, str) and v in plan.classes and re.fullmatch(r"\d{1,3}", k) and int(k) <= most
    }
    return json.dumps(indices or names) if indices or names else ""


def _text(file: Path) -> str:
    if file.stat().st_size > _MOST_BYTES:
        return ""
    return file.read_bytes().decode("utf-8-sig", "replace")
