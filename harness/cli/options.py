"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from harness.sandbox import EngineName

_F = TypeVar("_F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
runtime_option = click.option(
    "--runtime", help="Docker's runtime for submissions, as the Engine knows it; 'runsc' is gVisor's."
)
force_option = click.option("--force", is_flag=True, help="Do everything again, whatever is kept.")


def sandbox_option(help: str) -> Callable[[_F], _F]:
    """`--sandbox`, which the command takes as `sandbox_name`."""
    return click.option(
        "--sandbox",
        "sandbox_name",
        type=click.Choice(get_args(EngineName)),
        default="auto",
        show_default=True,
        help=help,
    )


handins_sandbox_option = sandbox_option(
    "Where submissions run. 'none' is for code that you trust: it protects from nothing."
)
