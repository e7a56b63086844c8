"""The entry of the process: `python -I unpacking/__main__.py ARCHIVE FOLDER LIMITS`."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # This folder as a package by itself, `unpacking`: by its full name it would bring the whole of intake along.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    process = importlib.import_module("unpacking.process")
    del sys.path[0]
    process.main(*sys.argv[1:])
