"""The entry of the process: `python -I apart/__main__.py`. Requests come on stdin: no command line names a student."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # This folder as a package by itself, `apart`: by its full name it would bring the whole of intake along.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    serve = importlib.import_module("apart.serve")
    del sys.path[0]
    serve.main()
