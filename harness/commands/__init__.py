"""Groups of commands too long for `harness/cli.py`; each module offers one click group."""
