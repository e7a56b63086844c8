"""Where a gradebook lies, and transactions on it: a file of SQLite, or a database of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from harness.errors import MachineError
from harness.files.private import private_file
from harness.gradebook.migrations.upgrade import OtherVersion, is_newest, upgrade

_MIGRATING = 7_240_001  # the key of PostgreSQL's lock, so that two processes do not both migrate
_CONNECT_SECONDS = 10


class Collision(MachineError):
    """A row contradicts another, perhaps one that somebody else stored at the same moment."""


class Database:
    """The database behind a gradebook. Each `reading` or `writing` is one transaction."""

    def __init__(self, where: Path | URL) -> None:
        """Open, create or migrate it. Raises `MachineError` when it is no gradebook or cannot be written."""
        self.name = str(where) if isinstance(where, Path) else shown(where)
        with self.trouble():
            if isinstance(where, Path):
                private_file(where)  # SQLite's journals get the same permissions
                self.engine = create_engine(URL.create("sqlite", database=str(where)))
                event.listen(self.engine, "connect", _own_transactions)
                event.listen(self.engine, "begin", _begin)
            else:
                options = {"connect_timeout": _CONNECT_SECONDS}
                self.engine = create_engine(where, connect_args=options)
            self._writer = self.engine.execution_options(writes=True)
            try:
                self._migrate()
            except OtherVersion:
                what = f"{self.name}: the gradebook is of another version of the harness"
                raise MachineError(what, "use that version, or choose another --out") from None

    def _migrate(self) -> None:
        with self.engine.begin() as connection:
            if is_newest(connection):
                return
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATING})"))
            upgrade(connection)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session whose queries see one state of the database."""
        with self.trouble(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is committed at the end, or leaves no trace. SQLite has one writer at a time."""
        with self.trouble(), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Turn the database's errors into a `MachineError`."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            why = str(getattr(error, "orig", error)).strip()
            kind = Collision if isinstance(error, IntegrityError) else MachineError
            raise kind(
                f"{self.name}: the gradebook cannot be used: {why}",
                "see that it can be written and no other harness uses it, or choose another --out",
            ) from error


def _own_transactions(connection: object, _: object) -> None:
    """Keep Python's driver from beginning transactions by itself, and from committing before tables are changed."""
    connection.isolation_level = None  # type: ignore[attr-defined]


def _begin(connection: Connection) -> None:
    """Lock the file at once where the transaction will write, instead of in its middle, where it could be refused."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def shown(url: URL) -> str:
    """The server's address without what may be secret: the password, and all after `?`, where one may stand, too."""
    return url.set(query={}).render_as_string(hide_password=True)
