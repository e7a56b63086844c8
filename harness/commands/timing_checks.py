"""The part of `harness doctor` about timing."""

from __future__ import annotations

import json

import click

from harness import machine

_SAYS = {True: "fair", False: "unfair", None: "not told"}


def doctor_timing(as_json: bool) -> int:
    """Print what makes timing unfair here, each with the command that mends it. Always 0: it is advice."""
    found = machine.checks()
    if as_json:
        click.echo(json.dumps([check.as_dict() for check in found]))
        return 0
    for check in found:
        click.echo(f"timing, {check.name}: {_SAYS[check.fair]}: {check.detail}")
        if check.fair is False and check.do:
            click.echo(f"  do: {check.do}")
    return 0
