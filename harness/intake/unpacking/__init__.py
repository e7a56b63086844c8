"""Unpacks a stranger's archive, alone in a process with limits of its own: `python -I unpacking/__main__.py`.

`archives.py` starts it; a header that wants all memory, or a decoder that crashes, ends that process and not the
harness. So nothing in here imports the harness: the standard library only, and `py7zr` for a .7z.

Nothing is trusted: names are checked before anything is written, sizes are counted while they are read.
"""
