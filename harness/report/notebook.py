"""An executed notebook as something that can be shown: parsed without trust, bounded, never raising.

The file is a student's. Nothing of it but text and checked PNG pictures comes out; markdown and code are
rendered to HTML that holds no attribute and no link of the student's, is sanitised, and is shown in a
sandboxed frame (`templates/notebook.html.j2`).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from harness.report.plain import cut, plain, terminal_text

_FILE_BYTES = 24 * 10**6
_CELLS = 500
_CELL_CHARACTERS = 20_000  # of a cell's source, and of one output
_ALL_CHARACTERS = 400_000
_RENDERED_CHARACTERS = 60_000  # of code that is coloured, and of markdown that is set
_OUTPUTS = 50  # of one cell
_PICTURE_BYTES = 2 * 10**6
_ALL_PICTURE_BYTES = 8 * 10**6
_PICTURE_SIDE = 8_000  # pixels
_PICTURE_PIXELS = 25_000_000
_PNG = b"\x89PNG\r\n\x1a\n"

Problem = Literal["missing", "too-large", "unreadable", "not-a-notebook"]


@dataclass(frozen=True, slots=True)
class Text:
    """What a cell wrote."""

    kind: Literal["result", "stdout", "stderr", "error"]
    text: str
    left_out: int = 0  # characters


@dataclass(frozen=True, slots=True)
class Picture:
    """What a cell drew, as a data URI."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NotShown:
    """An output that is not shown: of another kind, or a picture that is none or is too large."""

    what: Literal["kind", "picture", "rest"]
    detail: str = ""


Output = Text | Picture | NotShown


@dataclass(frozen=True, slots=True)
class Cell:
    kind: Literal["markdown", "code", "raw"]
    source: Markup
    left_out: int = 0  # characters of the source
    number: int | None = None  # the n-th cell with code, as in every message
    outputs: tuple[Output, ...] = ()

    @property
    def failed(self) -> bool:
        return any(isinstance(output, Text) and output.kind == "error" for output in self.outputs)


@dataclass(frozen=True, slots=True)
class Notebook:
    """The cells that are shown, and why there are no more."""

    cells: tuple[Cell, ...] = ()
    cells_left_out: int = 0
    problem: Problem | None = None


@dataclass(slots=True)
class _Budget:
    """What may still be shown."""

    characters: int = _ALL_CHARACTERS
    rendered: int = _RENDERED_CHARACTERS
    picture_bytes: int = _ALL_PICTURE_BYTES
    code_cells: int = field(default=0)

    def take(self, text: str) -> tuple[str, int]:
        shown, left_out = cut(text, min(_CELL_CHARACTERS, max(self.characters, 0)))
        self.characters -= len(shown)
        return shown, left_out

    def may_render(self, text: str) -> bool:
        self.rendered -= len(text)
        return self.rendered >= 0


def read(file: Path) -> Notebook:
    """The notebook in `file`; a file that is none gives a notebook with a `problem` and no cells."""
    try:
        if file.stat().st_size > _FILE_BYTES:
            return Notebook(problem="too-large")
        content = file.read_bytes()
    except OSError:
        return Notebook(problem="missing")
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        return Notebook(problem="unreadable")
    cells = raw.get("cells") if isinstance(raw, dict) else None
    if not isinstance(cells, list):
        return Notebook(problem="not-a-notebook")
    budget = _Budget()
    shown = []
    for raw_cell in cells[:_CELLS]:
        if budget.characters <= 0:
            break
        shown.append(_cell(raw_cell if isinstance(raw_cell, dict) else {}, budget))
    return Notebook(tuple(shown), cells_left_out=len(cells) - len(shown))


def _cell(raw: dict[str, Any], budget: _Budget) -> Cell:
    source, left_out = budget.take(plain(_text(raw.get("source"))))
    match raw.get("cell_type"):
        case "code":
            is_empty = not source.strip()  # those are not run, and not counted
            budget.code_cells += not is_empty
            outputs = raw.get("outputs")
            return Cell(
                "code",
                _code(source) if budget.may_render(source) else escape(source),
                left_out,
                None if is_empty else budget.code_cells,
                tuple(_outputs(outputs if isinstance(outputs, list) else [], budget)),
            )
        case "markdown" if budget.may_render(source):
            return Cell("markdown", _markdown(source), left_out)
        case _:
            return Cell("raw", escape(source), left_out)


def _text(value: object) -> str:
    """A notebook's text: a string, or a list of them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return ""


# --- outputs ------------------------------------------------------------------------------------


def _outputs(raw: list[Any], budget: _Budget) -> Iterator[Output]:
    for one in raw[:_OUTPUTS]:
        if not isinstance(one, dict):
            continue
        match one.get("output_type"):
            case "stream":
                kind: Literal["stdout", "stderr"] = "stderr" if one.get("name") == "stderr" else "stdout"
                yield Text(kind, *budget.take(terminal_text(_text(one.get("text")))))
            case "error":
                yield Text("error", *budget.take(terminal_text(_traceback(one))))
            case "display_data" | "execute_result":
                data = one.get("data")
                yield _display(data if isinstance(data, dict) else {}, budget)
    if len(raw) > _OUTPUTS:
        yield NotShown("rest", str(len(raw) - _OUTPUTS))


def _traceback(raw: dict[str, Any]) -> str:
    lines = raw.get("traceback")
    frames = [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    return "\n".join(frames) or f"{_text(raw.get('ename'))}: {_text(raw.get('evalue'))}"


def _display(data: dict[str, Any], budget: _Budget) -> Output:
    if "image/png" in data:
        return _picture(_text(data["image/png"]), budget)
    if "text/plain" in data:
        return Text("result", *budget.take(terminal_text(_text(data["text/plain"]))))
    return NotShown("kind", plain(", ".join(str(kind)[:40] for kind in list(data)[:3])))


def _picture(encoded: str, budget: _Budget) -> Output:
    """A PNG of bounded size. Its header is read; the picture itself is decoded by nobody but the browser."""
    if len(encoded) > 2 * _PICTURE_BYTES:
        return NotShown("picture")
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return NotShown("picture")
    if len(content) > min(_PICTURE_BYTES, budget.picture_bytes):
        return NotShown("picture")
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 33:
        return NotShown("picture")
    width, height = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if not (0 < width <= _PICTURE_SIDE and 0 < height <= _PICTURE_SIDE and width * height <= _PICTURE_PIXELS):
        return NotShown("picture")
    budget.picture_bytes -= len(content)
    return Picture(f"data:image/png;base64,{base64.b64encode(content).decode()}", width, height)


# --- source -------------------------------------------------------------------------------------

_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_FORMATTER: Any = HtmlFormatter(nowrap=True, classprefix="py-")
_LONG_LINE = 2_000


def _code(source: str) -> Markup:
    if any(len(line) > _LONG_LINE for line in source.split("\n")):
        return escape(source)
    return _cleaned(highlight(source, _LEXER, _FORMATTER))


# No raw HTML, no links, no pictures: a click or a request of the student's has no way out.
_SETTER = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["html_block", "html_inline", "link", "image", "autolink", "reference"])
)
_HEADING = {"h1": "h4", "h2": "h5", "h3": "h6", "h4": "h6", "h5": "h6", "h6": "h6"}
_MARKER = re.compile(r"[*_`~\[\]|>]")
_MARKERS = 1_500  # more than an answer has; setting time grows faster than their number


def _markdown(source: str) -> Markup:
    if len(_MARKER.findall(source)) > _MARKERS:
        return Markup("<p>{}</p>").format(source)
    tokens = _SETTER.parse(source)
    for token in tokens:
        token.attrs = {}
        token.info = ""
        token.tag = _HEADING.get(token.tag, token.tag)
    return _cleaned(_SETTER.renderer.render(tokens, _SETTER.options, {}))


# What the two renderers above make. Should one of them have a hole, nothing else comes through it.
_CLEANER = nh3.Cleaner(
    tags={
        *("p", "h4", "h5", "h6", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "br"),
        *("table", "thead", "tbody", "tr", "th", "td", "span"),
    },
    attributes={"span": {"class"}},
    url_schemes=set(),
    link_rel=None,
)


def _cleaned(html: str) -> Markup:
    return Markup(_CLEANER.clean(html))
