"""The entry of the process: `python -I apart NOTEBOOK`; what it prints is said in `notebook.py`."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # This folder as a package by itself, `apart`: by its full name it would bring the whole of report along.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    notebook = importlib.import_module("apart.notebook")
    del sys.path[0]
    notebook.main(Path(sys.argv[1]))
