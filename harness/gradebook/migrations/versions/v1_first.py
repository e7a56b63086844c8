"""The tables of the first version: runs, submissions, and marks that know an id only."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "v1", None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("finished", "assignment", "harness", "sandbox")),
        sa.Column("about", sa.String, nullable=False),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("run", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("student", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("max_points", sa.Float, nullable=False),
        sa.Column("result", sa.String, nullable=False),
    )
    op.create_table(
        "manual_marks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("submission", sa.String, nullable=False),
        sa.Column("criterion", sa.String, nullable=False),
        sa.Column("points", sa.Float, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("reason", "marker", "entered")),
    )
    op.create_index("ix_manual_marks_submission", "manual_marks", ["submission"])
