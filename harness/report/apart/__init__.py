"""Parses executed notebooks in a process of its own with limits: `python -I apart NOTEBOOK`.

Of some MB of JSON a parser makes some GB, so the harness does not parse it. Nothing in here imports the harness.
"""
