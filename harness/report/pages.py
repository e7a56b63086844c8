"""Writes the pages, each whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.report import overview, student
from harness.report.cleared import for_instructor, for_student
from harness.report.host_paths import without_host_paths
from harness.report.pictures import thumbnails
from harness.report.places import INSTRUCTORS, PAGE, STUDENTS
from harness.report.rendering import Renderer
from harness.report.sources import Sources
from harness.results import Results


def write(results: Results, sources: Sources, out: Path) -> None:
    """Write `out/index.html` and, for each submission, two pages.

    `out/submissions/<id>/index.html` is the instructor's; `out/students/<id>/index.html` may be given to the student.
    Raises `KeyError` for a submission without evidence, `OSError` when `out` cannot be written.
    """
    renderer = Renderer()
    thumbnail = thumbnails(sources.held_out)
    rows = results.submissions
    for folder in (INSTRUCTORS, STUDENTS):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for index, row in enumerate(rows):
        neighbours = student.Neighbours(
            before=rows[index - 1] if index else None,
            after=rows[index + 1] if index + 1 < len(rows) else None,
        )
        whole = student.view(for_instructor(results, row, sources, thumbnail))
        page = renderer.render("student.html.j2", **whole, **neighbours.as_values())
        write_page(out / INSTRUCTORS / row.id / PAGE, page)
        cleared = student.view(for_student(results, row, sources, thumbnail))
        page = renderer.render("student.html.j2", **cleared, **student.NOBODY.as_values())
        write_page(out / STUDENTS / row.id / PAGE, without_host_paths(page, sources.host_folders))
    write_page(out / "index.html", renderer.render("class.html.j2", **overview.view(results)))


def write_page(file: Path, text: str) -> None:
    """Write the page under its final name, whole. Raises `OSError`."""
    file.parent.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".writing-", suffix=".html")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            os.fchmod(stream.fileno(), 0o644)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
