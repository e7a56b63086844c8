"""Finds out which tables a database has, and brings them to the newest version in one transaction."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

HEAD = "v3"  # the newest revision; a test holds it equal to alembic's
_FILE_VERSION = 3  # SQLite's `user_version`, by which an older harness sees that the file is not for it
_OF_OLD = {1: "v1", 2: "v2"}  # user_version of files from before alembic -> revision


class OtherVersion(Exception):
    """The tables are of a version that this harness does not know."""


def is_newest(connection: Connection) -> bool:
    """Whether nothing has to be migrated. Raises `OtherVersion`."""
    revision = _revision(connection)
    return revision == HEAD


def upgrade(connection: Connection) -> None:
    """Migrate to the newest version within the connection's transaction. Raises `OtherVersion`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    revision = _revision(connection)
    if revision == HEAD:
        return
    if revision and "alembic_version" not in inspect(connection).get_table_names():
        command.stamp(config, revision)
    command.upgrade(config, HEAD)
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version = {_FILE_VERSION}"))


def _revision(connection: Connection) -> str:
    """The revision of the tables; empty for a new database."""
    tables = inspect(connection).get_table_names()
    version = connection.scalar(text("PRAGMA user_version")) if connection.dialect.name == "sqlite" else None
    if "alembic_version" in tables:
        revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
        if revision != HEAD or version not in (None, _FILE_VERSION):
            raise OtherVersion(revision)
        return revision
    if version in _OF_OLD:
        return _OF_OLD[version]
    if version or (tables and connection.dialect.name == "sqlite"):
        raise OtherVersion(version)
    return ""
