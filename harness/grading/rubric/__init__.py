"""The rubric: computes marks from evidence."""

from harness.gradebook.manual import ManualMark
from harness.grading.rubric.rubric import check, grade

__all__ = ["ManualMark", "check", "grade"]
