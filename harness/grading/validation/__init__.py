"""What is wrong or doubtful with an assignment, before a class waits for it.

verdicts   one thing that was looked at: error, doubt or fine; where, what, what to do
file       assignment.toml itself: keys, paths, rubric, boards
machine    weights and environments on this machine
folders    the image sets by their names: links, litter, classes, licences
contents   the image sets by their pixels: unreadable and tiny images, leaks, images with two labels
course     all of them, in this order
"""

from harness.grading.validation.course import checked_first, validate
from harness.grading.validation.verdicts import Validation, Verdict

__all__ = ["Validation", "Verdict", "checked_first", "validate"]
