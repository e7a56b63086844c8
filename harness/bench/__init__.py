"""Benchmarks models by MLPerf's rules, side by side, and compares them with an earlier run.

Its modules are imported by name: grading needs a few of them, and `measure` takes long to load.
"""
