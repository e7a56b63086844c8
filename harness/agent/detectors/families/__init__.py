"""The families of detectors: one module each, found by `registry.py` and chosen by what was handed in."""
