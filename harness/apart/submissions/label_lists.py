"""The names of a model's classes, in order, in any of the forms in which people and libraries write them."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import yaml

from .safe_yaml import refuse_costly
from .sources import Unreadable, whole, yaml_trouble

_BYTES = 256 * 1024
_MOST = 10_000
_LONGEST = 200  # characters of a name
_KEYS = ("names", "classes", "class_names", "labels", "class_indices", "class_to_idx", "idx_to_class", "categories")
_ASSIGNED = re.compile(r"^\s*[A-Za-z_][\w.]*\s*=\s*(?=[\[({])")
_WRAPPED = re.compile(r"[\w.]+\((\[.*?\])[^\[\]]*\)", re.DOTALL)  # array([...], dtype='<U8'), dict_keys([...])
_QUOTED = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"")
_YAML = re.compile(r"^(?:names|classes|class_names|labels|categories)\s*:", re.MULTILINE)
_PRINTED = re.compile(r"\[\s*(?:(?:'[^'\n]*'|\"[^\"\n]*\")\s*)+\]")  # an array of strings, by numpy
_NUMBER_FIRST = re.compile(r"(\d+)\s*(?:[.,](?!\d)|[\s:);=|-])\s*(\S.*)")
_NUMBER_LAST = re.compile(r"(.*\S)\s*[\s:,;=|]\s*(\d+)")
_HEADER = re.compile(r"\b(?:names?|labels?|class(?:es)?|index|id)\b", re.IGNORECASE)  # the first row of a table
_WORDNET = re.compile(r"^n\d{8}\s+")


def label_list(path: str) -> list[str]:
    """The names in order of the model's outputs; none when the file is blank. Raises `Unreadable`.

    Accepted: a name a line, or all on one line with commas or semicolons; numbered before or after, from 0 or 1; with
    WordNet identifiers; quoted; a list or a dict of Python or JSON, either way round; YAML with `names`.
    """
    text = _text(whole({"path": path}, _BYTES)).strip()
    structured = _structured(text)
    names = _of_lines(text) if structured is None else _of_value(structured)
    if len(names) > _MOST or any(len(name) > _LONGEST for name in names):
        raise Unreadable(f"it holds more than {_MOST:,} names, or one over {_LONGEST} characters")
    if any("\ud800" <= character <= "\udfff" for name in names for character in name):
        raise Unreadable("a name in it holds half of a character")  # which JSON and Python can write, and UTF-8 cannot
    seen: set[str] = set()
    for name in names:
        folded = "".join(name.split()).casefold()
        if folded in seen:
            raise Unreadable(f"it names {name!r} twice")
        seen.add(folded)
    return names


def _text(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _structured(text: str) -> object | None:
    """What the text says in JSON, Python or YAML; None where it is lines of names."""
    bare = _ASSIGNED.sub("", text, count=1)
    if wrapped := _WRAPPED.fullmatch(bare):
        bare = wrapped[1]
    if _PRINTED.fullmatch(bare):  # Python would join the strings
        return [one or other for one, other in _QUOTED.findall(bare)]
    is_bracketed = bare[:1] + bare[-1:] in ("[]", "{}", "()")
    if is_bracketed:
        for reads in (_json, _python):
            with contextlib.suppress(ValueError, TypeError, SyntaxError, RecursionError):
                return reads(bare)
    if _YAML.search(text):
        return _yaml(text)
    if is_bracketed:
        raise Unreadable("it begins as a list or a dict, and is none")
    return None


def _json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_once)


def _python(text: str) -> object:
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.Dict):
            _once([(key.value, None) for key in node.keys if isinstance(key, ast.Constant)])
    return ast.literal_eval(text)


def _once(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    """The pairs as a dict. Raises `Unreadable` for a key that is there twice, of which the first would be lost."""
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable(f"it names {key!r} twice")
        found[key] = value
    return found


def _yaml(text: str) -> object:
    try:
        refuse_costly(text)
        loader = yaml.BaseLoader(text)  # every scalar is text: `no` is a name, not False
        document = loader.get_single_node()
        waiting = [document]
        while waiting:
            node = waiting.pop()
            if isinstance(node, yaml.MappingNode):
                _once([(key.value, None) for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
                waiting += [value for _, value in node.value]
        return cast(object, loader.construct_document(document))
    except (yaml.YAMLError, RecursionError) as error:
        raise Unreadable(f"it is no YAML: {yaml_trouble(error)}") from error


def _of_value(value: object) -> list[str]:
    """Of a list, or a dict of names to numbers or of numbers to names, perhaps under a key that says so."""
    if isinstance(value, Mapping):
        for key in _KEYS:
            if isinstance(value.get(key), (Mapping, list, tuple)):
                return _of_value(value[key])
        return _of_pairs([(key, one) for key, one in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str):
        if all(isinstance(one, (str, int, float)) and not isinstance(one, bool) for one in value):
            return [str(one).strip() for one in value]
        if all(isinstance(one, Mapping) for one in value):
            return _of_records(value)
        if all(isinstance(one, Sequence) and not isinstance(one, str) and len(one) == 2 for one in value):
            return _of_pairs([(one[0], one[1]) for one in value])
    raise Unreadable("it holds neither a list of names nor a dict of names and numbers")


def _of_records(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of `{"id": 1, "name": "mug"}`, as COCO has them."""
    pairs = []
    for one in records:
        name = next((one[key] for key in ("name", "label", "class") if key in one), None)
        number = next((one[key] for key in ("id", "index", "idx") if key in one), None)
        if name is None or number is None:
            raise Unreadable("it holds neither a list of names nor a dict of names and numbers")
        pairs.append((number, name))
    return _of_pairs(pairs)


def _of_pairs(pairs: list[tuple[object, object]]) -> list[str]:
    """The names by their numbers, which run from 0 or 1 without a gap."""
    for names, numbers in ((0, 1), (1, 0)):
        counted = [_number(pair[numbers]) for pair in pairs]
        if all(number is not None for number in counted) and all(isinstance(p[names], (str, int)) for p in pairs):
            order = sorted(range(len(pairs)), key=lambda index: counted[index] or 0)
            first = counted[order[0]] if order else 0
            if first not in (0, 1) or [counted[index] for index in order] != list(range(first, first + len(pairs))):
                raise Unreadable("its numbers do not run from 0 or 1 without a gap")
            return [str(pairs[index][names]).strip() for index in order]
    raise Unreadable("it holds neither a list of names nor a dict of names and numbers")


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = str(value).strip()
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None


def _of_lines(text: str) -> list[str]:
    lines = [line for line in (_unquoted(line) for line in text.splitlines()) if line]
    if len(lines) == 1 and re.search(r"[,;]", lines[0]):
        between = ";" if ";" in lines[0] else ","  # a name may hold a comma
        lines = [name for name in map(_unquoted, lines[0].split(between)) if name]
    if len(lines) < 2:
        return [_WORDNET.sub("", line) for line in lines]
    for some in (lines, lines[1:] if _HEADER.search(lines[0]) else []):
        for pattern, name, number in ((_NUMBER_FIRST, 2, 1), (_NUMBER_LAST, 1, 2)):
            matches = [pattern.fullmatch(line) for line in some]
            found = [match for match in matches if match is not None]
            if len(found) < len(some) or len(some) < 2:
                continue
            counted = sorted(int(match[number]) for match in found)
            names = {_unquoted(match[name]) for match in found}
            if counted == list(range(counted[0], counted[0] + len(names))) and counted[0] in (0, 1):
                return _of_pairs([(int(match[number]), _unquoted(match[name])) for match in found])
    return [_WORDNET.sub("", line) for line in lines]


def _unquoted(line: str) -> str:
    """Without what surrounds a name: blanks, a comma at the end, quotes, a hyphen of a list."""
    line = re.sub(r"^- ", "", line.strip()).rstrip(",").strip()
    if len(line) >= 2 and line[0] == line[-1] and line[0] in "\"'`":
        return line[1:-1].strip()
    return line
