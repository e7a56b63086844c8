"""assignment.toml as frozen types.

sections   each table's keys: units, defaults, bounds
deadline   the table `deadline`
schema     the file as a whole, and the rubric
reading    from the file to an `Assignment`, its folders checked
outdated   old names of keys
problems   what is wrong in the file, in words
"""

from harness.inputs.assignment.reading import load
from harness.inputs.assignment.schema import Assignment

__all__ = ["Assignment", "load"]
