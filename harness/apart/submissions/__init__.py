"""Reads what students made, in a process of its own with limits: `python -I apart/submissions/__main__.py`.

`harness/inputs/submissions/child.py` starts it and asks: one line of JSON is a request, one line of strict JSON, of
1 MiB at most, is the answer. A header that wants all memory, or a decoder that crashes, ends that process and not the
harness. So nothing in here imports the harness: the standard library only, `py7zr` for a .7z and `yaml` for
Gradescope's list.

Nothing is trusted: names are checked before anything is written, sizes are counted while they are read.
"""
