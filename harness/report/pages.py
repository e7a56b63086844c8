"""Writes the pages, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from harness.boundary.one_by_one import Defect, attempt, together
from harness.errors import cannot_write
from harness.files.private import private_folder
from harness.files.whole_file import whole_file
from harness.gradebook.results import Results, SubmissionResult, with_defects
from harness.report import overview, student
from harness.report.cleared import for_instructor, for_student
from harness.report.host_paths import without_host_paths
from harness.report.places import INSTRUCTORS, NOTEBOOK, PAGE, SHARED, STUDENTS
from harness.report.rendering import INSTRUCTORS_PAGE, STUDENTS_PAGE, Renderer
from harness.report.roster.absent import Absent, absent
from harness.report.shared import SharedImages
from harness.report.sources import Sources
from harness.report.thumbnails import thumbnails


def write(results: Results, sources: Sources, out: Path) -> Results:
    """Write `out/index.html` and, for each submission, two pages.

    `out/submissions/<id>/index.html` is the instructor's; `out/students/<id>/index.html` the student's; both show
    `out/students/<id>/notebook.html`. What is given to the student is one file: `alone.alone` makes it.
    A submission that cannot be shown has pages that say so, and a finding in the results that are given back.
    Raises `MachineError` when `out` cannot be written.
    """
    renderer = Renderer()
    for folder in (INSTRUCTORS, STUDENTS):
        private_folder(out / folder)
    for folder in (SHARED, STUDENTS):  # the students' pages need none of the instructor's files
        renderer.write_stylesheet(out / folder)
    not_in_table = _not_in_table(renderer, results)
    results = with_defects(results, not_in_table)
    results = with_defects(results, _write_each(renderer, results, sources, out))
    nothing_from = attempt("finding who handed in nothing", partial(absent, results, out))
    if isinstance(nothing_from, Defect):
        nothing_from = Absent(trouble=nothing_from.finding.message)
    write_page(out / "index.html", _overview(renderer, results, not_in_table, nothing_from))
    return results


def _write_each(renderer: Renderer, results: Results, sources: Sources, out: Path) -> dict[str, Defect]:
    """Write the pages of the submissions; the defects that it ran into, by the submission's id."""
    thumbnail = thumbnails(sources.held_out)
    shared = SharedImages(thumbnails(sources.held_out, shared=True), out)
    rows = results.submissions
    defects: dict[str, Defect] = {}

    def instructors(index: int) -> str:
        neighbours = student.Neighbours(
            before=rows[index - 1] if index else None,
            after=rows[index + 1] if index + 1 < len(rows) else None,
        )
        whole = student.view(for_instructor(results, rows[index], sources, shared.path))
        beside = {**neighbours.as_values(), "notebook_file": f"../../{STUDENTS}/{rows[index].id}/{NOTEBOOK}"}
        return renderer.render(INSTRUCTORS_PAGE, **whole, **beside, is_final=True)

    def students(index: int) -> str:
        cleared = student.view(for_student(results, rows[index], sources, thumbnail))
        page = renderer.render(STUDENTS_PAGE, **cleared, notebook_file=NOTEBOOK, is_final=True)
        return without_host_paths(page, sources.host_folders)

    def keep_notebook(index: int, file: Path) -> None:
        notebook = student.notebook_of(sources.evidence[rows[index].id], sources.store)
        if notebook is None or notebook.problem:
            file.unlink(missing_ok=True)  # an earlier run's
        else:
            document = renderer.render_notebook(notebook, results.run.finished)
            write_page(file, without_host_paths(document, sources.host_folders))

    def shown(page: Callable[[int], str], index: int, file: Path) -> None:
        write_page(file, page(index))

    for index, row in enumerate(rows):
        notebook_file = out / STUDENTS / row.id / NOTEBOOK
        kept = attempt("making its page", partial(keep_notebook, index, notebook_file))
        if isinstance(kept, Defect):
            notebook_file.unlink(missing_ok=True)
        for folder, page in ((INSTRUCTORS, instructors), (STUDENTS, students)):
            file = out / folder / row.id / PAGE
            done = kept if isinstance(kept, Defect) else attempt("making its page", partial(shown, page, index, file))
            if isinstance(done, Defect):
                defects[row.id] = done
                file.unlink(missing_ok=True)  # an earlier run's
                attempt("saying so", partial(_say_so, renderer, results, row.id, done, folder, file))
    shared.remove_others()
    return defects


def _say_so(renderer: Renderer, results: Results, id: str, why: Defect, folder: str, file: Path) -> None:
    """Write a page that says that there is none; for a student without a word of why."""
    audience = "student" if folder == STUDENTS else "instructor"
    values = {"results": results, "id": id, "finding": why.finding, "audience": audience}
    write_page(file, renderer.render("not_shown.html.j2", **values))


def _not_in_table(renderer: Renderer, results: Results) -> dict[str, Defect]:
    """The submissions whose row in the class's table cannot be shown, by id."""
    rows = results.submissions

    def shown(some: list[SubmissionResult]) -> None:
        _overview(renderer, results.model_copy(update={"submissions": tuple(some)}), ())

    _, left_out = together("showing it in the overview", rows, shown)
    return {rows[index].id: found for index, found in left_out.items()}


def _overview(
    renderer: Renderer, results: Results, left_out: Collection[str], nothing_from: Absent | None = None
) -> str:
    """The class's page; it names those that are left out of its table, and who handed in nothing."""
    rows = tuple(row for row in results.submissions if row.id not in left_out)
    view = overview.view(results.model_copy(update={"submissions": rows}))
    return renderer.render("class.html.j2", **view, left_out=sorted(left_out), nothing_from=nothing_from)


def write_page(file: Path, text: str) -> None:
    """Write the page under its final name, whole. Raises `MachineError` when its folder cannot be written."""
    with cannot_write(file):
        private_folder(file.parent)
        with whole_file(file) as stream:
            stream.write(text.encode())
