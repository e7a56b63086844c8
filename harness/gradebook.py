"""The gradebook: runs, grades and the marks that people gave, in SQLite beside the reports."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import ForeignKey, String, create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from harness.errors import MachineError, UsageError
from harness.grade.manual import ManualMark
from harness.results import Results, SubmissionResult


class _Base(DeclarativeBase):
    pass


class _Run(_Base):
    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    finished: Mapped[str]  # UTC, ISO 8601
    assignment: Mapped[str]
    harness: Mapped[str]
    sandbox: Mapped[str]


class _Row(_Base):
    """A hand-in's grade as of its latest run."""

    __tablename__ = "submissions"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    run: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    student: Mapped[str]
    status: Mapped[str]
    points: Mapped[float]
    max_points: Mapped[float]
    result: Mapped[str]  # JSON of SubmissionResult


class _Manual(_Base):
    """A person's mark; the latest one for a criterion counts, the earlier ones stay."""

    __tablename__ = "manual_marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(index=True)
    criterion: Mapped[str]  # its title
    points: Mapped[float]
    reason: Mapped[str]
    marker: Mapped[str]
    entered: Mapped[str]  # UTC, ISO 8601


class Gradebook:
    """One assignment's gradebook. Every change is one transaction."""

    def __init__(self, file: Path) -> None:
        """Opens or makes the file. Raises `MachineError` when it is no gradebook or cannot be written."""
        self._file = file
        self._engine = create_engine(f"sqlite:///{file}")
        with self._trouble():
            _Base.metadata.create_all(self._engine)

    @classmethod
    def existing(cls, file: Path) -> Gradebook:
        """The gradebook of an earlier run. Raises `UsageError` when there is none."""
        if not file.is_file():
            raise UsageError(f"{file}: there is no gradebook", "give the --out of a `harness grade`")
        return cls(file)

    def record(self, results: Results) -> None:
        """Take in a run: its hand-ins replace those of the run before."""
        with self._trouble(), Session(self._engine) as session, session.begin():
            run = _Run(
                finished=results.run.finished,
                assignment=results.assignment.title,
                harness=results.run.harness,
                sandbox=results.run.sandbox,
            )
            session.add(run)
            session.flush()
            session.query(_Row).delete()
            session.add_all(_row(run.id, result) for result in results.submissions)

    def submissions(self) -> tuple[SubmissionResult, ...]:
        """The hand-ins of the latest run, by id."""
        with self._trouble(), Session(self._engine) as session:
            rows = session.scalars(select(_Row).order_by(_Row.id))
            return tuple(SubmissionResult.model_validate_json(row.result) for row in rows)

    def manual_marks(self, submission: str) -> dict[str, ManualMark]:
        """Title of a criterion -> the latest mark that a person gave."""
        with self._trouble(), Session(self._engine) as session:
            rows = session.scalars(select(_Manual).where(_Manual.submission == submission).order_by(_Manual.id))
            return {row.criterion: ManualMark(row.points, row.reason, row.marker) for row in rows}

    def set_mark(self, submission: str, criterion: str, mark: ManualMark) -> None:
        """Enter a person's mark; what may be entered is checked by `harness.review`."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with self._trouble(), Session(self._engine) as session, session.begin():
            session.add(
                _Manual(
                    submission=submission,
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
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", error))
            raise MachineError(f"{self._file}: the gradebook cannot be used: {reason}", "choose another --out") from error


def _row(run: int, result: SubmissionResult) -> _Row:
    return _Row(
        id=result.id,
        run=run,
        student=result.student,
        status=result.status,
        points=result.points,
        max_points=result.max_points,
        result=result.model_dump_json(by_alias=True),
    )
