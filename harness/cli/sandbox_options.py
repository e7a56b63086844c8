"""Options of commands that start a sandbox. They load no engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click

from harness.inputs.engine_names import EngineName

_F = TypeVar("_F", bound=Callable[..., Any])

runtime_option = click.option(
    "--runtime", help="Docker's runtime for submissions, as the Engine knows it; 'runsc' is gVisor's."
)


def sandbox_option(help: str) -> Callable[[_F], _F]:
    """The option `--sandbox`, passed to the command as `sandbox_name`."""
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
