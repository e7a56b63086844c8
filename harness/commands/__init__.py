"""Commands that need more than a few lines: one module each, registered in `cli.py`."""
