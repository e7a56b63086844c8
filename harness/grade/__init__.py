"""The rubric: from evidence to marks."""

from harness.grade.manual import ManualMark
from harness.grade.rubric import check, grade

__all__ = ["ManualMark", "check", "grade"]
