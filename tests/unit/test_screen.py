"""What is foreign is visible on a terminal, never acted on; and nothing goes to the terminal by another way."""

from __future__ import annotations

import ast
import io
import json
import re
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import harness
from harness.boundary.screen import (
    Screen,
    say,
    say_json,
    show_tracebacks_visibly,
    visible,
    visible_lines,
)
from harness.cli.main import cli, main
from harness.cli.terminal import progress_on

PACKAGE = Path(harness.__file__).parent
TITLE = "\x1b]0;owned\x07"
HOSTILE = f"{TITLE}a\x1b[2J\x9b31m\u202egpj.exe\u2066\u200b\u2028\x7f\udc9b[red]b[/red][link=//evil]c[/link]"
OURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours and cursor movements: rich's own


def unsafe(shown: str) -> list[str]:
    """The characters that a terminal may act on, or that hide or turn what is beside them."""
    return [c for c in shown if c not in "\r\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1b", r"\x1b"), ("\n", r"\x0a"), ("\r", r"\x0d"), ("\t", r"\x09"), ("\x00", r"\x00"), ("\x7f", r"\x7f"),
        ("\x9b", r"\x9b"), ("\u202e", r"\u202e"), ("\u2066", r"\u2066"), ("\u200e", r"\u200e"),
        ("\u061c", r"\u061c"), ("\u200b", r"\u200b"), ("\ufeff", r"\ufeff"), ("\u00ad", r"\xad"),
        ("\u2028", r"\u2028"), ("\u2029", r"\u2029"), ("\udc9b", r"\udc9b"), ("\u3164", r"\u3164"),
        ("\U000e0041", r"\U000e0041"), ("\u00a0", r"\xa0"),
    ],
)  # fmt: skip
def test_each_kind_of_character_is_shown_by_its_number(character: str, shown: str) -> None:
    assert visible(f"a{character}b") == f"a{shown}b"


@pytest.mark.parametrize("text", ["Zoë Müller", "Łukasz", "王小明", "עברית", "ذكريات", "naïve – “quoted” 👍🏽 ❤️", ""])
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


@given(st.text(st.characters(codec=None)))
def test_nothing_unsafe_is_left_of_any_text(text: str) -> None:
    assert unsafe(visible(text)) == [] and "\n" not in visible(text) and "\r" not in visible(text)
    assert visible_lines(text).count("\n") == text.count("\n")
    visible(text).encode("utf-8")


@given(st.recursive(st.text(st.characters(codec=None)), st.lists, max_leaves=5))
def test_json_stays_the_same_json(value: object) -> None:
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", said)
        say_json(json.dumps(value, ensure_ascii=False))
    assert unsafe(said.getvalue()) == []
    assert json.loads(said.getvalue()) == json.loads(json.dumps(value))


def screen() -> tuple[Screen, io.StringIO]:
    """A terminal of 60 columns, and what it was sent."""
    drawn, sent = Screen(width=60), io.StringIO()
    drawn.file, drawn._force_terminal = sent, True
    return drawn, sent


def checked(sent: io.StringIO) -> str:
    """What is on the screen, without rich's own colours."""
    shown = OURS.sub("", sent.getvalue())
    assert unsafe(shown) == []
    assert "[red]b[/red][link=//evil]c[/link]" in re.sub(r"[\s│|]+", "", shown), "nothing is markup, nothing is lost"
    assert "\x1b]8" not in sent.getvalue()
    return shown


@pytest.mark.parametrize("soft_wrap", [True, False])
@pytest.mark.parametrize("make", [str, Text])
def test_a_text_is_visible_however_it_is_wrapped(make: Callable[[str], RenderableType], soft_wrap: bool) -> None:
    drawn, sent = screen()
    drawn.print(make(HOSTILE), soft_wrap=soft_wrap)
    assert r"\x1b" in checked(sent)


def test_a_text_inside_of_something_is_visible() -> None:
    drawn, sent = screen()
    drawn.print(Panel(Group(HOSTILE, Text(HOSTILE, style="red"))))
    assert checked(sent).count(r"\x1b[2J") == 2


def test_cells_and_titles_of_a_table_are_visible() -> None:
    drawn, sent = screen()
    table = Table(HOSTILE, title=HOSTILE, caption=HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE, style="red"))
    drawn.print(table)
    assert checked(sent).count(r"\u202") >= 5


def test_progress_on_a_terminal_shows_what_is_said_and_worked_on() -> None:
    drawn, sent = screen()
    with progress_on(drawn) as progress:
        progress.say(HOSTILE)
        progress.begins("examining", 1, 1)
        progress.submission_started(HOSTILE)
        progress.stage_started(HOSTILE, "execute")
        progress.stage_ended(HOSTILE, "execute", "ok", False)
        progress.submission_ended(HOSTILE)
    checked(sent)


def test_progress_in_a_log_is_one_line_for_each_thing() -> None:
    drawn, sent = screen()
    drawn._force_terminal = False
    with progress_on(drawn) as progress:
        progress.begins("examining", 1, 1)
        progress.say(HOSTILE + "\n[9/9] forged")
        progress.submission_started(HOSTILE)
        progress.stage_ended(HOSTILE, "execute", "ok", False)
    assert r"\x0a[9/9] forged" in checked(sent)
    assert len(sent.getvalue().splitlines()) == 3


@pytest.fixture
def as_a_program() -> Iterator[None]:
    """What `main` changes of the process is as before afterwards."""
    kept = sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGTERM), sys.argv
    yield
    sys.excepthook, threading.excepthook, _, sys.argv = kept
    signal.signal(signal.SIGTERM, kept[2])


def every_command() -> list[list[str]]:
    found: list[list[str]] = []

    def walk(command: click.Command, names: list[str]) -> None:
        found.append(names)
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                walk(inner, [*names, name])

    walk(cli, [])
    return found


@pytest.mark.parametrize("names", every_command(), ids=lambda names: "-".join(names) or "harness")
def test_a_command_quotes_wrong_arguments_visibly(
    names: list[str], as_a_program: None, capfd: pytest.CaptureFixture[str]
) -> None:
    sys.argv = ["harness", *names, "--" + HOSTILE]
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr().err
    assert ended.value.code == 2 and r"\x1b]0;owned\x07" in said and unsafe(said) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["intake", HOSTILE], ["grade", HOSTILE, "--assignment", HOSTILE, "--out", "x"], ["bench", HOSTILE],
        ["predict", HOSTILE, "--board", HOSTILE], ["export", HOSTILE, "--format", "csv"],
        ["mark", HOSTILE, HOSTILE, HOSTILE, "1", "--reason", HOSTILE], ["weights", "fetch", HOSTILE],
        ["weights", "add", HOSTILE, HOSTILE], ["env", "build", HOSTILE], ["reference", "train", HOSTILE],
        ["calibrate", "--measured", HOSTILE],
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_what_a_command_cannot_use_is_named_visibly(
    arguments: list[str], as_a_program: None, capfd: pytest.CaptureFixture[str]
) -> None:
    sys.argv = ["harness", *arguments]
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr()
    assert ended.value.code in (2, 3) and unsafe(said.out + said.err) == []
    assert r"\x1b" in said.err


def test_an_exception_that_nothing_catches_is_visible(as_a_program: None, capfd: pytest.CaptureFixture[str]) -> None:
    show_tracebacks_visibly()
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=lambda: [][0] if HOSTILE else None)
    thread.start()
    thread.join()
    said = capfd.readouterr().err
    assert unsafe(said) == [] and "ValueError: \\x1b]0;owned" in said and "IndexError" in said


def test_a_text_of_several_lines_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\ntwo\x1b")
    assert capsys.readouterr().out == "one\ntwo\\x1b\n"


# --- no other way -------------------------------------------------------------------------------

# What runs elsewhere: inside the sandbox, in a student's own notebook, or in a child whose stdout is a pipe of ours;
# and the course of the wheel, whose scripts an instructor runs.
ELSEWHERE = ("agent/", "apart/", "handin.py", "boundary/screen.py", "example/")
PRINTS = ("print", "print_json", "pprint", "echo", "secho", "Console", "get_console", "echo_via_pager", "prompt")
STARTS = ("run", "Popen", "call", "check_call", "check_output", "getoutput", "system", "popen")


def ours() -> list[Path]:
    files = [file for file in PACKAGE.rglob("*.py") if not str(file.relative_to(PACKAGE)).startswith(ELSEWHERE)]
    assert len(files) > 150
    return files


def ways_past(file: Path) -> list[str]:
    """What in a module would write to the terminal, or give it to a program to write to."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in PRINTS:
                found.append(f"{node.lineno}: {name}(")
            case ast.Attribute(value=ast.Name(id="click" | "rich" as where), attr=name) if name in PRINTS:
                found.append(f"{node.lineno}: {where}.{name}")
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name.strip("_") in ("stdout", "stderr"):
                found.append(f"{node.lineno}: sys.{name}")
            case ast.ImportFrom(module="rich.console" | "rich" | "click" | "sys", names=names):
                bad = (*PRINTS, "stdout", "stderr")
                found += [f"{node.lineno}: import of {name.name}" for name in names if name.name in bad]
            case ast.Import(names=names) | ast.ImportFrom(names=names) if any(n.name == "logging" for n in names):
                found.append(f"{node.lineno}: logging")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="subprocess" | "os" as where), attr=name)):
                told = {keyword.arg for keyword in node.keywords}
                if name in STARTS and not ("capture_output" in told or {"stdout", "stderr"} <= told):
                    found.append(f"{node.lineno}: {where}.{name} without a place for its output")
    return found


def test_nothing_but_the_screen_writes_to_the_terminal() -> None:
    found = {str(file.relative_to(PACKAGE)): ways for file in ours() if (ways := ways_past(file))}
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "print(name)", "import click\nclick.echo(name)", "from click import secho", "import sys\nsys.stderr.write(n)",
        "from rich.console import Console", "import rich\nrich.print(name)", "import logging", "from sys import stdout",
        "import subprocess\nsubprocess.run(['ls', name])", "import os\nos.system(name)",
        "import subprocess\nsubprocess.Popen(name, stdout=-1)",
    ],
)  # fmt: skip
def test_each_other_way_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(line)
    assert ways_past(tmp_path / "module.py")
