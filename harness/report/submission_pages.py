"""Writes the pages of a run's submissions: of each the instructor's, the student's and its notebook."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.boundary.one_by_one import Defect, attempt
from harness.gradebook.results import Results, SubmissionResult
from harness.report import student
from harness.report.cleared import for_instructor, for_student
from harness.report.host_paths import host_paths, without_host_paths
from harness.report.kept import Identity, stands
from harness.report.notebook import Notebook
from harness.report.page_sources import PageSources
from harness.report.places import INSTRUCTORS, NOTEBOOK, PAGE, STUDENTS
from harness.report.rendering import INSTRUCTORS_PAGE, STUDENTS_PAGE, Renderer
from harness.report.shared import SharedImages
from harness.report.sources import Sources
from harness.report.thumbnails import thumbnails
from harness.report.written import write_page


@dataclass(slots=True)
class MadePages:
    """By the submission's id: what its student's page is made of, and defects that making its pages ran into."""

    made_of: dict[str, str] = field(default_factory=dict)
    defects: dict[str, Defect] = field(default_factory=dict)


class SubmissionPages:
    """The pages of all submissions of a run in the folder `out`."""

    def __init__(self, renderer: Renderer, results: Results, sources: Sources, out: Path) -> None:
        self._renderer, self._results, self._sources, self._out = renderer, results, sources, out
        self._identity = Identity(sources.store)
        self._thumbnail = thumbnails(sources.held_out)
        self._shared = SharedImages(thumbnails(sources.held_out, shared=True), out)
        paths = host_paths(tuple(sources.host_folders))
        # Hashed, since a folder's name may be no UTF-8, which JSON needs.
        self._host_paths = hashlib.sha256(paths.encode("utf-8", "surrogatepass")).hexdigest()

    def write(self) -> MadePages:
        """Write those pages that an earlier run did not make from the same. Raises `MachineError`."""
        made = MadePages()
        for index, row in enumerate(self._results.submissions):
            folder = self._out / STUDENTS / row.id
            kept = attempt("making its page", partial(self._notebook, row, folder / NOTEBOOK))
            if isinstance(kept, Defect):
                (folder / NOTEBOOK).unlink(missing_ok=True)
            for place, write in ((INSTRUCTORS, self._instructors), (STUDENTS, self._students)):
                file = self._out / place / row.id / PAGE
                done = (
                    kept if isinstance(kept, Defect) else attempt("making its page", partial(write, index, file, kept))
                )
                if isinstance(done, Defect):
                    made.defects[row.id] = done
                    file.unlink(missing_ok=True)  # an earlier run's
                    attempt("saying so", partial(self._say_so, row.id, done, place, file))
                    done = self._results.run.finished
                if place == STUDENTS:
                    made.made_of[row.id] = done
        self._shared.remove_others()
        return made

    def _notebook(self, row: SubmissionResult, file: Path) -> str:
        """Write the notebook as it ran; what it is made of, and why it is not shown. Empty where there is none."""
        evidence = self._sources.evidence[row.id]
        ran = student.notebook_that_ran(evidence)
        made_of = "" if ran is None else self._identity.of("notebook", ran, self._host_paths)
        if made_of and stands(file, made_of):
            return made_of
        notebook = student.notebook_of(evidence, self._sources.store)
        if notebook is None or notebook.problem:
            file.unlink(missing_ok=True)  # an earlier run's
            return "" if notebook is None else self._identity.of("notebook", made_of, notebook.problem)
        document = self._renderer.render_notebook(notebook, made_of)
        write_page(file, without_host_paths(document, self._sources.host_folders))
        return made_of

    def _instructors(self, index: int, file: Path, notebook_made_of: str) -> str:
        rows, row = self._results.submissions, self._results.submissions[index]
        page = for_instructor(self._results, row, self._sources, self._shared)
        neighbours = student.neighbours(rows, index)
        made_of = self._identity.of(page.all_but_the_moment(), neighbours, notebook_made_of, self._renderer.style)
        if stands(file, made_of, self._shared):
            return made_of
        beside = {**neighbours.as_values(), "notebook_file": f"../../{STUDENTS}/{row.id}/{NOTEBOOK}"}
        text, made_of = self._rendered(INSTRUCTORS_PAGE, page, made_of, **beside)
        write_page(file, text)
        return made_of

    def _students(self, index: int, file: Path, notebook_made_of: str) -> str:
        row = self._results.submissions[index]
        page = for_student(self._results, row, self._sources, self._thumbnail)
        made_of = self._identity.of(page.all_but_the_moment(), notebook_made_of, self._host_paths, self._renderer.style)
        if stands(file, made_of):
            return made_of
        beside = {"notebook_file": NOTEBOOK, "notebook_made_of": notebook_made_of}
        text, made_of = self._rendered(STUDENTS_PAGE, page, made_of, **beside)
        write_page(file, without_host_paths(text, self._sources.host_folders))
        return made_of

    def _rendered(self, template: str, page: PageSources, made_of: str, **beside: object) -> tuple[str, str]:
        """The page, and what it is made of: this moment where it shows less than its sources have."""
        values = student.view(page)
        if page.lacks_images or self._lacks_notebook(page, values["notebook"]):
            made_of = self._results.run.finished
        return self._renderer.render(template, **values, **beside, made_of=made_of, is_final=True), made_of

    def _lacks_notebook(self, page: PageSources, notebook: Notebook | None) -> bool:
        """Whether the notebook could not be read for the page although an earlier run wrote it."""
        file = self._out / STUDENTS / page.result.id / NOTEBOOK
        return notebook is not None and notebook.problem is not None and file.is_file()

    def _say_so(self, id: str, why: Defect, folder: str, file: Path) -> None:
        """Write a page that says that there is none; for a student without a word of why."""
        audience = "student" if folder == STUDENTS else "instructor"
        values = {"results": self._results, "id": id, "finding": why.finding, "audience": audience}
        write_page(file, self._renderer.render("not_shown.html.j2", **values))
