"""Parses what is too large for the harness, in a process of its own with limits: `python -I apart TASK FILE ...`.

Of some MB of JSON a parser makes some GB: this process may die of it. `harness/boundary/parsed_apart.py` starts it. Nothing
in here imports the harness, and nothing but the standard library.
"""
