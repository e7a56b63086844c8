"""`harness doctor`: what works on this machine, and what makes timing unfair."""

from __future__ import annotations

import json

import click

from harness import sandbox
from harness.bench import machine
from harness.boundary.screen import say, say_json
from harness.cli.options import as_json_option

_SAYS = {True: "fair", False: "unfair", None: "not told"}


@click.command()
@click.option("--timing", is_flag=True, help="Only what makes timing unfair here, and the commands that mend it.")
@as_json_option
def doctor(timing: bool, as_json: bool) -> int:
    """Say which sandbox engines work, which is the default, what each does not enforce, and what is unfair.

    Without --timing, --json lists the engines only.
    """
    if timing:
        return _timing(as_json)
    reports = sandbox.diagnose()
    if as_json:
        say_json(json.dumps([report.as_dict() for report in reports]))
    for report in reports if not as_json else []:
        state = "works" if report.works else "does not work"
        default = ", the default" if report.is_default else ""
        say(f"{report.name} {report.version}: {state}{default}".replace(" :", ":"))
        for line in (report.detail, *(f"not enforced: {what}" for what in report.not_enforced)):
            if line:
                say(f"  {line}")
    if not as_json:
        _timing(as_json)
    return 0 if any(report.works and report.name != "none" for report in reports) else 3


def _timing(as_json: bool) -> int:
    """Print what makes timing unfair here, each with the command that fixes it. Returns 0, because it is advice."""
    found = machine.checks()
    if as_json:
        say_json(json.dumps([check.as_dict() for check in found]))
        return 0
    for check in found:
        say(f"timing, {check.name}: {_SAYS[check.fair]}: {check.detail}")
        if check.fair is False and check.do:
            say(f"  do: {check.do}")
    return 0
