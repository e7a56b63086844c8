"""The entry of the process: `python -I apart/__main__.py`. Requests come on stdin: no command line names a student."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # `apart` as a package by itself: by its full name it would bring the harness along.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    serve = importlib.import_module("apart.submissions.serve")
    del sys.path[0]
    serve.main()
