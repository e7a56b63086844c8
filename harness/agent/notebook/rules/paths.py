"""`/content/drive/MyDrive/...`, `C:\\Users\\...`, `/home/...`: paths that only another machine has."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

from ..cell import Edit, calls, cell_magic, edited, is_ipython, python_of, span_of
from ..dataset_paths import ABOUT_IMAGES
from ..foreign_paths import is_foreign, local, parts_of
from ..rule_context import Setting

TITLE = "Paths of another machine (Colab's Drive, a Windows disk, a home folder) lead to the notebook's own folder"
ON = True
ORDER = 1  # it sees what the other rules have written

_STRING = re.compile(r"^([A-Za-z]*)('''|\"\"\"|'|\")(.*)\2$", re.DOTALL)
_PLACES = r"(?:/content|/kaggle/(?:input|working)|/home/\w+|/Users/\w+)"
_QUOTED_IN_COMMAND = re.compile(rf"(?<=['\"]){_PLACES}(?:/[^'\"]*)?(?=['\"])")
_IN_COMMAND = re.compile(rf"(?<![\w.:/'\"]){_PLACES}(?:/(?:\\ |[^\s'\";&|])*)?")
_CHANGES_FOLDER = re.compile(rf"^(\s*%cd\s+)['\"]?({_PLACES}[^'\"]*?)['\"]?\s*$")
_LOOKS_LIKE_FOLDER = re.compile(r"^[^.]+$")


def apply(source: str, setting: Setting) -> str:
    lines = source.split("\n")
    if cell_magic(source) in ("bash", "sh", "shell"):
        return "\n".join(_command(line, setting) for line in lines)
    if cell_magic(source) == "writefile":
        lines[0] = _command(lines[0], setting)
        return "\n".join(lines)
    source = "\n".join(_command(line, setting) if is_ipython(line) else line for line in lines)
    edits = [edit for span, literal in strings(source) if (edit := _literal(span, literal, setting)) is not None]
    homes = [_home(source, call.args[0], setting) for call in calls(source, "chdir") if call.args]
    return edited(source, [*(edit for edit in homes if edit is not None), *edits])


def _home(source: str, given: ast.expr, setting: Setting) -> Edit | None:
    """The edit for `os.chdir(...)` into a folder that only another machine has."""
    if isinstance(given, ast.Constant) and isinstance(given.value, str) and is_foreign(given.value):
        return Edit(span_of(source, given), repr(str(_folder_of_work(given.value, setting))))
    return None


def _folder_of_work(path: str, setting: Setting) -> Path:
    """The folder that a notebook changes to: a part of the submission, else the notebook's own folder."""
    folder = setting.here / local(path, setting.here, ())
    return folder if folder.is_dir() else setting.here


def strings(source: str) -> list[tuple[tuple[int, int], str]]:
    """The position, in characters, and text (with prefix and quotes) of every string literal that can be found."""
    python = python_of(source)
    starts = [0]
    for line in python.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(python).readline):
            if token.type == tokenize.STRING:
                start = starts[token.start[0] - 1] + token.start[1]
                found.append(((start, start + len(token.string)), token.string))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        pass
    return found


def _literal(span: tuple[int, int], literal: str, setting: Setting) -> Edit | None:
    matched = _STRING.match(literal)
    if matched is None:
        return None
    prefix, quote, inner = matched.groups()
    is_formatted = "f" in prefix.lower()
    text = inner if is_formatted or "r" in prefix.lower() else _value(literal)
    if text is None or len(text) > 500 or not _is_path(text) or not (is_foreign(text) or _is_named(text, setting)):
        return None
    new = _there(text, setting)
    if text.endswith(("/", "\\")) and not new.endswith("/"):
        new += "/"
    if new == text or quote in new:
        return None
    return Edit(span, f"{prefix.replace('r', '').replace('R', '')}{quote}{new}{quote}")


def _is_path(text: str) -> bool:
    """Whether the text is a path, and not a sentence, an address or a date format."""
    return "\n" not in text and "://" not in text and ("/" in text or "\\" in text) and text.count(" ") <= 6


def _is_named(text: str, setting: Setting) -> bool:
    """Whether the text is a Windows path below the notebook's folder, as `data\\train` is."""
    if "\\" not in text or text.startswith("\\") or not re.fullmatch(r"[\w .()\\/-]+", text):
        return False
    parts = parts_of(text)
    return len(parts) > 1 and (bool(ABOUT_IMAGES.search(parts[0])) or (setting.here / "/".join(parts)).exists())


def _there(text: str, setting: Setting) -> str:
    if not is_foreign(text):
        return "/".join(parts_of(text))
    place = local(text, setting.here, setting.names)
    _make_room(place, setting)
    return str(setting.here / place)


def _make_room(place: str, setting: Setting) -> None:
    """Note the folder of a file that is written to a foreign path, so that it exists as on that machine."""
    if "{" in place or "*" in place:
        place = re.split(r"[{*]", place)[0].rpartition("/")[0]
    folder = setting.here / place
    if not _LOOKS_LIKE_FOLDER.match(folder.name):
        folder = folder.parent
    setting.folders.add(folder)


def _command(line: str, setting: Setting) -> str:
    def there(path: str) -> str:
        place = local(path, setting.here, setting.names)
        _make_room(place, setting)
        return str(setting.here / place)

    if changes := _CHANGES_FOLDER.match(line):  # %cd takes the rest of the line, with blanks
        return f"{changes[1]}{_folder_of_work(changes[2].replace(chr(92) + ' ', ' '), setting)}"
    line = _QUOTED_IN_COMMAND.sub(lambda found: there(found[0]), line)
    return _IN_COMMAND.sub(lambda found: there(found[0].replace("\\ ", " ")).replace(" ", "\\ "), line)


def _value(literal: str) -> str | None:
    try:
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None
