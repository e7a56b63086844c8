"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

PATH = click.Path(path_type=Path)

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
engine_option = click.option(
    "--sandbox",
    "engine",
    type=click.Choice(["auto", "docker", "bubblewrap", "none"]),
    default="auto",
    show_default=True,
    help="Where hand-ins run. 'none' is for code that you trust: it protects from nothing.",
)
runtime_option = click.option(
    "--runtime", help="Docker's runtime for hand-ins, as the Engine knows it; 'runsc' is gVisor's."
)
force_option = click.option("--force", is_flag=True, help="Do everything again, whatever is kept.")
