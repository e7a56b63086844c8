"""The gradebook: runs, grades and the marks that people gave, in SQLite beside the reports."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, ForeignKey, String, and_, create_engine, delete, inspect, or_, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from harness.boundary.one_by_one import Defect, for_each
from harness.errors import MachineError, UsageError
from harness.files.private import private_file
from harness.gradebook.manual import GivenFor, ManualMark
from harness.gradebook.results import Results, SubmissionResult, lost_result

NAME = "gradebook.sqlite"  # of the file, beside the reports
_VERSION = 2  # of the tables, stored as the file's `user_version`
_ADDED = ("identity", "content")  # columns of `manual_marks` since version 2; empty in rows of version 1


class _Base(DeclarativeBase):
    pass


class _Run(_Base):
    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    finished: Mapped[str]  # UTC, ISO 8601
    assignment: Mapped[str]
    harness: Mapped[str]
    sandbox: Mapped[str]
    about: Mapped[str]  # JSON of Results without its submissions


class _Row(_Base):
    """A submission's grade as of its latest run."""

    __tablename__ = "submissions"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    run: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    place: Mapped[int]  # in the order of the run
    student: Mapped[str]
    status: Mapped[str]
    points: Mapped[float]
    max_points: Mapped[float]
    result: Mapped[str]  # JSON of SubmissionResult


class _Manual(_Base):
    """A person's mark; the latest one for a criterion counts, the earlier ones stay.

    It belongs to the submission with that `identity`, and was given for that `content`. Both are empty in marks of an
    older version, which stored the id only; another submission may have that id today.
    """

    __tablename__ = "manual_marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(index=True)  # the id that it had then
    criterion: Mapped[str]  # its title
    points: Mapped[float]
    reason: Mapped[str]
    marker: Mapped[str]
    entered: Mapped[str]  # UTC, ISO 8601
    identity: Mapped[str | None]
    content: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Whose:
    """The submission that a person's mark belongs to."""

    id: str  # in this run; another submission may have had it before
    identity: str
    content: str  # SHA-256


class Gradebook:
    """One assignment's gradebook. Every change is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open or create the file. Raises `MachineError` when it is not a gradebook or cannot be written."""
        self._file = file
        with self._trouble():
            private_file(file)  # SQLite's journals get the same permissions
        self._engine = create_engine(URL.create("sqlite", database=str(file)))
        with self._trouble(), self._engine.begin() as connection:
            if not inspect(connection).get_table_names():
                connection.execute(text(f"PRAGMA user_version = {_VERSION}"))
            version = connection.scalar(text("PRAGMA user_version"))
            if version == 1:
                version = _migrate(connection)
            if version == _VERSION:
                _Base.metadata.create_all(connection)
        if version != _VERSION:
            raise MachineError(f"{file}: the gradebook is of another version of the harness", "choose another --out")

    @classmethod
    def existing(cls, file: Path) -> Gradebook:
        """The gradebook of an earlier run. Raises `UsageError` when there is none."""
        if not file.is_file():
            raise UsageError(f"{file}: there is no gradebook", "give the --out of a `harness grade`")
        return cls(file)

    def record(self, results: Results) -> None:
        """Take in a run: its submissions replace those of the run before."""
        with self._trouble(), Session(self._engine) as session, session.begin():
            run = _Run(
                finished=results.run.finished,
                assignment=results.assignment.title,
                harness=results.run.harness,
                sandbox=results.run.sandbox,
                about=results.model_copy(update={"submissions": ()}).model_dump_json(by_alias=True),
            )
            session.add(run)
            session.flush()
            session.execute(delete(_Row))
            rows = for_each("recording it", results.submissions, row_of, _lost)
            for place, row in enumerate(rows):
                row.run, row.place = run.id, place
            session.add_all(rows)

    def latest(self) -> Results | None:
        """The latest run as it was recorded, or None before the first."""
        with self._trouble(), Session(self._engine) as session:
            run = session.scalars(select(_Run).order_by(_Run.id.desc()).limit(1)).first()
            if run is None:
                return None
            rows = session.scalars(select(_Row).where(_Row.run == run.id).order_by(_Row.place))
            submissions = tuple(SubmissionResult.model_validate_json(row.result) for row in rows)
            return Results.model_validate_json(run.about).model_copy(update={"submissions": submissions})

    def submissions(self) -> tuple[SubmissionResult, ...]:
        """The submissions of the latest run, by id."""
        with self._trouble(), Session(self._engine) as session:
            rows = session.scalars(select(_Row).order_by(_Row.id))
            return tuple(SubmissionResult.model_validate_json(row.result) for row in rows)

    def manual_marks(self, whose: Whose) -> dict[str, ManualMark]:
        """Criterion title -> the latest mark that a person gave to this submission, and what it was given for.

        Marks of another submission that had the same id are not included.
        """
        of_old = and_(_Manual.identity.is_(None), _Manual.submission == whose.id)
        mine = select(_Manual).where(or_(_Manual.identity == whose.identity, of_old)).order_by(_Manual.id)
        with self._trouble(), Session(self._engine) as session:
            return {row.criterion: _mark(row, whose.content) for row in session.scalars(mine)}

    def has_marks_of_another(self, whose: Whose) -> bool:
        """Whether a submission with another identity got marks under the same id."""
        theirs = select(_Manual.id).where(_Manual.submission == whose.id, _Manual.identity != whose.identity)
        with self._trouble(), Session(self._engine) as session:
            return session.scalars(theirs.limit(1)).first() is not None

    def set_mark(self, whose: Whose, criterion: str, mark: ManualMark) -> None:
        """Store a person's mark; `harness.gradebook.marks` checks it before."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with self._trouble(), Session(self._engine) as session, session.begin():
            session.add(
                _Manual(
                    submission=whose.id,
                    identity=whose.identity,
                    content=whose.content,
                    criterion=criterion,
                    points=mark.points,
                    reason=mark.reason,
                    marker=mark.marker,
                    entered=now,
                )
            )

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            why = str(getattr(error, "orig", error))
            raise MachineError(
                f"{self._file}: the gradebook cannot be used: {why}",
                "see that the folder can be written and no other harness uses it, or choose another --out",
            ) from error


def _migrate(connection: Connection) -> int:
    """Add the new columns to version 1's `manual_marks`. May be repeated after an interruption."""
    there = {column["name"] for column in inspect(connection).get_columns(_Manual.__tablename__)}
    for column in _ADDED:
        if column not in there:
            connection.execute(text(f"ALTER TABLE {_Manual.__tablename__} ADD COLUMN {column} VARCHAR"))
    connection.execute(text(f"PRAGMA user_version = {_VERSION}"))
    return _VERSION


def _mark(row: _Manual, content: str) -> ManualMark:
    given_for: GivenFor = "unknown" if row.identity is None else "this" if row.content == content else "other content"
    return ManualMark(row.points, row.reason, row.marker, given_for)


def row_of(result: SubmissionResult) -> _Row:
    """The row that `record` puts into a run."""
    return _Row(
        id=result.id,
        student=result.student,
        status=result.status,
        points=result.points,
        max_points=result.max_points,
        result=result.model_dump_json(by_alias=True),
    )


def _lost(result: SubmissionResult, found: Defect) -> _Row:
    """The row that replaces one that the harness failed to make."""
    bare = lost_result(result.id, result.student, result.max_points, (found.finding,))
    return _Row(
        id=bare.id,
        student=bare.student,
        status=bare.status,
        points=bare.points,
        max_points=bare.max_points,
        result=bare.model_dump_json(by_alias=True),
    )
