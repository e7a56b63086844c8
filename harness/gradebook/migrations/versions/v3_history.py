"""Several books in one database, the grades of every run, chained marks, publications; and nothing can be rewritten."""

import json

import sqlalchemy as sa
from alembic import op

revision, down_revision = "v3", "v2"

_KEPT = ("runs", "grades", "manual_marks", "retitled", "publications", "published")


def upgrade() -> None:
    _add_tables()
    op.execute("INSERT INTO books (id, name) VALUES (1, '')")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval('books_id_seq', 1)")
    for table in ("runs", "manual_marks"):
        op.add_column(table, sa.Column("book", sa.Integer, nullable=False, server_default="1"))
    op.create_index("ix_runs_book", "runs", ["book"])
    op.add_column("manual_marks", sa.Column("replaces", sa.Integer, nullable=False, server_default="0"))
    _chain_marks()
    op.create_index("one_successor", "manual_marks", ["book", "identity", "criterion", "replaces"], unique=True)
    _keep_the_latest_run()
    op.drop_table("submissions")
    for table in _KEPT:
        _only_add_to(table)


def _add_tables() -> None:
    def text(name: str) -> sa.Column[str]:
        return sa.Column(name, sa.String, nullable=False)

    def number(name: str) -> sa.Column[float]:
        return sa.Column(name, sa.Float, nullable=False)

    def of(name: str, table: str, *, key: bool = False) -> sa.Column[int]:
        return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False, primary_key=key)

    def id_() -> sa.Column[int]:
        return sa.Column("id", sa.Integer, primary_key=True)

    op.create_table("books", id_(), sa.Column("name", sa.String, nullable=False, unique=True))
    op.create_table(
        "latest_results",
        of("book", "books", key=True),
        sa.Column("id", sa.String, primary_key=True),
        of("run", "runs"),
        sa.Column("place", sa.Integer, nullable=False),
        text("result"),
    )
    names = ("submission", "identity", "content", "student", "status")
    op.create_table(
        "grades",
        id_(),
        of("run", "runs"),
        *map(text, names),
        number("points"),
        number("max_points"),
        text("marks"),
        text("findings"),
    )
    op.create_index("ix_grades_run", "grades", ["run"])
    op.create_table(
        "retitled",
        id_(),
        of("book", "books"),
        *map(text, ("old", "new")),
        sa.Column("last_mark", sa.Integer, nullable=False),
        *map(text, ("marker", "entered")),
    )
    op.create_table("publications", id_(), of("book", "books"), *map(text, ("run", "form", "publisher", "entered")))
    op.create_index("ix_publications_book", "publications", ["book"])
    op.create_table(
        "published",
        id_(),
        of("publication", "publications"),
        *map(text, ("submission", "identity", "student")),
        number("points"),
        number("max_points"),
        text("marks"),
        sa.UniqueConstraint("publication", "submission"),
    )
    op.create_index("ix_published_publication", "published", ["publication"])


def _chain_marks() -> None:
    """Each mark replaces the one before it of the same sender and criterion."""
    connection = op.get_bind()
    marks = sa.table("manual_marks", *map(sa.column, ("id", "submission", "criterion", "identity", "replaces")))
    before: dict[tuple[str, str], int] = {}
    for row in connection.execute(sa.select(marks).order_by(marks.c.id)).all():
        chain = (row.identity or f"id {row.submission}", row.criterion)
        connection.execute(marks.update().where(marks.c.id == row.id).values(replaces=before.get(chain, 0)))
        before[chain] = row.id


def _keep_the_latest_run() -> None:
    """Move the latest run's results to their new table, and put their grades into the history."""
    connection = op.get_bind()
    grades = sa.table(
        "grades",
        *map(sa.column, ("run", "submission", "identity", "content", "student", "status", "points", "max_points")),
        *map(sa.column, ("marks", "findings")),
    )
    connection.execute(
        sa.text(
            "INSERT INTO latest_results (book, id, run, place, result) "
            "SELECT 1, id, run, place, result FROM submissions"
        )
    )
    for run, text in connection.execute(sa.text("SELECT run, result FROM submissions ORDER BY place")).all():
        result = json.loads(text)
        connection.execute(
            grades.insert().values(
                run=run,
                submission=result["id"],
                identity=result.get("identity", ""),
                content=result.get("content", ""),
                student=result["student"],
                status=result["status"],
                points=result["points"],
                max_points=result["max_points"],
                marks=json.dumps(result["marks"]),
                findings=json.dumps([found["code"] for found in result["findings"]]),
            )
        )


def _only_add_to(table: str) -> None:
    """Let the database refuse to change or delete the table's rows."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION only_added_to() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION only_added_to()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_kept_{event.lower()} BEFORE {event} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
        )
