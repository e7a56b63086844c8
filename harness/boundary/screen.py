"""The only way to the terminal: it makes control characters in foreign text visible, so that they have no effect.

Names of files and people, messages of libraries, a model's classes: any of them may hold escape sequences that move the
cursor, set a title or simulate key presses, and characters that reverse or hide text. They are shown as their numbers,
`\\x1b`. rich's markup is off, so that `[red]` in a name stays `[red]`. `tests/unit/test_screen.py` fails if another
module prints.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

# Invisible letters and marks: Hangul fillers, joiners, variation selectors other than emoji's two, tags.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef"
_BLANKS = re.compile(f"[{_BLANK}]")


def visible(text: str) -> str:
    """The text on one line of printable characters, with every other character as `\\x1b`, `\\u202e` or `\\U000e0001`.

    Others are control characters (also line breaks), format characters such as those of direction and zero width, line
    and paragraph separators, unpaired surrogates, spaces other than the plain one, and unassigned characters.
    """
    if text.isprintable() and not _BLANKS.search(text):
        return text
    return "".join(c if c.isprintable() and not _BLANKS.match(c) else _number(c) for c in text)


def visible_lines(text: str) -> str:
    """As `visible`, for a text of ours whose line breaks are kept."""
    return "\n".join(map(visible, text.split("\n")))


def _number(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Screen(Console):
    """rich's console, with `visible` applied to everything rendered. Its own colours and cursor movements are kept."""

    def __init__(self, *, stderr: bool = False, width: int | None = None, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, width=width, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """rich's segments, with `visible` applied to every text, before wrapping and in everything else drawn."""
        if isinstance(renderable, Text) and (shown := visible_lines(renderable.plain)) != renderable.plain:
            renderable = renderable.copy()
            renderable.plain = shown
        for segment in super().render(renderable, options):
            if segment.is_control:
                yield segment
            else:
                yield Segment(visible_lines(segment.text), segment.style)

    def render_str(self, text: str, **options: Any) -> Text:
        """A text without markup. rich's own method drops some control characters, which would hide them."""
        return super().render_str(visible_lines(text), **options)


def say(text: object, *, err: bool = False) -> None:
    """Print a text of one or several lines to stdout, or to stderr."""
    click.echo(visible_lines(str(text)), err=err)


def ask(question: str, default: str, choices: Sequence[str] = ()) -> str:
    """A person's answer on the terminal, one of `choices` if there are any; an empty answer is the default."""
    kind = click.Choice(choices) if choices else str
    answer: str = click.prompt(visible(question), default=default, type=kind, show_default=bool(default), err=True)
    return answer


def confirmed(question: str) -> bool:
    """A person's yes or no on the terminal. Raises `click.Abort` at the end of the input."""
    return click.confirm(visible(question), default=True, err=True)


def say_json(text: str) -> None:
    """Print JSON to stdout, with invisible characters as JSON escapes, so that its meaning does not change."""
    click.echo("".join(c if c == "\n" or visible(c) == c else _json_escape(c) for c in text))


def _json_escape(character: str) -> str:
    """The character as `\\uXXXX`, as two beyond U+FFFF. JSON has such characters only inside strings."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def show_tracebacks_visibly() -> None:
    """Print tracebacks of uncaught exceptions with `visible`, because they may quote foreign text."""

    def show(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
        say("".join(traceback.format_exception(kind, error, where)), err=True)

    sys.excepthook = show
    threading.excepthook = lambda told: show(told.exc_type, told.exc_value, told.exc_traceback)


def close_stdout() -> None:
    """Discard what is still to be written, because the reader of stdout is gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
