"""The pages that people read: one for the class, two for each submission; a student's is a single HTML file."""

from harness.report.pages import write
from harness.report.places import INSTRUCTORS, PAGE, STUDENTS
from harness.report.sources import Sources
from harness.report.unfinished import UnfinishedPages

__all__ = ["INSTRUCTORS", "PAGE", "STUDENTS", "Sources", "UnfinishedPages", "write"]
