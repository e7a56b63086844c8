"""The gradebook: runs, grades, the marks that people gave, and what was published."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import URL, Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from harness.boundary.one_by_one import Defect, for_each
from harness.errors import UsageError
from harness.gradebook.connection import Collision, Database
from harness.gradebook.history import PastGrade, Run, grade_of, marks_json, now, past_grade
from harness.gradebook.manual import Entry, GivenFor, ManualMark, Overtaken, Whose
from harness.gradebook.results import Results, SubmissionResult, lost_result
from harness.gradebook.tables import (
    BookRow,
    GradeRow,
    LatestResult,
    MarkRow,
    PublicationRow,
    PublishedRow,
    RetitleRow,
    RunRow,
)

NAME = "gradebook.sqlite"  # of the file, beside the reports


class Gradebook:
    """One assignment's gradebook. Every change is one transaction, and nothing that people gave is ever changed."""

    def __init__(self, where: Path | URL, book: str = "") -> None:
        """Open or create it. `book`: the assignment, where a database holds several.

        Raises `MachineError` when it is not a gradebook or cannot be written.
        """
        self._database = Database(where)
        self._engine = self._database.engine
        with self._database.reading() as session:
            found = session.scalar(select(BookRow.id).where(BookRow.name == book))
        self._book = self._new_book(book) if found is None else found

    @classmethod
    def existing(cls, file: Path) -> Gradebook:
        """The gradebook of an earlier run. Raises `UsageError` when there is none."""
        if not file.is_file():
            raise UsageError(f"{file}: there is no gradebook", "give the --out of a `harness grade`")
        return cls(file)

    def _new_book(self, name: str) -> int:
        try:
            with self._database.writing() as session:
                row = BookRow(name=name)
                session.add(row)
                session.flush()
                return row.id
        except Collision:  # somebody else made it meanwhile
            with self._database.reading() as session:
                return session.scalars(select(BookRow.id).where(BookRow.name == name)).one()

    # --- runs

    def record(self, results: Results) -> None:
        """Take in a run: its submissions replace those of the run before, whose grades stay in the history."""
        with self._database.writing() as session:
            session.execute(select(BookRow).where(BookRow.id == self._book).with_for_update())
            run = RunRow(
                book=self._book,
                finished=results.run.finished,
                assignment=results.assignment.title,
                harness=results.run.harness,
                sandbox=results.run.sandbox,
                about=results.model_copy(update={"submissions": (), "texts": None}).model_dump_json(by_alias=True),
            )
            session.add(run)
            session.flush()
            session.execute(delete(LatestResult).where(LatestResult.book == self._book))
            for place, (latest, grade) in enumerate(for_each("recording it", results.submissions, rows_of, _lost)):
                latest.book, latest.run, latest.place = self._book, run.id, place
                grade.run = run.id
                session.add_all((latest, grade))

    def latest(self) -> Results | None:
        """The latest run as it was recorded, or None before the first."""
        with self._database.reading() as session:
            run = session.scalars(self._runs().order_by(RunRow.id.desc()).limit(1)).first()
            if run is None:
                return None
            return Results.model_validate_json(run.about).model_copy(
                update={"submissions": self._latest_rows(session, LatestResult.place)}
            )

    def submissions(self) -> tuple[SubmissionResult, ...]:
        """The submissions of the latest run, by id."""
        with self._database.reading() as session:
            return self._latest_rows(session, LatestResult.id)

    def _latest_rows(self, session: Session, order: object) -> tuple[SubmissionResult, ...]:
        rows = select(LatestResult.result).where(LatestResult.book == self._book).order_by(order)  # type: ignore[arg-type]
        return tuple(SubmissionResult.model_validate_json(row) for row in session.scalars(rows))

    def runs(self) -> list[Run]:
        """All recorded runs, the first one first."""
        with self._database.reading() as session:
            rows = session.scalars(self._runs().order_by(RunRow.id))
            return [Run(number, row.finished, row.harness) for number, row in enumerate(rows, 1)]

    def grades(self, run: Run) -> list[PastGrade]:
        """The grades of a run. Runs of an older harness have none, but for the last one."""
        with self._database.reading() as session:
            row = session.scalars(self._runs().order_by(RunRow.id).offset(run.number - 1).limit(1)).one()
            return [past_grade(one) for one in session.scalars(select(GradeRow).where(GradeRow.run == row.id))]

    def _runs(self) -> Select[RunRow]:
        return select(RunRow).where(RunRow.book == self._book)

    # --- marks

    def manual_marks(self, whose: Whose) -> dict[str, ManualMark]:
        """Criterion title -> the latest mark that a person gave to this submission, and what it was given for.

        Marks of another submission that had the same id are not included.
        """
        with self._database.reading() as session:
            titles = self._titles(session)
            found = {}
            for row in session.scalars(self._marks_of(whose).order_by(MarkRow.id)):
                if title := titles.of(row):
                    found[title] = _mark(row, whose.content)
            return found

    def all_marks(self, whose: Whose) -> list[tuple[str, ManualMark]]:
        """(criterion's title then, mark): every mark that people gave to it, the first one first."""
        with self._database.reading() as session:
            rows = session.scalars(self._marks_of(whose).order_by(MarkRow.id))
            return [(row.criterion, _mark(row, whose.content)) for row in rows]

    def has_marks_of_another(self, whose: Whose) -> bool:
        """Whether a submission with another identity got marks under the same id."""
        theirs = select(MarkRow.id).where(
            MarkRow.book == self._book, MarkRow.submission == whose.id, MarkRow.identity != whose.identity
        )
        with self._database.reading() as session:
            return session.scalars(theirs.limit(1)).first() is not None

    def marked_titles(self) -> dict[str, int]:
        """Criterion title -> how many submissions have a person's mark for it."""
        with self._database.reading() as session:
            titles, found = self._titles(session), dict[str, set[str]]()
            for row in session.scalars(select(MarkRow).where(MarkRow.book == self._book)):
                if title := titles.of(row):
                    found.setdefault(title, set()).add(row.identity or row.submission)
            return {title: len(whose) for title, whose in found.items()}

    def set_marks(self, entries: Sequence[Entry]) -> list[Overtaken]:
        """Store all of these marks, or none: then those are given back whose criterion has a newer mark."""
        try:
            with self._database.writing() as session:
                if not (overtaken := self._overtaken(session, entries)):
                    titles = self._titles(session)
                    session.add_all(self._row(entry, titles) for entry in entries)
                return overtaken
        except Collision:  # another's marks were committed between our look and our insert
            with self._database.reading() as session:
                if overtaken := self._overtaken(session, entries):
                    return overtaken
            raise

    def _overtaken(self, session: Session, entries: Sequence[Entry]) -> list[Overtaken]:
        found, titles = [], self._titles(session)
        for entry in entries:
            rows = session.scalars(self._marks_of(entry.whose).order_by(MarkRow.id.desc()))
            newest = next((row for row in rows if titles.of(row) == entry.criterion), None)
            if newest is not None and newest.id != entry.replaces:
                found.append(Overtaken(entry, _mark(newest, entry.whose.content)))
        return found

    def _row(self, entry: Entry, titles: _Titles) -> MarkRow:
        return MarkRow(
            book=self._book,
            submission=entry.whose.id,
            identity=entry.whose.identity,
            content=entry.whose.content,
            criterion=entry.criterion,
            points=entry.mark.points,
            reason=entry.mark.reason,
            marker=entry.mark.marker,
            entered=now(),
            replaces=entry.replaces or titles.first_of(entry.criterion),
        )

    def _marks_of(self, whose: Whose) -> Select[MarkRow]:
        of_old = and_(MarkRow.identity.is_(None), MarkRow.submission == whose.id)
        return select(MarkRow).where(MarkRow.book == self._book, or_(MarkRow.identity == whose.identity, of_old))

    def retitle(self, old: str, new: str, marker: str) -> None:
        """Let the marks for the criterion `old` count for `new`; for none, where that is empty."""
        with self._database.writing() as session:
            last = session.scalar(select(func.max(MarkRow.id)).where(MarkRow.book == self._book)) or 0
            row = RetitleRow(book=self._book, old=old, new=new, last_mark=last, marker=marker, entered=now())
            session.add(row)

    def _titles(self, session: Session) -> _Titles:
        return _Titles(session.scalars(select(RetitleRow).where(RetitleRow.book == self._book).order_by(RetitleRow.id)))

    # --- what was published

    def publish(self, run: str, grades: Iterable[PastGrade], form: str, publisher: str) -> None:
        """Keep that these grades of the run that ended at `run` were given to students."""
        with self._database.writing() as session:
            publication = PublicationRow(book=self._book, run=run, form=form, publisher=publisher, entered=now())
            session.add(publication)
            session.flush()
            session.add_all(
                PublishedRow(
                    publication=publication.id,
                    submission=grade.submission,
                    identity=grade.identity,
                    student=grade.student,
                    points=grade.points,
                    max_points=grade.max_points,
                    marks=marks_json(grade.marks),
                )
                for grade in grades
            )

    def published(self) -> list[tuple[str, str, str, PastGrade]]:
        """(when, as what, by whom, the grade) of all that was published, the first one first."""
        with self._database.reading() as session:
            rows = session.execute(
                select(PublicationRow, PublishedRow)
                .join(PublishedRow, PublishedRow.publication == PublicationRow.id)
                .where(PublicationRow.book == self._book)
                .order_by(PublishedRow.id)
            )
            return [(of.entered, of.form, of.publisher, past_grade(row)) for of, row in rows]


class _Titles:
    """The titles that marks count for now."""

    def __init__(self, rows: Iterable[RetitleRow]) -> None:
        self._changes = [(row.old, row.new, row.last_mark) for row in rows]

    def first_of(self, criterion: str) -> int:
        """What the first mark replaces for a criterion that now has the title: 0, or less if another one had it."""
        return -max((last for old, _, last in self._changes if old == criterion), default=0)

    def of(self, mark: MarkRow) -> str:
        """The title; empty where the mark counts for none."""
        title = mark.criterion
        for old, new, last in self._changes:
            if title == old and mark.id <= last:
                title = new
        return title


def _mark(row: MarkRow, content: str) -> ManualMark:
    given_for: GivenFor = "unknown" if row.identity is None else "this" if row.content == content else "other content"
    return ManualMark(row.points, row.reason, row.marker, given_for, row.id, row.entered)


def rows_of(result: SubmissionResult) -> tuple[LatestResult, GradeRow]:
    """The rows that `record` puts into a run."""
    kept = grade_of(result)
    return (
        LatestResult(id=result.id, result=result.model_dump_json(by_alias=True)),
        GradeRow(
            submission=kept.submission,
            identity=kept.identity,
            content=kept.content,
            student=kept.student,
            status=kept.status,
            points=kept.points,
            max_points=kept.max_points,
            marks=marks_json(kept.marks),
            findings=json.dumps(kept.findings),
        ),
    )


def _lost(result: SubmissionResult, found: Defect) -> tuple[LatestResult, GradeRow]:
    """The rows that replace those that the harness failed to make."""
    return rows_of(lost_result(result.id, result.student, result.max_points, (found.finding,)))
