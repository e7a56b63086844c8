"""The tables of a gradebook, as the newest migration leaves them.

Everything but `latest_results`, which the next run replaces, is a record of what happened: triggers of the database
refuse to change or delete its rows.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class BookRow(Base):
    """One assignment. A file of SQLite holds one, without a name; a server may hold many."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class RunRow(Base):
    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    book: Mapped[int] = mapped_column(server_default="1", index=True)
    finished: Mapped[str]  # UTC, ISO 8601
    assignment: Mapped[str]
    harness: Mapped[str]
    sandbox: Mapped[str]
    about: Mapped[str]  # JSON of Results without its submissions


class LatestResult(Base):
    """A submission as of the latest run, with all that results.json has of it."""

    __tablename__ = "latest_results"

    book: Mapped[int] = mapped_column(ForeignKey("books.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    place: Mapped[int]  # in the order of the run
    result: Mapped[str]  # JSON of SubmissionResult


class GradeRow(Base):
    """A submission's grade in one run: what is kept of every run."""

    __tablename__ = "grades"

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    submission: Mapped[str]  # the id that it had in the run
    identity: Mapped[str]
    content: Mapped[str]
    student: Mapped[str]
    status: Mapped[str]
    points: Mapped[float]
    max_points: Mapped[float]
    marks: Mapped[str]  # JSON: a list of Mark
    findings: Mapped[str]  # JSON: a list of codes


class MarkRow(Base):
    """A person's mark; the latest one for a criterion counts, the earlier ones stay.

    It belongs to the submission with that `identity`, and was given for that `content`. Both are empty in marks of an
    older version, which stored the id only; another submission may have that id today. Each mark names the one that it
    replaces, and no two can replace the same one: of two people who mark at once, the second is refused.
    """

    __tablename__ = "manual_marks"
    __table_args__ = (Index("one_successor", "book", "identity", "criterion", "replaces", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(index=True)  # the id that it had then
    criterion: Mapped[str]  # its title
    points: Mapped[float]
    reason: Mapped[str]
    marker: Mapped[str]
    entered: Mapped[str]  # UTC, ISO 8601
    identity: Mapped[str | None]
    content: Mapped[str | None]
    book: Mapped[int] = mapped_column(server_default="1")
    replaces: Mapped[int] = mapped_column(server_default="0")  # the id of a mark; 0 for the first one


class RetitleRow(Base):
    """A criterion's marks count for another title from then on, or for none."""

    __tablename__ = "retitled"

    id: Mapped[int] = mapped_column(primary_key=True)
    book: Mapped[int] = mapped_column(ForeignKey("books.id"))
    old: Mapped[str]
    new: Mapped[str]  # empty: for none
    last_mark: Mapped[int]  # marks up to this id are meant
    marker: Mapped[str]
    entered: Mapped[str]  # UTC, ISO 8601


class PublicationRow(Base):
    """Pages that were given to students."""

    __tablename__ = "publications"

    id: Mapped[int] = mapped_column(primary_key=True)
    book: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    run: Mapped[str]  # when the run that made them ended
    form: Mapped[str]
    publisher: Mapped[str]
    entered: Mapped[str]  # UTC, ISO 8601


class PublishedRow(Base):
    """One submission's grade as it was published."""

    __tablename__ = "published"
    __table_args__ = (UniqueConstraint("publication", "submission"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication: Mapped[int] = mapped_column(ForeignKey("publications.id"), index=True)
    submission: Mapped[str]  # the id that it had then
    identity: Mapped[str]
    student: Mapped[str]
    points: Mapped[float]
    max_points: Mapped[float]
    marks: Mapped[str]  # JSON: a list of Mark


KEPT = ("runs", "grades", "manual_marks", "retitled", "publications", "published")  # rows are only ever added
