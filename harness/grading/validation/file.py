"""What is wrong in assignment.toml itself: keys, values, paths, the rubric, boards."""

from __future__ import annotations

from pathlib import Path

from harness.bench import boards
from harness.errors import AssignmentError, UsageError
from harness.grading.rubric.rubric import problems_of
from harness.grading.validation.verdicts import Verdict, doubt, error, fine, of_problems
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.problems import place
from harness.inputs.assignment.reading import criteria_alone, parse, with_checked_paths


def of_file(file: Path) -> tuple[Assignment | None, list[Verdict]]:
    """The assignment, if it can be used, and the verdicts on its file; a broken part hides no other's faults."""
    try:
        parsed, text = parse(file)
    except AssignmentError as broken:
        return None, of_problems(broken) + _of_the_rubric_alone(file)
    specs = dict(enumerate(parsed.criteria))
    found = [
        error(one.place, one.what, "see docs/criteria.md")
        for one in problems_of(specs, parsed.file, text, parsed.boards, parsed.task)
    ]
    found += _of_boards(parsed, text)
    found += _of_the_seed(parsed, text)
    try:
        assignment = with_checked_paths(parsed, text)
    except AssignmentError as broken:
        return None, found + of_problems(broken)
    if all(one.level != "error" for one in found):
        points = f"{assignment.max_points:g} points by {len(specs)} criteria"
        found.append(fine(file.name, f"every key, path and criterion is known; {points}"))
    for line in (*assignment.outdated, *assignment.remarks):
        where, _, what = line.partition(": ")
        found.append(doubt(where, what))
    return assignment, found


def _of_the_rubric_alone(file: Path) -> list[Verdict]:
    """The rubric's faults in a file whose other tables are broken; a missing board is no news there."""
    try:
        specs, text = criteria_alone(file)
    except AssignmentError:
        return []
    problems = problems_of(specs, file, text, boards.names())
    return [error(one.place, one.what, "see docs/criteria.md") for one in problems]


def _of_the_seed(assignment: Assignment, text: str) -> list[Verdict]:
    """A doubt where students could draw the withheld images themselves: `harness check` has the same program."""
    if not assignment.withholds or not assignment.own_dataset.can_be_guessed:
        return []
    where = place(assignment.file, text, ("own_dataset", "seed"))
    what = f"is {assignment.own_dataset.seed}, so students can find out which of their images are withheld"
    return [doubt(where, what, "give it a number of four digits or more, and tell nobody")]


def _of_boards(assignment: Assignment, text: str) -> list[Verdict]:
    found = []
    for name in assignment.boards:
        try:
            boards.load(name)
        except UsageError as unknown:
            found.append(error(place(assignment.file, text, ("boards",)), unknown.message, unknown.do))
    return found
