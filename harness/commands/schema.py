"""`harness schema`: what results.json holds."""

from __future__ import annotations

import json

import click

from harness.export import results_schema


@click.command()
def schema() -> int:
    """Print the JSON Schema of results.json."""
    click.echo(json.dumps(results_schema(), indent=2))
    return 0
