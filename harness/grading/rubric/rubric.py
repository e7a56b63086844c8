"""Applies the rubric: every criterion's mark, their sum, and whether a person has to look."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from harness.errors import AssignmentError, Problem, nearest
from harness.findings import sentence
from harness.findings.on_marks import GIVEN_FOR
from harness.gradebook.manual import ManualMark
from harness.grading.rubric.carried import held_back
from harness.grading.rubric.criterion import Judgement, kinds, tasks_of
from harness.grading.rubric.declared import Undeclared, only, self_reported, waiting
from harness.grading.rubric.late import NOT_LATE, Lateness, judge
from harness.grading.rubric.uncertainty import borderline, crossed, of_total, rounded_interval
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.points import rounded, total
from harness.inputs.assignment.problems import problem
from harness.inputs.assignment.schema import CriterionSpec, Task
from harness.inputs.submission import Origin
from harness.stages.evidence.grade import Grade, GradeStatus, Mark
from harness.stages.evidence.stage_result import NOT_THE_STUDENTS, Done
from harness.stages.evidence.submission import Evidence

_PERHAPS_ANOTHERS = ("unknown", "one of several")  # so the student does not read it
# Stage -> the stage whose result it uses. If the machine lost a stage, all that follow are lost.
_WORKS_ON: dict[Task, dict[str, str]] = {
    "classification": {
        "convert": "execute",
        "predict": "convert",
        "inspect": "convert",
        "evaluate": "predict",
        "boards": "convert",
        "benchmark": "predict",
    },
    "detection": {
        "detect": "execute",
        "convert": "detect",
        "inspect": "convert",
        "detect_worse": "detect",
        "score_boxes": "detect",
        "boards": "convert",
        "benchmark": "convert",
    },
}


def check(assignment: Assignment) -> None:
    """Raises `AssignmentError` for unknown kinds, options that a criterion does not take, and equal titles."""
    text = assignment.file.read_text(encoding="utf-8")
    criteria = dict(enumerate(assignment.criteria))
    problems = problems_of(criteria, assignment.file, text, assignment.boards, assignment.task)
    if problems:
        raise AssignmentError(problems, f"correct {assignment.file.name}; see docs/criteria.md")


def problems_of(
    criteria: Mapping[int, CriterionSpec], file: Path, text: str, boards: Collection[str], task: str | None = None
) -> list[Problem]:
    """What is wrong with the rubric's lines, by their position.

    `boards`: the names that the assignment has. `task`: None where it is not known.
    """
    problems = []
    titles = [title_of(spec) for spec in criteria.values() if spec.kind in kinds()]
    for index, spec in criteria.items():
        if spec.kind in kinds() and titles.count(title_of(spec)) > 1:
            what = f"two criteria are called {title_of(spec)!r}; give each its own title"
            problems.append(problem(file, text, ("criteria", index, "title"), what))
        problems += [problem(file, text, ("criteria", index, *where), what) for where, what in _problems(spec)]
        if spec.kind in kinds() and task is not None and task not in tasks_of(kinds()[spec.kind]):
            what = f'{spec.kind} marks nothing where task is "{task}"; {_of_the_task(task)}'
            problems.append(problem(file, text, ("criteria", index, "kind"), what))
        if spec.kind in kinds() and "boards" in kinds()[spec.kind].READS and not boards:
            what = f'{spec.kind} needs a board; add boards = ["jetson-nano-4gb"] above the tables'
            problems.append(problem(file, text, ("criteria", index, "kind"), what))
    return problems


def _of_the_task(task: str) -> str:
    """The kinds that no other task has, else all of the task's."""
    fit = [name for name, module in kinds().items() if task in tasks_of(module)]
    own = [name for name in fit if tasks_of(kinds()[name]) == (task,)]
    return f"there is: {', '.join(own or fit)}"


def _problems(spec: CriterionSpec) -> list[tuple[tuple[str, ...], str]]:
    """(key, what is wrong) for one criterion."""
    known = kinds()
    if spec.kind not in known:
        return [(("kind",), f"unknown kind {spec.kind!r}; {nearest(spec.kind, known)}")]
    options = known[spec.kind].Options
    try:
        options.model_validate(spec.options)
    except ValidationError as error:
        found = []
        for detail in error.errors():
            where = tuple(map(str, detail["loc"]))
            what = detail["msg"].removeprefix("Value error, ")
            if detail["type"] == "extra_forbidden":
                taken = ", ".join(options.model_fields) or "none beside kind, points and title"
                what = f"unknown key; {nearest(where[-1], options.model_fields, f'it takes: {taken}')}"
            found.append((where, what))
        return found
    return []


def grade(
    assignment: Assignment,
    evidence: Evidence,
    manual: Mapping[str, ManualMark],
    origin: Origin = Origin(),  # noqa: B008
) -> Grade:
    """Every criterion's mark; a person's mark (by the criterion's title) replaces the harness's own.

    The late policy's deduction is a separate line after the criteria.

    A person's mark that was given for other content does not count: the criterion waits, and shows the old mark.

    Status: `failed` when neither a notebook ran through nor a model predicted, by the submission's own fault;
    `needs-review` when a mark is open, when a grade boundary lies in the total's interval and no person has marked one
    of the criteria that make it uncertain, or when a stage was lost to the engine or a defect of ours and no person has
    marked anything since; else `graded`.
    """
    lost = {  # no mark uses these two, which only show when the model fails
        name
        for name, result in evidence.stages().items()
        if name not in ("stress", "detect_worse")
        and any(finding.code in NOT_THE_STUDENTS for finding in result.findings)
    }
    marks = [_mark(spec, evidence, manual, lost) for spec in assignment.criteria]
    earned = total(mark.points or 0.0 for mark in marks)
    lateness = _lateness(assignment, origin, earned, manual)

    def after_lateness(earned: float) -> float:
        late = _lateness(assignment, origin, earned, manual).mark
        return total([earned, late.points or 0.0 if late else 0.0])

    marks += [lateness.mark] if lateness.mark else []
    interval = of_total(marks[: len(assignment.criteria)], after_lateness)
    uncertain = [title_of(spec) for spec in assignment.criteria if _rests_on_a_sample(spec, evidence, lost)]
    decided = any(title in manual and manual[title].counts for title in uncertain)
    boundaries = () if decided else crossed(interval, assignment.grading.borderline)
    points = total(mark.points or 0.0 for mark in marks)
    ran = isinstance(evidence.execute, Done) and evidence.execute.value.code_cells > 0
    our_fault = any(found.code == "harness-defect" for found in evidence.findings())
    nothing = not ran and not isinstance(evidence.answered, Done)
    status: GradeStatus
    if nothing and not lost and not our_fault:
        status = "failed"
    elif (
        boundaries
        or any(mark.points is None for mark in marks)
        or ((lost or our_fault) and not any(given.counts for given in manual.values()))
    ):
        status = "needs-review"
    else:
        status = "graded"
    near = [borderline(points, interval, boundaries, uncertain)] if boundaries and interval else []
    return Grade(
        status=status,
        marks=tuple(marks),
        points=points,
        max_points=assignment.max_points,
        late_days=lateness.days,
        findings=(*lateness.findings, *near),
        points_interval=interval,
    )


def title_of(spec: CriterionSpec) -> str:
    """The criterion's title: the assignment's, else its kind's."""
    title: str = spec.title or kinds()[spec.kind].TITLE
    return title


def _lateness(assignment: Assignment, origin: Origin, earned: float, manual: Mapping[str, ManualMark]) -> Lateness:
    """The late policy's result, or that of a person who overruled it."""
    if assignment.deadline is None:
        return NOT_LATE
    judged = judge(origin, assignment.deadline, assignment.max_points, earned)
    if judged.mark is None:
        return judged
    points, reason, detail, number = judged.mark.points, judged.mark.reason, judged.mark.detail, 0
    if judged.mark.title in manual:
        given = _by_person(manual[judged.mark.title], judged.mark.max_points, reason)
        points, reason, detail = given.points, given.reason, given.detail
        number = manual[judged.mark.title].number
    if points is not None:
        points = 0.0 - min(rounded(-points), earned)
    changed = {"points": points, "reason": reason, "detail": detail, "given": number}
    return replace(judged, mark=judged.mark.model_copy(update=changed))


def _mark(spec: CriterionSpec, evidence: Evidence, manual: Mapping[str, ManualMark], lost: Set[str]) -> Mark:
    title = title_of(spec)
    judged = _judged(spec, evidence, lost)
    if title in manual:
        judged = _by_person(manual[title], spec.points, judged.reason)
    points = None if judged.points is None else rounded(judged.points)
    return Mark(
        criterion=spec.kind,
        title=title,
        points=points,
        max_points=spec.points,
        reason=judged.reason,
        detail=judged.detail,
        more=judged.more,
        points_interval=rounded_interval(judged.points_interval, points),
        given=manual[title].number if title in manual else 0,
    )


def _judged(spec: CriterionSpec, evidence: Evidence, lost: Set[str]) -> Judgement:
    """The harness's own judgement."""
    return held_back(_by_harness(spec, evidence, lost), kinds()[spec.kind].READS, evidence)


def _rests_on_a_sample(spec: CriterionSpec, evidence: Evidence, lost: Set[str]) -> bool:
    return _judged(spec, evidence, lost).points_interval is not None


def _by_person(given: ManualMark, max_points: float, otherwise: str) -> Judgement:
    """The judgement by a person's mark. `otherwise`: the reason without the mark, for confirming or changing it."""
    by = f" ({given.marker})" if given.marker else ""
    if not given.counts:
        was = sentence("was-given", points=given.points, by=by, given_for=GIVEN_FOR[given.given_for])
        if given.given_for in _PERHAPS_ANOTHERS:
            return Judgement(None, sentence("mark-again", otherwise=otherwise), was)
        return Judgement(None, f"{was} {otherwise}")
    if given.points > max_points:
        return Judgement(None, sentence("was-given-more", points=given.points, by=by, most=max_points))
    return Judgement(given.points, f"{given.reason}{by}")


def _by_harness(spec: CriterionSpec, evidence: Evidence, lost: Set[str]) -> Judgement:
    module = kinds()[spec.kind]
    try:
        options = module.Options.model_validate(spec.options)
        judged: Judgement = module.mark(only(evidence, module.READS), options, spec.points)
    except Undeclared as looked:
        return Judgement(None, sentence("may-not-judge-by", what=looked))
    said = self_reported(evidence, module.READS)
    works_on = _WORKS_ON[evidence.task]
    is_in_doubt = any(_is_spoilt(stage, lost, works_on) for stage in module.READS)
    if is_in_doubt and judged.points is not None and judged.points < spec.points:
        return Judgement(None, sentence("machine-failed", reason=judged.reason))
    if said and judged.points is not None:
        return Judgement(None, waiting(said, judged.reason))
    return judged


def _is_spoilt(stage: str, lost: Set[str], works_on: Mapping[str, str]) -> bool:
    return stage in lost or (stage in works_on and _is_spoilt(works_on[stage], lost, works_on))
