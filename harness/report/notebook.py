"""Makes an executed notebook safe to show: parsed in a separate process, bounded, without raising.

The file is a student's. Only text and checked PNG images are taken from it; markdown and code are rendered to
HTML without attributes and links of the student's, sanitised, and shown in a sandboxed frame
(`templates/notebook.html.j2`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES, Token

from harness.boundary.bounded_json import Unbounded, check
from harness.boundary.parsed_apart import NotParsed, parsed_apart

_RENDERED_CHARACTERS = 60_000  # of code that is highlighted, and of markdown that is rendered
_ALL_IMAGE_BYTES = 8 * 10**6
_IMAGE_SIDE = 8_000  # pixels
_IMAGE_PIXELS = 25_000_000
_PNG = b"\x89PNG\r\n\x1a\n"

TextKind = Literal["result", "stdout", "stderr", "error"]
Problem = Literal["missing", "too-large", "unreadable", "not-a-notebook"]


@dataclass(frozen=True, slots=True)
class Text:
    """A cell's text output."""

    kind: TextKind
    text: str
    left_out: int = 0  # characters


@dataclass(frozen=True, slots=True)
class DatasetImage:
    """A cell's image output, as a data URI."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NotShown:
    """An output that is not shown: of another kind, or an image that is not valid or too large."""

    what: Literal["kind", "image", "rest"]
    detail: str = ""


Output = Text | DatasetImage | NotShown


@dataclass(frozen=True, slots=True)
class Cell:
    kind: Literal["markdown", "code", "raw"]
    source: Markup
    left_out: int = 0  # characters of the source
    number: int | None = None  # number among the cells with code, as in every message
    outputs: tuple[Output, ...] = ()

    @property
    def failed(self) -> bool:
        return any(isinstance(output, Text) and output.kind == "error" for output in self.outputs)


@dataclass(frozen=True, slots=True)
class Notebook:
    """The shown cells, and why there are not more."""

    cells: tuple[Cell, ...] = ()
    cells_left_out: int = 0
    problem: Problem | None = None


# --- the output of the separate process ---------------------------------------------------------

_Count = Annotated[int, Field(ge=0, le=10**9)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Text(_Said):
    kind: TextKind
    text: str
    left_out: _Count


class _Image(_Said):
    kind: Literal["image"]
    bytes: _Count


class _NotShown(_Said):
    kind: Literal["not-shown"]
    what: Literal["kind", "image", "rest"]
    detail: str = Field(max_length=200)


class _Cell(_Said):
    kind: Literal["markdown", "code", "raw"]
    source: str
    left_out: _Count
    number: _Count | None
    outputs: tuple[Annotated[_Text | _Image | _NotShown, Field(discriminator="kind")], ...]


class _Shown(_Said):
    problem: Problem | None = None
    cells: tuple[_Cell, ...] = ()
    cells_left_out: _Count = 0


def read(file: Path) -> Notebook:
    """The notebook in `file`; if it cannot be read, a notebook with a `problem` and no cells."""
    try:
        said, _, drawn = parsed_apart("notebook", file).partition(b"\n")
        check(said)
        shown = _Shown.model_validate_json(said)
    except (NotParsed, Unbounded, ValidationError):
        return Notebook(problem="too-large")
    images = _Images(drawn[:_ALL_IMAGE_BYTES])
    left_to_render = _RENDERED_CHARACTERS
    cells = []
    for cell in shown.cells:
        left_to_render -= len(cell.source) if cell.kind != "raw" else 0
        outputs = tuple(_output(output, images) for output in cell.outputs)
        kind, source = _rendered(cell, may_render=left_to_render >= 0)
        cells.append(Cell(kind, source, cell.left_out, cell.number, outputs))
    return Notebook(tuple(cells), shown.cells_left_out, shown.problem)


def _rendered(cell: _Cell, *, may_render: bool) -> tuple[Literal["markdown", "code", "raw"], Markup]:
    """The cell's kind on the page and its rendered source. Markdown that is too long is shown as raw text."""
    if cell.kind == "code":
        return "code", _code(cell.source) if may_render else escape(cell.source)
    if cell.kind == "markdown" and may_render:
        return "markdown", _markdown(cell.source)
    return "raw", escape(cell.source)


class _Images:
    """The bytes of the images, read one after another."""

    def __init__(self, drawn: bytes) -> None:
        self._drawn, self._at = drawn, 0

    def take(self, size: int) -> bytes:
        content = self._drawn[self._at : self._at + size]
        self._at += size
        return content


def _output(said: _Text | _Image | _NotShown, images: _Images) -> Output:
    match said:
        case _Text():
            return Text(said.kind, said.text, said.left_out)
        case _Image():
            return _image(images.take(said.bytes))
        case _NotShown():
            return NotShown(said.what, said.detail)


def _image(content: bytes) -> Output:
    """A PNG of bounded size. Only its header is read; only the browser decodes the image."""
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 33:
        return NotShown("image")
    width, height = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if not (0 < width <= _IMAGE_SIDE and 0 < height <= _IMAGE_SIDE and width * height <= _IMAGE_PIXELS):
        return NotShown("image")
    return DatasetImage(f"data:image/png;base64,{base64.b64encode(content).decode()}", width, height)


# --- source -------------------------------------------------------------------------------------

_COLOURS = {
    Token.Keyword: ("k", "kn", "kc", "kr", "kd", "ow"),
    Token.Literal.String: ("s", "s1", "s2", "sa", "sd", "se", "si", "sx"),
    Token.Comment: ("c", "c1", "ch"),
    Token.Literal.Number: ("mi", "mf", "mh", "mb"),
    Token.Name: ("nd", "nf", "nc"),
}
"""The kinds of code that have a colour of their own -> those that share it, by Pygments' short names."""
_COLOUR_OF = {short: colour for colour, shorts in _COLOURS.items() for short in shorts}


class _Coloured(Filter):  # type: ignore[misc]  # Pygments has no types
    """Makes all code of one colour one kind, and that without a colour plain, so that no mark-up is spent on more."""

    def filter(self, lexer: Any, stream: Iterable[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
        for kind, text in stream:
            yield _COLOUR_OF.get(STANDARD_TYPES.get(kind), Token.Text), text


_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_LEXER.add_filter(_Coloured())
_FORMATTER: Any = HtmlFormatter(nowrap=True, classprefix="py-")
_LONG_LINE = 2_000


def _code(source: str) -> Markup:
    if any(len(line) > _LONG_LINE for line in source.split("\n")):
        return escape(source)
    return _cleaned(highlight(source, _LEXER, _FORMATTER))


# No raw HTML, no links, no images, so that no click or request leads anywhere.
_SETTER = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["html_block", "html_inline", "link", "image", "autolink", "reference"])
)
_HEADING = {"h1": "h4", "h2": "h5", "h3": "h6", "h4": "h6", "h5": "h6", "h6": "h6"}
_MARKER = re.compile(r"[*_`~\[\]|>]")
_MARKERS = 1_500  # more than an answer has; rendering time grows faster than their number


def _markdown(source: str) -> Markup:
    if len(_MARKER.findall(source)) > _MARKERS:
        return Markup("<p>{}</p>").format(source)
    tokens = _SETTER.parse(source)
    for token in tokens:
        token.attrs = {}
        token.info = ""
        token.tag = _HEADING.get(token.tag, token.tag)
    return _cleaned(_SETTER.renderer.render(tokens, _SETTER.options, {}))


# The output of the two renderers above; if one of them has a hole, nothing else passes.
TAGS = frozenset(
    {
        *("p", "h4", "h5", "h6", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "br"),
        *("table", "thead", "tbody", "tr", "th", "td", "span"),
    }
)
_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    attributes={"span": {"class"}},
    url_schemes=set(),
    link_rel=None,
)


def _cleaned(html: str) -> Markup:
    return Markup(_CLEANER.clean(html))
