"""The command line finds its commands, and imports only what the one that is called needs."""

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


def test_a_command_that_is_not_there_is_named():
    done = CliRunner().invoke(cli, ["grdae"])
    assert done.exit_code == 2 and "No such command 'grdae'" in done.output
