"""A gradebook on each database. PostgreSQL is Debian's, started once by the suite; CI must have it."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from harness.gradebook.database import Gradebook

_NUMBERS = itertools.count(1)


class Server:
    """A PostgreSQL of our own on a socket in its own folder, without a port. It does not wait for the disk."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        # PostgreSQL refuses to run as root.
        self._user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)

    def start(self) -> None:
        if os.geteuid() == 0:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "grader", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses='' -k {self._folder} -F -c full_page_writes=off -c synchronous_commit=off"
        self._run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(self._folder / "log"), "start")
        Gradebook(self.url("template1"))._engine.dispose()  # each new database is a copy, with the tables

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")

    def url(self, database: str) -> URL:
        query = {"host": str(self._folder)}
        return URL.create("postgresql+psycopg", username="grader", database=database, query=query)

    def new(self, *, template: str = "template1") -> URL:
        """A database of its own."""
        name = f"book{next(_NUMBERS)}"
        with psycopg.connect(host=str(self._folder), user="grader", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[call-overload]
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        as_user = {"user": self._user.pw_uid, "group": self._user.pw_gid} if os.geteuid() == 0 else {}
        subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            timeout=60,
            check=True,
            **as_user,
        )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The server. Its folder has a short name, because a socket's path has at most 107 bytes."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        if os.environ.get("HARNESS_REQUIRE_POSTGRESQL") == "1":
            pytest.fail("no PostgreSQL here, and CI must have it")
        pytest.skip("no PostgreSQL here; install Debian's postgresql")
    folder = Path(tempfile.mkdtemp(prefix="harness-pg-", dir="/tmp"))
    server = Server(programs[-1].parent, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | URL:
    """Where a new gradebook may be made, on each database."""
    if request.param == "sqlite":
        return tmp_path / "g.sqlite"
    server: Server = request.getfixturevalue("postgresql")
    return server.new()
