"""Renders a template to a page that runs only our own script.

Every value is escaped, invisible and bidirectional characters are removed from the whole page, and its
Content-Security-Policy names our style and script by hash, so that the browser refuses any other.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.report import units
from harness.report.plain import plain

_FILTERS = (
    units.percent,
    units.percent_interval,
    units.percentage_points,
    units.percentage_points_interval,
    units.milliseconds,
    units.seconds,
    units.size,
    units.count,
    units.points,
    units.points_interval,
    units.times,
    units.times_interval,
    units.probability,
    units.confidence,
    units.tiny,
)


class Renderer:
    """The templates, loaded once for all pages of a run."""

    def __init__(self) -> None:
        self._environment = _templates()
        self._style = Markup(self._environment.get_template("style.css.j2").render())
        self._script = Markup(self._environment.get_template("sort.js").render())
        base = (
            f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src {_source(self._style)}"
        )
        self._policy = f"{base}; script-src {_source(self._script)}"
        self._frame_policy = base

    def render(self, template: str, **values: Any) -> str:
        """The page. Raises `jinja2.UndefinedError` if a value for the template is missing, which is our mistake."""
        page = self._environment.get_template(template).render(
            values, style=self._style, script=self._script, policy=self._policy, frame_policy=self._frame_policy
        )
        return plain(page)


@functools.cache
def _templates() -> Environment:
    """The templates, compiled when they are first used."""
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {f.__name__: f for f in _FILTERS}
    environment.filters |= {
        "moment": _moment,
        "fixed": lambda value: f"{value:.4g}",
        "percentage_points_whole": lambda difference: units.signed(100 * difference, 0),
    }
    return environment


def _source(inline: str) -> str:
    """The policy's source expression for an inline style or script: the hash of its text."""
    digest = hashlib.sha256(inline.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _moment(iso: str) -> str:
    """`2026-11-24T13:59:11+00:00` -> `24 November 2026, 13:59 UTC`; any other text is kept."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    at = at.astimezone(UTC) if at.tzinfo else at
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
