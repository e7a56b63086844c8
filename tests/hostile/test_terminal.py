"""Names with escape sequences, on a real terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

# As a terminal of this kind gets no colours, every escape that arrives is a foreign one.
PLAIN = {"TERM": "dumb", "COLUMNS": "200"}


def on_a_terminal(*arguments: str | Path) -> tuple[int, str]:
    """The exit status of a command of the harness, and all that a terminal of 200 columns got."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | PLAIN)
    os.close(theirs)
    got = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other side is gone
            break
        if not chunk:
            break
        got += chunk
    os.close(ours)
    return process.wait(timeout=60), got.decode("utf-8")


def raw(shown: str) -> set[str]:
    """The characters that a terminal acts on; line ends aside."""
    plain = shown.replace("\r\n", "\n")
    return {c for c in plain if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


@pytest.fixture
def named(attacks: Path) -> Path:
    """Folders and files whose names set the title, clear the screen, turn the text round."""
    return attacks / "terminal-escapes" / "intake1"


@pytest.mark.hostile(line=83, expected="visible, never raw")
def test_intake_shows_hostile_names_where_it_sent_them_as_they_were(named: Path, got):
    status, shown = on_a_terminal("intake", named)
    assert status == 0 and raw(shown) == set()
    unfolded = re.sub(r"[\s│┃]+", "", shown)
    assert r"\x1b" in unfolded and r"\u202e" in unfolded
    got(f"{unfolded.count(chr(92) + 'x1b')} escapes shown as \\x1b")


@pytest.mark.hostile(line=83, expected="visible, never raw")
def test_json_on_a_terminal_is_plain_and_says_the_names_as_they_are(named: Path, got):
    status, shown = on_a_terminal("intake", named, "--json")
    assert status == 0 and raw(shown) == set()
    students = {row["student"] for row in json.loads(shown)["submissions"]}
    assert any("\x1b" in student or "\u202e" in student for student in students)
    got(f"{len(students)} names, whole")


@pytest.mark.hostile(line=83, expected="visible, never raw")
@pytest.mark.parametrize("arguments", [("intake", "{}"), ("{}",)])
def test_what_is_not_there_is_named_visibly(tmp_path: Path, got, arguments: tuple[str, ...]):
    """The shell completes a name that lies there; a script passes it on."""
    hostile = str(tmp_path / "no\x1b]0;owned\x07\u202e[red]x[/red]")
    status, shown = on_a_terminal(*(argument.format(hostile) for argument in arguments))
    assert status == 2 and raw(shown) == set()
    assert r"\x1b]0;owned\x07\u202e[red]x[/red]" in shown.replace("\r\n", "")
    got(f"{arguments[0] if arguments[0] != '{}' else 'a command'}: named")
