"""The command line: finds the command, and turns errors into an instruction and an exit status.

Exit statuses: 0 done; 1 done, but some submission could not be graded; 2 wrong usage or a broken assignment; 3 this
machine cannot do it. `--json` prints the result as JSON on stdout; progress goes to stderr.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import signal
import sys
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

import harness
from harness.boundary.screen import Screen, close_stdout, say, show_tracebacks_visibly, visible
from harness.errors import MACHINES_OWN, HarnessError, MachineError
from harness.files.private import keep_to_owner
from harness.files.temporary_folders import own_temporary_folder

_MACHINE = MACHINES_OWN | {errno.EACCES, errno.EPERM}  # for a submission's own files it is caught earlier

# Command -> its help in one line. The command's module in `harness.cli` has the same name and is imported only when it
# is called, because importing all of them takes two seconds.
_COMMANDS = {
    "answers": "Write every open answer of the run in OUT as a table to mark in.",
    "bench": "Measure how fast models are: latency, throughput, memory, accuracy.",
    "boards": "List the Jetson-class boards; with a command, what is known of their speed.",
    "calibrate": "Correct by your own measurements from a board; three models already narrow the intervals there.",
    "check": "Check what you are about to hand in: the notebook, model and data set in the folder DIR.",
    "diff": "Show whose grade differs between two runs, by what, and why.",
    "doctor": "Say which sandbox engines work, which is the default, what each does not enforce, and what is unfair.",
    "env": "The software that submissions run with.",
    "export": "Write the marks of the run in OUT as FORMAT, the pages for students to FEEDBACK, or both.",
    "grade": "Grade every submission in the folder SUBMISSIONS.",
    "init": "Start an assignment in DIR: assignment.toml, folders, and a README of what to put where.",
    "history": "Tell the story of STUDENT's grade: its runs, people's marks, what was published.",
    "intake": "Show what would be graded in SUBMISSIONS, as what, and why.",
    "mark": "Enter a person's mark for a criterion; the next `grade` to OUT takes it in.",
    "predict": "Predict how long MODEL takes on boards, each with its 90 % interval.",
    "publish": "Give the students of the run in OUT their pages, and keep what was given.",
    "reference": "The reference solution that submissions are compared with.",
    "release": "Write what students get of an assignment, and nothing that only its instructor has.",
    "schema": "Print the JSON Schema of results.json.",
    "validate": "Say what is wrong or doubtful with an assignment, before a class waits for it.",
    "weights": "Pre-trained weights and image sets: fetched once, then given to submissions without a network.",
    "why": "Say which stage of SUBMISSION the next grade would run again, and which of its inputs changed.",
}

# Modules of the extra `grade`, which a student's installation does not have.
_OF_GRADING = {
    "docker",
    "dulwich",
    "jinja2",
    "markdown_it",
    "nh3",
    "py7zr",
    "pygments",
    "requests",
    "sqlalchemy",
    "tomli_w",
}


class _Commands(click.Group):
    """The commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"harness.cli.{cmd_name}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The same as click's, which would import every command for its help."""
        found = [
            CompletionItem(name, help=_COMMANDS[name]) for name in sorted(_COMMANDS) if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(harness.__version__, prog_name="harness")
def cli() -> None:
    """Grade a transfer-learning assignment, and benchmark its models."""


def main() -> NoReturn:
    """The console script: turns every expected error into an instruction and an exit status."""
    if sys.getfilesystemencoding() != "utf-8":  # an old locale; names in submissions are UTF-8 anyway
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    show_tracebacks_visibly()
    signal.signal(signal.SIGTERM, _interrupt)
    keep_to_owner()
    try:
        with own_temporary_folder():
            status = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        status = _interrupted()
    except KeyboardInterrupt:
        status = _interrupted()
    except click.ClickException as error:
        _show(error)
        status = 2
    except HarnessError as error:
        _print(error)
        status = error.exit_status
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _OF_GRADING:
            raise
        what = f"{error.name} is not installed, which `harness {visible(' '.join(sys.argv[1:2]))}` needs"
        _print(MachineError(what, "pip install 'transfer-harness[grade]'"))
        status = MachineError.exit_status
    except BrokenPipeError:
        close_stdout()
        status = 0
    except OSError as error:
        if error.errno not in _MACHINE:
            raise
        where = f"{visible(str(error.filename))}: " if error.filename else ""
        _print(MachineError(f"{where}{error.strerror}", "make room on the disk, or check its permissions"))
        status = MachineError.exit_status
    sys.exit(status)


def _print(error: HarnessError) -> None:
    """Print an error and what to do about it."""
    console = Screen(stderr=True, soft_wrap=True)
    console.print(f"harness: {error.message}", style="red")
    if error.do:
        console.print(f"  do: {error.do}")


def _show(error: click.ClickException) -> None:
    """Print click's message about wrong arguments, which may quote them."""
    said = io.StringIO()
    error.show(said)
    say(said.getvalue().rstrip("\n"), err=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _interrupted() -> int:
    say("Stopped. Run the same command again to go on: what is done is kept.", err=True)
    return 130
