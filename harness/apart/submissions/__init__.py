"""Reads submissions in a separate process with limits: `python -I apart/submissions/__main__.py`.

`harness/inputs/submissions/child.py` starts it and sends requests: a request is one line of JSON, an answer one line of
strict JSON of at most 1 MiB. A header that asks for all memory, or a decoder that crashes, ends that process and not
the harness. Nothing in here imports the harness: only the standard library, `py7zr` for a .7z, and `yaml` for
Gradescope's list.

Nothing is trusted: names are checked before anything is written, and sizes are counted while reading.
"""
