"""What is wrong or doubtful with an assignment, before a class waits for it.

verdicts   one thing that was looked at: error, doubt or fine; where, what, what to do
file       assignment.toml itself: keys, paths, rubric, boards
machine    weights and environments on this machine
folders    the image sets by their names: links, litter, classes, licences
objects    the image sets by their boxes: classes, faults, few objects
contents   the image sets by their pixels: unreadable and tiny images, images with two labels
leaks      held-out images that repeat others, and which of them are accepted
course     all of them, in this order
"""

from harness.grading.validation.course import NOTHING_FOUND, Checked, checked_first, validate
from harness.grading.validation.verdicts import Validation, Verdict

__all__ = ["NOTHING_FOUND", "Checked", "Validation", "Verdict", "checked_first", "validate"]
