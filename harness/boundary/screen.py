"""The only way to the terminal: what is foreign in a text is visible there, never acted on.

Names of files and people, messages of libraries, a model's classes: any of it may hold escape sequences that move the
cursor, set a title or answer for the keyboard, and characters that turn text round or hide it. They are shown as their
numbers, `\\x1b`. rich's markup is off, so that `[red]` in a name is `[red]`. `tests/unit/test_screen.py` fails for
another module that prints.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

# Letters and marks that show nothing: Hangul fillers, joiners, variation selectors but the two of emoji, tags.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef"
_BLANKS = re.compile(f"[{_BLANK}]")


def visible(text: str) -> str:
    """The text in one line of printable characters: each other one as `\\x1b`, `\\u202e` or `\\U000e0001`.

    Others are control characters (the line break, too), format characters such as those of direction and of zero
    width, line and paragraph separators, unpaired surrogates, spaces that are no plain space, and what is not assigned.
    """
    if text.isprintable() and not _BLANKS.search(text):
        return text
    return "".join(c if c.isprintable() and not _BLANKS.match(c) else _number(c) for c in text)


def visible_lines(text: str) -> str:
    """As `visible`, of a text of ours in which a line break is one."""
    return "\n".join(map(visible, text.split("\n")))


def _number(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Screen(Console):
    """rich's console, on which whatever is rendered is visible. Its own colours and cursor movements stay."""

    def __init__(self, *, stderr: bool = False, width: int | None = None, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, width=width, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What rich makes of it, with every text visible: before it is wrapped, and whatever else is drawn."""
        if isinstance(renderable, Text) and (shown := visible_lines(renderable.plain)) != renderable.plain:
            renderable = renderable.copy()
            renderable.plain = shown
        for segment in super().render(renderable, options):
            if segment.is_control:
                yield segment
            else:
                yield Segment(visible_lines(segment.text), segment.style)

    def render_str(self, text: str, **options: Any) -> Text:
        """A text without markup. rich's own drops some control characters, which then nobody sees."""
        return super().render_str(visible_lines(text), **options)


def say(text: object, *, err: bool = False) -> None:
    """A text of one or several lines, on stdout, or on stderr."""
    click.echo(visible_lines(str(text)), err=err)


def say_json(text: str) -> None:
    """JSON on stdout: what would not be visible as JSON's own escapes, so that it stays the same JSON."""
    click.echo("".join(c if c == "\n" or visible(c) == c else _json_escape(c) for c in text))


def _json_escape(character: str) -> str:
    """As `\\uXXXX`, two of them beyond U+FFFF. JSON has such characters inside strings only."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def show_tracebacks_visibly() -> None:
    """An exception that nothing catches may quote anything, too."""

    def show(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
        say("".join(traceback.format_exception(kind, error, where)), err=True)

    sys.excepthook = show
    threading.excepthook = lambda told: show(told.exc_type, told.exc_value, told.exc_traceback)


def close_stdout() -> None:
    """Nobody reads any more: what is still to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
