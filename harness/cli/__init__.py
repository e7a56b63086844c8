"""The command line: each command parses, calls one function and prints. One module for each, listed in `main.py`."""
