"""Writes the pages, each whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from harness.boundary.one_by_one import Defect, attempt, together
from harness.files.private import private_folder
from harness.gradebook.results import Results, SubmissionResult, with_defects
from harness.report import overview
from harness.report.places import INSTRUCTORS, SHARED, STUDENTS
from harness.report.rendering import Renderer
from harness.report.roster.absent import Absent, absent
from harness.report.sources import Sources
from harness.report.submission_pages import SubmissionPages
from harness.report.written import write_page


def write(results: Results, sources: Sources, out: Path) -> Results:
    """Write `out/index.html` and, for each submission, two pages.

    `out/submissions/<id>/index.html` is the instructor's; `out/students/<id>/index.html` the student's; both show
    `out/students/<id>/notebook.html`. What is given to the student is one file: `alone.alone` makes it.
    A page that was made from the same stays as it is (`kept.py`). A submission that cannot be shown has pages that say
    so. The results that are given back have what each page is made of, and a finding where one could not be made.
    Raises `MachineError` when `out` cannot be written.
    """
    renderer = Renderer()
    for folder in (INSTRUCTORS, STUDENTS):
        private_folder(out / folder)
    for folder in (SHARED, STUDENTS):  # the students' pages need none of the instructor's files
        renderer.write_stylesheet(out / folder)
    nothing_from = attempt("finding who handed in nothing", partial(absent, results, out))
    if isinstance(nothing_from, Defect):
        nothing_from = Absent(trouble=nothing_from.finding.message)
    page, not_in_table = _class_page(renderer, results, nothing_from)
    results = with_defects(results, not_in_table)
    made = SubmissionPages(renderer, results, sources, out).write()
    results = with_defects(_with_pages(results, made.made_of), made.defects)
    if made.defects or not_in_table:
        page = _overview(renderer, results, not_in_table, nothing_from)
    write_page(out / "index.html", page)
    return results


def _with_pages(results: Results, made_of: Mapping[str, str]) -> Results:
    rows = (row.model_copy(update={"page": made_of[row.id]}) for row in results.submissions)
    return results.model_copy(update={"submissions": tuple(rows)})


def _class_page(renderer: Renderer, results: Results, nothing_from: Absent | None) -> tuple[str, dict[str, Defect]]:
    """The class's page, and the submissions whose row in its table cannot be shown, by id."""
    rows = results.submissions

    def shown(some: list[SubmissionResult]) -> str:
        return _overview(renderer, results.model_copy(update={"submissions": tuple(some)}), (), nothing_from)

    page, left_out = together("showing it in the overview", rows, shown)
    return page, {rows[index].id: found for index, found in left_out.items()}


def _overview(renderer: Renderer, results: Results, left_out: Collection[str], nothing_from: Absent | None) -> str:
    """The class's page; it names those that are left out of its table, and who handed in nothing."""
    rows = tuple(row for row in results.submissions if row.id not in left_out)
    view = overview.view(results.model_copy(update={"submissions": rows}))
    return renderer.render("class.html.j2", **view, left_out=sorted(left_out), nothing_from=nothing_from)
