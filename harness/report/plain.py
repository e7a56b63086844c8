"""Makes a student's text plain, with the same code as the process that parses notebooks."""

from harness.apart.plain import cut, plain, terminal_text

__all__ = ["cut", "plain", "terminal_text"]
