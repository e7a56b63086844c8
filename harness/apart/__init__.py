"""Parses students' files in separate processes with limits: `python -I apart TASK FILE ...`, and `submissions/`.

A parser may need GBs for a few MB of JSON, and then only such a process dies. `harness/boundary/parsed_apart.py` starts
one for each task; `harness/inputs/submissions/child.py` starts the one that reads submissions. Nothing in here imports
the harness.
"""
