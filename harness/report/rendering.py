"""Renders a template to a page that runs only our own script.

Every value is escaped, invisible and bidirectional characters are removed from the whole page, and its
Content-Security-Policy names our style and script by hash, so that the browser refuses any other. The instructor's
pages of submissions share one file with the style, so theirs allows the report's own files for styles and images.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.errors import cannot_write
from harness.files.private import private_folder
from harness.files.whole_file import whole_file
from harness.report import notebook, units
from harness.report.cards import with_labels
from harness.report.places import SHARED
from harness.report.plain import plain
from harness.report.used_style import names, used_only

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
INSTRUCTORS_PAGE = "submission.html.j2"  # the only one that loads files beside it (shared.py)
_STUDENTS_PAGE = "student.html.j2"
_WITH_NOTEBOOK = (INSTRUCTORS_PAGE, _STUDENTS_PAGE)
_KINDS = {"class.html.j2": "class", "unfinished.html.j2": "class", "bench.html.j2": "bench"}


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
    def frame_style(self) -> str:
        """The style of a notebook in its frame."""
        return self._style["frame"]

    @property
    def stylesheet(self) -> str:
        """The path in the output folder of the style that the instructor's pages have in common."""
        digest = hashlib.sha256(self.style.encode()).hexdigest()
        return f"{SHARED}/{digest[:24]}.css"

    def write_stylesheet(self, out: Path) -> None:
        """Write it. Raises `MachineError` when it cannot be written."""
        file = out / self.stylesheet
        with cannot_write(file):
            private_folder(file.parent)
            with whole_file(file) as stream:
                stream.write(self.style.encode())
            for other in file.parent.glob("*.css"):
                if other != file:
                    other.unlink(missing_ok=True)  # an earlier harness's

    def _styled(self, kind: str) -> Markup:
        """The rules for one kind of page, without the white space that only people need."""
        style = self._environment.get_template("style.css.j2").render(of=kind)
        style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
        style = re.sub(r"\s+", " ", style)
        style = re.sub(r" ?([{};,]) ?", r"\1", style).replace(": ", ":").replace(";}", "}").strip()
        return Markup(used_only(style, _names_in_frame()) if kind == "frame" else style)

    def render(self, template: str, **values: Any) -> str:
        """The page. Raises `jinja2.UndefinedError` if a value for the template is missing, which is our mistake."""
        style, frame_style = self._style[_KINDS.get(template, "submission")], self._style["frame"]
        of_instructor = template == INSTRUCTORS_PAGE
        styles = "'self'" if of_instructor else _source(style)
        if template in _WITH_NOTEBOOK:
            styles += f" {_source(frame_style)}"  # a frame's document has to keep the policy of its page, too
        policy = _policy(styles, "data: 'self'" if of_instructor else "data:")
        page = self._environment.get_template(template).render(
            values,
            style=style,
            script=self._script,
            stylesheet=self.stylesheet,
            policy=f"{policy}; script-src {_source(self._script)}",
            frame_style=frame_style,
            frame_policy=_policy(_source(frame_style), "data:"),
        )
        if template == _STUDENTS_PAGE:
            page = _with_less_style(page, style)
        return plain(with_labels(page))


def _with_less_style(page: str, style: Markup) -> str:
    """The page with only the rules that it uses. Its style and policy stand before all that a student wrote."""
    head, body = page.split("<body", 1)
    less = used_only(style, names(body))
    head = head.replace(f"<style>{style}</style>", f"<style>{less}</style>", 1)
    return f"{head.replace(_digest(style), _digest(less), 1)}<body{body}"


def _names_in_frame() -> frozenset[str]:
    """The tags and classes that a notebook in its frame can have."""
    template = (Path(__file__).parent / "templates" / "notebook.html.j2").read_text("utf-8")
    written = names(template.partition("macro framed")[2])
    outputs = (".cell", ".failed", ".output", *(f".{kind}" for kind in get_args(notebook.TextKind)))
    return written.union(outputs, notebook.TAGS, (f".{name}" for name in notebook.CODE_CLASSES))


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
        "at": lambda position: f"{round(position, 1):g}",  # in a drawing: of percent or pixels
        "moment": _moment,
        "fixed": lambda value: f"{value:.4g}",
        "percentage_points_whole": lambda difference: units.signed(100 * difference, 0),
    }
    return environment


def _policy(styles: str, images: str) -> str:
    """What a page may load: styles and images, each source expressions of the policy."""
    return f"default-src 'none'; img-src {images}; base-uri 'none'; form-action 'none'; style-src {styles}"


def _source(inline: str) -> str:
    """The policy's source expression for an inline style or script: the hash of its text."""
    return f"'sha256-{_digest(inline)}'"


def _digest(inline: str) -> str:
    return base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()


def _moment(iso: str) -> str:
    """`2026-11-24T13:59:11+00:00` -> `24 November 2026, 13:59 UTC`; any other text is kept."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    at = at.astimezone(UTC) if at.tzinfo else at
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
