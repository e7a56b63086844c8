"""Parses what students made, in processes of its own with limits: `python -I apart TASK FILE ...`, and `submissions/`.

Of some MB of JSON a parser makes some GB: such a process may die of it. `harness/boundary/parsed_apart.py` starts one
for each task; `harness/inputs/submissions/child.py` starts the one that reads submissions. Nothing in here imports the
harness.
"""
