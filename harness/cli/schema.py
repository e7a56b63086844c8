"""`harness schema`: what results.json holds."""

from __future__ import annotations

import json

import click

from harness.boundary.screen import say_json
from harness.report.export import results_schema


@click.command()
def schema() -> int:
    """Print the JSON Schema of results.json."""
    say_json(json.dumps(results_schema(), indent=2))
    return 0
