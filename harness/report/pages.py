"""Writes the pages, each whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from functools import partial
from pathlib import Path

from harness.errors import cannot_write
from harness.one_by_one import Defect, attempt, together
from harness.private import private_folder
from harness.report import overview, student
from harness.report.pictures import thumbnails
from harness.report.rendering import Renderer
from harness.report.sources import Sources
from harness.results import Results, SubmissionResult, with_defects


def write(results: Results, sources: Sources, out: Path) -> Results:
    """Write `out/index.html` and, for each hand-in, `out/students/<id>/index.html`.

    A hand-in that cannot be shown has a page that says so, and a finding in the results that are given back.
    Raises `MachineError` when `out` cannot be written.
    """
    renderer = Renderer()
    private_folder(out / "students")
    not_in_table = _not_in_table(renderer, results)
    results = with_defects(results, not_in_table)
    results = with_defects(results, _write_each(renderer, results, sources, out))
    write_page(out / "index.html", _overview(renderer, results, not_in_table))
    return results


def _write_each(renderer: Renderer, results: Results, sources: Sources, out: Path) -> dict[str, Defect]:
    """Write the pages of the hand-ins; the defects that it ran into, by the hand-in's id."""
    thumbnail = thumbnails(sources.held_out)
    rows = results.submissions
    defects: dict[str, Defect] = {}

    def shown(row: SubmissionResult, index: int, file: Path) -> None:
        before, after = rows[index - 1] if index else None, rows[index + 1] if index + 1 < len(rows) else None
        view = student.view(results, row, sources, thumbnail)
        write_page(file, renderer.render("student.html.j2", **view, before=before, after=after))

    def not_shown(row: SubmissionResult, found: Defect, file: Path) -> None:
        write_page(file, renderer.render("not_shown.html.j2", results=results, id=row.id, finding=found.finding))

    for index, row in enumerate(rows):
        file = out / "students" / row.id / "index.html"
        done = attempt("making its page", partial(shown, row, index, file))
        if isinstance(done, Defect):
            defects[row.id] = done
            file.unlink(missing_ok=True)  # an earlier run's
            attempt("saying so", partial(not_shown, row, done, file))
    return defects


def _not_in_table(renderer: Renderer, results: Results) -> dict[str, Defect]:
    """The hand-ins whose row in the class's table cannot be shown, by id."""
    rows = results.submissions

    def shown(some: list[SubmissionResult]) -> None:
        _overview(renderer, results.model_copy(update={"submissions": tuple(some)}), ())

    _, left_out = together("showing it in the overview", rows, shown)
    return {rows[index].id: found for index, found in left_out.items()}


def _overview(renderer: Renderer, results: Results, left_out: Collection[str]) -> str:
    """The class's page; below its table are the ids of those that are left out of it."""
    rows = tuple(row for row in results.submissions if row.id not in left_out)
    view = overview.view(results.model_copy(update={"submissions": rows}))
    return renderer.render("class.html.j2", **view, left_out=sorted(left_out))


def write_page(file: Path, text: str) -> None:
    """Write the page under its final name, whole. Raises `MachineError` when its folder cannot be written."""
    with cannot_write(file):
        private_folder(file.parent)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".writing-", suffix=".html")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
