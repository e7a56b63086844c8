"""The process's entry point. Requests come on stdin, so that no command line names a student."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # Import the package as `apart`: its full name would import the harness.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    serve = importlib.import_module("apart.submissions.serve")
    del sys.path[0]
    serve.main()
