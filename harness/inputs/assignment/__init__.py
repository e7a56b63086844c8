"""What is asked: assignment.toml as frozen types.

sections   each table's keys: units, defaults, bounds
deadline   the table `deadline`
schema     the file as a whole, and the rubric
reading    from the file to an `Assignment`, its paths looked at
problems   what is wrong in it, in words
"""

from harness.inputs.assignment.reading import load
from harness.inputs.assignment.schema import Assignment

__all__ = ["Assignment", "load"]
