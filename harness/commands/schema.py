"""`harness schema`: what results.json holds."""

from __future__ import annotations

import json

import click

from harness.export import results_schema
from harness.screen import say_json


@click.command()
def schema() -> int:
    """Print the JSON Schema of results.json."""
    say_json(json.dumps(results_schema(), indent=2))
    return 0
