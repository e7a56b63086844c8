"""Text that a student may have made, as plain text. The process that parses notebooks does the same to it."""

from harness.apart.plain import cut, plain, terminal_text

__all__ = ["cut", "plain", "terminal_text"]
