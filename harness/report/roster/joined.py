"""Joins people with submissions: a row for each person, also for who handed in nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UsageError
from harness.findings import finding
from harness.gradebook.results import Results, SubmissionResult, lost_result
from harness.inputs.submissions.class_lists import forms
from harness.report.roster.people import Person

MISSING = "no-submission"  # the finding of who handed in nothing


@dataclass(frozen=True, slots=True)
class Joined:
    """`results` has a row for each person on the roster, under the person's own id."""

    results: Results
    people: dict[str, Person]  # by the row's id
    missing: tuple[Person, ...]  # they handed in nothing
    strangers: tuple[SubmissionResult, ...]  # nobody on the roster handed these in
    contested: tuple[tuple[Person, tuple[str, ...]], ...]  # several submissions may be theirs: left out


def joined(results: Results, roster: Sequence[Person], lms: str) -> Joined:
    """The class as `lms` has to read it. Raises `UsageError` where the roster and the submissions share nobody.

    A person is found by any id, else by name, as the sender or a member of a group, or by the group itself. An id or a
    name that two people or two submissions have identifies neither.
    """
    import pandas

    people = pandas.DataFrame.from_records(
        [(way, key, person.line) for person in roster for way, key in _keys_of(person)], columns=["way", "key", "line"]
    )
    people = people.drop_duplicates()
    people = people[~people.duplicated(["way", "key"], keep=False)]  # what two people have identifies neither
    submissions = pandas.DataFrame.from_records(
        [(way, key, one.id) for one in results.submissions for way, key in _keys_of_submission(one)],
        columns=["way", "key", "id"],
    )
    pairs = people.merge(submissions, on=["way", "key"]).drop_duplicates(["way", "line", "id"])
    surest = pairs["way"] == pairs.groupby("line")["way"].transform("min")
    groups = pandas.DataFrame.from_records(
        [(form, person.line) for person in roster for form in forms(person.group)[:1]], columns=["key", "line"]
    )
    of_groups = groups[~groups["line"].isin(pairs["line"])].merge(submissions[submissions["way"] == _GROUP], on="key")
    all_pairs = pandas.concat([pairs[surest], of_groups])[["line", "id"]].drop_duplicates()
    if all_pairs.empty:
        raise UsageError(
            "nobody on the roster handed anything in, by any id or name", "see that it is this course's roster"
        )
    found = {person.line: set[str]() for person in roster}
    for line, id in all_pairs.itertuples(index=False):
        found[line].add(id)
    return _rows(results, roster, found, lms)


def _rows(results: Results, roster: Sequence[Person], found: dict[int, set[str]], lms: str) -> Joined:
    by_id = {result.id: result for result in results.submissions}
    times = Counter(id for ids in found.values() if len(ids) == 1 for id in ids)
    rows, people, missing, contested = [], {}, [], []
    for person in roster:
        ids = sorted(found[person.line])
        if len(ids) > 1:
            contested.append((person, tuple(ids)))
            continue
        result = by_id[ids[0]] if ids else _nothing(person, results.assignment.max_points)
        if not ids:
            missing.append(person)
        id = result.id if times[result.id] < 2 else f"{result.id}-{person.line}"  # one row for each of a group
        rows.append(_as_of(result, person, id, lms))
        people[id] = person
    taken = {id for ids in found.values() for id in ids}
    strangers = tuple(result for result in results.submissions if result.id not in taken)
    return Joined(
        results.model_copy(update={"submissions": tuple(rows)}), people, tuple(missing), strangers, tuple(contested)
    )


def _nothing(person: Person, max_points: float) -> SubmissionResult:
    return lost_result(f"roster-{person.line}", person.name, max_points, (finding(MISSING),))


def _as_of(result: SubmissionResult, person: Person, id: str, lms: str) -> SubmissionResult:
    """The row under the person's name, and the id by which that LMS finds people."""
    source, lms_id = "plain", next(iter(person.ids.values()), result.lms_id)
    if lms == "canvas" and person.ids.get("id", "").isdecimal():
        source, lms_id = "canvas", person.ids["id"]
    elif lms == "moodle" and (number := re.fullmatch(r"Participant (\d{1,20})", person.ids.get("identifier", ""))):
        source, lms_id = "moodle", number[1]
    elif not person.ids:
        source = result.source
    name = person.name or result.student
    return result.model_copy(update={"id": id, "student": name, "source": source, "lms_id": lms_id})


_ID, _NAME, _GROUP = 0, 1, 2  # how people are found, the surest way first


def _keys_of(person: Person) -> list[tuple[int, str]]:
    ids = [(_ID, key) for text in person.ids.values() if (key := text.strip().casefold())]
    return [*ids, *((_NAME, form) for form in forms(person.name))]


def _keys_of_submission(result: SubmissionResult) -> list[tuple[int, str]]:
    """By what it may be found. Members that only its notebook names are not among it: anybody can write a name."""
    members = result.members if result.members_from in ("list", "lms") else ()
    if result.source == "moodle":  # its ids are numbers of participants, and no other list's
        ids = [f"participant {result.lms_id}", *members]
    else:
        ids = [result.lms_id, *members] if result.lms_id else [result.student, result.id, *members]
    names = [form for name in (result.student, *members) for form in forms(name)]
    groups = {form for name in (result.student, result.id, result.lms_id) for form in forms(name)}
    exact = [key for text in ids if (key := text.strip().casefold())]
    return [
        *((_ID, key) for key in dict.fromkeys(exact)),
        *((_NAME, form) for form in dict.fromkeys(names)),
        *((_GROUP, form) for form in groups),
    ]
