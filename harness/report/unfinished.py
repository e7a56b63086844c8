"""The pages of a run that goes on: the class's, and the instructor's of each submission that has been examined.

None of these is for students: marks can still change. The pages of the whole run replace them at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from harness.boundary.one_by_one import together
from harness.gradebook.results import Results, SubmissionResult
from harness.report import charts, overview, student
from harness.report.cleared import for_instructor
from harness.report.places import INSTRUCTORS, PAGE, SHARED
from harness.report.rendering import INSTRUCTORS_PAGE, Renderer
from harness.report.shared import SharedImages
from harness.report.sources import Sources
from harness.report.thumbnails import thumbnails
from harness.report.written import write_page
from harness.stages.evidence.submission import Evidence

Progressed = Literal["waiting", "running", "examined", "timed"]
RunState = Literal["goes on", "stopped"]
REFRESHED_EVERY = 10  # s: how often a browser loads the class's page anew while the run goes on


@dataclass(frozen=True, slots=True)
class UnfinishedRow:
    """One submission in the table."""

    id: str
    student: str
    progressed: Progressed
    result: SubmissionResult | None  # as far as it has come
    has_page: bool  # of this run


class UnfinishedPages:
    """Writes them to the folder `out`; `sources` has no evidence yet."""

    def __init__(self, sources: Sources, out: Path) -> None:
        self._sources, self._out = sources, out
        self._has_style = False
        self._shared = SharedImages(thumbnails(sources.held_out, shared=True), out)

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer()

    def write_submission(self, results: Results, row: SubmissionResult, evidence: Evidence) -> None:
        """The instructor's page of one submission. Raises `MachineError` when it cannot be written."""
        if not self._has_style:
            self._renderer.write_stylesheet(self._out / SHARED)
            self._has_style = True
        sources = replace(self._sources, evidence={row.id: evidence})
        values = student.view(for_instructor(results, row, sources, self._shared))
        shown = values["notebook"]
        document = self._renderer.render_notebook(shown, results.run.finished) if shown else ""
        beside = {**student.NOBODY.as_values(), "is_final": False, "notebook_file": "", "made_of": ""}
        page = self._renderer.render(INSTRUCTORS_PAGE, notebook_document=document, **values, **beside)
        write_page(self._out / INSTRUCTORS / row.id / PAGE, page)

    def write_class(self, results: Results, rows: Sequence[UnfinishedRow], run: RunState) -> None:
        """The class's page; `results`: without submissions. Raises `MachineError` when it cannot be written."""
        page, left_out = together("showing it in the overview", rows, lambda some: self._class(results, some, run, ()))
        if left_out:
            shown = [row for index, row in enumerate(rows) if index not in left_out]
            page = self._class(results, shown, run, [rows[index].id for index in left_out])
        write_page(self._out / PAGE, page)

    def _class(self, results: Results, rows: Sequence[UnfinishedRow], run: RunState, left_out: Sequence[str]) -> str:
        return self._renderer.render(
            "unfinished.html.j2",
            results=results,
            rows=[(row, overview.table_row(row.result) if row.result else None) for row in rows],
            graded=sum(row.result is not None for row in rows),
            timed=sum(row.progressed == "timed" for row in rows),
            left_out=left_out,
            goes_on=run == "goes on",
            refreshed_every=REFRESHED_EVERY,
            reference_at=charts.strip(0.0, results.reference.score, 1.0).mid if results.reference else None,
        )
