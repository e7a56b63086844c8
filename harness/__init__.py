"""Grades a transfer-learning assignment and benchmarks its models."""

__version__ = "0.1.0"
