"""The pages that people read: one for the class, one for each hand-in, each a single HTML file."""

from harness.report.bench import write_bench
from harness.report.pages import write
from harness.report.sources import Sources

__all__ = ["Sources", "write", "write_bench"]
