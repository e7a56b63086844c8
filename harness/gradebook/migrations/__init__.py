"""Brings a gradebook of an older version to the newest tables, by alembic."""
