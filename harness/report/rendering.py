"""Renders a template to a page that runs only our own script.

Every value is escaped, invisible and bidirectional characters are removed from the whole page, and its
Content-Security-Policy names our style and script by hash, so that the browser refuses any other. The pages of
submissions share files with the style, and frame a file with the notebook, so theirs allows the report's own files for
that. `alone.py` makes one file of a student's page.
"""

from __future__ import annotations

import functools
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.errors import cannot_write
from harness.files.private import private_folder
from harness.files.whole_file import whole_file
from harness.report import units
from harness.report.cards import OF_CLASS, OF_SUBMISSION, with_labels
from harness.report.compact import compact
from harness.report.notebook import Notebook
from harness.report.plain import plain
from harness.report.policy import OWN_FILES, policy, source, style_source
from harness.report.used_style import names, used_only

_FILTERS = (
    units.percent,
    units.percent_interval,
    units.percentage_points,
    units.percentage_points_interval,
    units.ap,
    units.level,
    units.ap_interval,
    units.ap_difference,
    units.ap_difference_interval,
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
INSTRUCTORS_PAGE = "submission.html.j2"
STUDENTS_PAGE = "student.html.j2"
_KINDS = {"class.html.j2": "class", "unfinished.html.j2": "class", "bench.html.j2": "bench"}
_TABLES = {"class": OF_CLASS, "submission": OF_SUBMISSION}  # whose columns each style names


class Renderer:
    """The templates, loaded once for all pages of a run."""

    def __init__(self) -> None:
        self._environment = _templates()
        self._style = {kind: self._styled(kind) for kind in {"submission", "frame", *_KINDS.values()}}
        self._script = Markup(self._environment.get_template("sort.js").render())

    @property
    def style(self) -> str:
        """The style of the instructor's pages of submissions."""
        return self._style["submission"]

    @property
    def _stylesheet(self) -> str:
        return f"{hashlib.sha256(self.style.encode()).hexdigest()[:24]}.css"

    def write_stylesheet(self, folder: Path) -> None:
        """Write the style that the pages of submissions have in common. Raises `MachineError` when it cannot be."""
        file = folder / self._stylesheet
        with cannot_write(file):
            private_folder(folder)
            with whole_file(file) as stream:
                stream.write(self.style.encode())
            for other in folder.glob("*.css"):
                if other != file:
                    other.unlink(missing_ok=True)  # an earlier harness's

    def _styled(self, kind: str) -> Markup:
        """The rules for one kind of page, without the white space that only people need."""
        style = self._environment.get_template("style.css.j2").render(of=kind, tables=_TABLES.get(kind, {}))
        style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
        style = re.sub(r"\s+", " ", style)
        style = re.sub(r" ?([{};,]) ?", r"\1", style).replace(": ", ":").replace(";}", "}").strip()
        return Markup(style)

    def render(self, template: str, **values: Any) -> str:
        """The page. Raises `jinja2.UndefinedError` if a value for the template is missing, which is our mistake.

        `notebook_document` among the values: what it frames, on a page of a submission that does not frame a file.
        """
        values = {"notebook_document": "", **values}
        style = self._style[_KINDS.get(template, "submission")]
        page = self._environment.get_template(template).render(
            values,
            style=style,
            script=self._script,
            stylesheet=self._stylesheet,
            policy=Markup(self._policy(template, style, values["notebook_document"])),  # our own words, without `"`
        )
        return plain(compact(with_labels(page, _TABLES.get(_KINDS.get(template, "submission"), {}))))

    def _policy(self, template: str, style: str, notebook_document: str) -> str:
        if template not in (INSTRUCTORS_PAGE, STUDENTS_PAGE):
            return policy(source(style), rest=f"script-src {source(self._script)}")
        images = f"data: {OWN_FILES}" if template == INSTRUCTORS_PAGE else "data:"
        if notebook_document:  # a frame's document has to keep the policy of its page, too
            return policy(f"{OWN_FILES} {style_source(notebook_document)}", images)
        return policy(OWN_FILES, images, f"frame-src {OWN_FILES}")

    def render_notebook(self, shown: Notebook, run: str) -> str:
        """The notebook as a document of its own, with the rules that it uses. `run`: when the page's run ended."""
        macros: Any = self._environment.get_template("notebook.html.j2").module
        body = str(macros.body(shown))
        less = used_only(self._style["frame"], names(body))
        return plain(compact(str(macros.document(Markup(body), Markup(less), Markup(policy(source(less))), run))))


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
        "at": lambda position: f"{round(position, 1):g}",  # in a drawing, in percent of its width
        "px": lambda position: f"{position:.0f}",
        "moment": _moment,
        "fixed": lambda value: f"{value:.4g}",
        "percentage_points_whole": lambda difference: units.signed(100 * difference, 0),
    }
    return environment


def _moment(iso: str) -> str:
    """`2026-11-24T13:59:11+00:00` -> `24 November 2026, 13:59 UTC`; any other text is kept."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    at = at.astimezone(UTC) if at.tzinfo else at
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
