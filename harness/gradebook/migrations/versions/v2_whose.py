"""Marks know whose they are, and what they were given for."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "v2", "v1"


def upgrade() -> None:
    # An interrupted migration of an older harness may have added one of them.
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("manual_marks")}
    for name in ("identity", "content"):
        if name not in there:
            op.add_column("manual_marks", sa.Column(name, sa.String))
