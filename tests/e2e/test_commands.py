"""Commands beside `harness grade`: what `doctor` says, and help for each."""

import json
import subprocess

import click
from command_line import HARNESS

from harness.cli.main import cli


def test_doctor_names_the_engines_and_the_default():
    done = subprocess.run([*HARNESS, "doctor", "--json"], capture_output=True, text=True, timeout=100, check=False)
    reports = {report["name"]: report for report in json.loads(done.stdout)}
    assert done.returncode == 0
    assert reports["bubblewrap"]["works"]
    assert sum(report["is_default"] for report in reports.values()) == 1
    assert reports["none"]["not_enforced"] and not reports["none"]["is_default"]


def test_every_command_has_help():
    def walk(command: click.Command, path: tuple[str, ...]) -> None:
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (path, parameter.name)
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                walk(inner, (*path, name))

    walk(cli, ("harness",))
