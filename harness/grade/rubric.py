"""The rubric applied: every criterion's mark, their sum, and whether a person has to look."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pydantic import ValidationError

from harness.assignment import Assignment, CriterionSpec, problem
from harness.errors import AssignmentError
from harness.evidence import Done, Evidence, Grade, GradeStatus, Mark
from harness.grade.criterion import kinds
from harness.grade.manual import ManualMark

_NOT_THE_STUDENTS = {"engine-failed", "harness-defect"}
_DECIMALS = 2  # points are rounded half to even


def check(assignment: Assignment) -> None:
    """Raises `AssignmentError` for unknown kinds and for options that a criterion does not take."""
    text = assignment.file.read_text(encoding="utf-8")
    problems = []
    for index, spec in enumerate(assignment.criteria):
        problems += [
            problem(assignment.file, text, ("criteria", index, *where), what) for where, what in _problems(spec)
        ]
    if problems:
        raise AssignmentError("\n".join(problems), f"correct {assignment.file.name}; see docs/criteria.md")


def _problems(spec: CriterionSpec) -> list[tuple[tuple[str, ...], str]]:
    """(key, what is wrong) for one criterion."""
    known = kinds()
    if spec.kind not in known:
        near = difflib.get_close_matches(spec.kind, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        return [(("kind",), f"unknown kind {spec.kind!r}; {hint}")]
    options = known[spec.kind].Options
    try:
        options.model_validate(spec.options)
    except ValidationError as error:
        found = []
        for detail in error.errors():
            where = tuple(map(str, detail["loc"]))
            what = detail["msg"].removeprefix("Value error, ")
            if detail["type"] == "extra_forbidden":
                near = difflib.get_close_matches(where[-1], options.model_fields, n=1)
                taken = ", ".join(options.model_fields) or "none beside kind, points and title"
                what = "unknown key; " + (f"did you mean {near[0]!r}?" if near else f"it takes: {taken}")
            found.append((where, what))
        return found
    return []


def grade(assignment: Assignment, evidence: Evidence, manual: Mapping[str, ManualMark]) -> Grade:
    """Every criterion's mark; a person's mark (by the criterion's title) stands before the harness' own.

    Status: `needs-review` when a mark is open, or a stage was lost to the engine or a defect of ours;
    `failed` when neither a notebook ran through nor a model predicted, by the hand-in's own fault;
    else `graded`.
    """
    lost = any(finding.code in _NOT_THE_STUDENTS for finding in evidence.findings())
    marks = [_mark(spec, evidence, manual, lost) for spec in assignment.criteria]
    points = round(sum(mark.points or 0.0 for mark in marks), _DECIMALS)
    nothing = not isinstance(evidence.execute, Done) and not isinstance(evidence.predict, Done)
    status: GradeStatus
    if nothing and not lost:
        status = "failed"
    elif lost or any(mark.points is None for mark in marks):
        status = "needs-review"
    else:
        status = "graded"
    return Grade(status=status, marks=tuple(marks), points=points, max_points=assignment.max_points)


def title_of(spec: CriterionSpec) -> str:
    """The criterion's title: the assignment's, else its kind's."""
    title: str = spec.title or kinds()[spec.kind].TITLE
    return title


def _mark(spec: CriterionSpec, evidence: Evidence, manual: Mapping[str, ManualMark], lost: bool) -> Mark:
    module, title = kinds()[spec.kind], title_of(spec)
    if title in manual:
        given = manual[title]
        by = f" ({given.marker})" if given.marker else ""
        points: float | None = given.points
        reason = f"{given.reason}{by}"
    else:
        judged = module.mark(evidence, module.Options.model_validate(spec.options), spec.points)
        points, reason = judged.points, judged.reason
        if lost and points is not None and points < spec.points:
            points, reason = None, f"Not judged, because the machine failed, not the hand-in: {reason}"
    rounded = None if points is None else round(points, _DECIMALS)
    return Mark(criterion=spec.kind, title=title, points=rounded, max_points=spec.points, reason=reason)
