"""The command line finds its commands, and imports only what the one that is called needs."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from harness.cli.main import _COMMANDS, cli

HEAVY = ("scipy", "sklearn", "sqlalchemy", "pandas", "docker", "torch", "onnx")


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_list_says_of_a_command_what_its_own_help_says(name: str):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None and command.name == name
    assert command.get_short_help_str(200) == _COMMANDS[name]


def test_help_lists_every_command_without_importing_one():
    code = "import sys; from harness.cli.main import cli; cli(['--help'], standalone_mode=False); "
    code += f"print({set(HEAVY)!r} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert all(f"\n  {name} " in said for name in _COMMANDS)
    assert said.rstrip().endswith("set()")


def completed(*words: str) -> list[str]:
    """What a shell offers after `harness WORDS`, the last of them begun."""
    typed = {"COMP_WORDS": " ".join(["harness", *words]), "COMP_CWORD": str(len(words))}
    code = "import sys; sys.argv[0] = 'harness'; from harness.cli.main import main\ntry: main()\n"
    code += f"finally: print({set(HEAVY)!r} & sys.modules.keys(), file=sys.stderr)"
    environment = {**os.environ, **typed, "_HARNESS_COMPLETE": "bash_complete"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stderr == "set()\n"
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_the_shell_completes_commands_without_importing_one():
    assert completed("gr") == ["grade"]
    assert completed("") == sorted(_COMMANDS)


def test_the_shell_completes_names_of_weights():
    assert completed("weights", "fetch", "densenet12") == ["densenet121"]
    assert "mnist" in completed("weights", "fetch", "mnist")


def test_a_command_that_is_not_there_is_named():
    done = CliRunner().invoke(cli, ["grdae"])
    assert done.exit_code == 2 and "No such command 'grdae'" in done.output


def test_a_command_says_on_stderr_which_key_of_the_assignment_is_outdated(tmp_path):
    (tmp_path / "transfer.py").write_text("def train(): ...\n")
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "notebook.ipynb").write_text("{}")
    rest = '[reference]\ncode = "transfer.py"\n[[criteria]]\nkind = "manual"\npoints = 1\n'
    (tmp_path / "assignment.toml").write_text('title = "Objects"\nheldout = "withhold"\n' + rest)
    asked = ["intake", str(tmp_path / "anna"), "--assignment", str(tmp_path / "assignment.toml"), "--json"]
    done = CliRunner().invoke(cli, asked)
    assert "assignment.toml:2  heldout: is outdated" in done.stderr and "heldout" not in done.stdout
