"""`python tools/terminal_picture.py PICTURE.svg COMMAND ...`: what a command says in a terminal, drawn by rich.

The command runs here and now; its exit status is not looked at, since a check that finds something ends with 1.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

_COLUMNS = 110
_SECONDS = 1800
# rich's template fetches its font from another server; each letter has its place, so any font of one width will do.
_WITHOUT_FONTS = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-HJKfhlsu]|\r")  # of a cursor; colours end in m


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    draw(given.picture, shlex.join(given.command), said_by(given.command))
    print(f"{given.picture}: {given.picture.stat().st_size / 1000:.0f} kB")


def said_by(command: Sequence[str], folder: Path | None = None) -> str:
    """What the command writes, to stdout and stderr, with its colours."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", cwd=folder, env=environment,
        timeout=_SECONDS, check=False,
    )  # fmt: skip
    return _MOVES.sub("", done.stdout)


def draw(picture: Path, command: str, said: str) -> None:
    """Write the SVG: the command after a prompt, and below it what it said."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(said.rstrip()))
    picture.parent.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title="", code_format=_WITHOUT_FONTS, unique_id=picture.stem)
    picture.write_text(svg + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
