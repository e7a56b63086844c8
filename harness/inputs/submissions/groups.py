"""Merges the submissions of each group in groups.csv: the newest of its members' submissions counts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial

from harness.errors import UsageError
from harness.findings import finding
from harness.inputs.submissions.class_lists import ClassLists, Named, Who
from harness.inputs.submissions.one_entry import kept_apart
from harness.inputs.submissions.sorting import Sorted


def one_for_each_group(found: list[Sorted], lists: ClassLists) -> list[Sorted]:
    """The submissions in the order of their names; for each group the newest, with the others as earlier tries.

    If not all times are known, neither is the newest: then all are kept, each with a finding. The same holds for a
    group without members, which is probably a mistake in the list.
    """
    of_group: dict[str, list[Sorted]] = defaultdict(list)
    alone = []
    for one in found:
        group = kept_apart("intake", partial(_group_of, one, lists), lambda _: None)
        if group is None:
            ambiguous = kept_apart("intake", partial(_is_ambiguous, one, lists), lambda _: False)
            alone.append(_noting(one, "listed-name-shared", name=one.delivery.student) if ambiguous else one)
        elif not lists.members[group]:
            alone.append(_noting(one, "group-without-members", group=group))
        else:
            of_group[group].append(one)
    merged = [one for group, several in of_group.items() for one in _newest_of(group, several)]
    return sorted([*alone, *merged], key=lambda one: one.delivery.key)


def for_these(lists: ClassLists, found: list[Sorted]) -> ClassLists:
    """The lists, prepared for looking up the senders of these submissions."""
    senders = [kept_apart("intake", partial(_named, one), lambda _: None) for one in found]
    return lists.among([sender for sender in senders if sender is not None])


def used_by_somebody(lists: ClassLists, found: list[Sorted]) -> None:
    """Raises `UsageError` for a groups.csv in which nobody who handed in is found."""
    if not lists.members:
        return
    of = [kept_apart("intake", partial(_group_of, one, lists), lambda _: None) for one in found]
    doubtful = [kept_apart("intake", partial(_is_ambiguous, one, lists), lambda _: False) for one in found]
    if not any(of) and not any(doubtful):
        named = [name for members in lists.members.values() for name in members][:3]
        handed_in = [one.delivery.student for one in found][:3]
        raise UsageError(
            f"groups.csv: of its {len(lists.members)} groups none handed in anything, by any name or id",
            f"use the submissions' names: the list has {', '.join(named)}; handed in did {', '.join(handed_in)}",
        )


def _named(one: Sorted) -> Named:
    return Named(_who(one))


def _group_of(one: Sorted, lists: ClassLists) -> str | None:
    return lists.group(_who(one))


def _is_ambiguous(one: Sorted, lists: ClassLists) -> bool:
    return lists.is_ambiguous(_who(one))


def _who(one: Sorted) -> Who:
    """The sender's id and names, for looking up in the lists."""
    return Who(one.delivery.lms_id, (one.delivery.student, one.delivery.key))


def _newest_of(group: str, several: list[Sorted]) -> list[Sorted]:
    if len(several) == 1:
        return several
    names = [one.delivery.student for one in several]
    if any(one.delivery.newest_first[0].at is None for one in several):
        return [_noting(one, "group-handed-in-twice", group=group, names=", ".join(names)) for one in several]
    newest = max(several, key=lambda one: one.delivery.newest_first[0].rank)
    others = tuple(
        replace(attempt, pieces=(), label=f"{attempt.label} ({one.delivery.student})")  # listed only
        for one in several
        if one is not newest
        for attempt in one.delivery.attempts
    )
    kept = newest.delivery
    return [replace(newest, delivery=replace(kept, attempts=(*kept.attempts, *others)))]


def _noting(one: Sorted, code: str, **particulars: str) -> Sorted:
    return replace(one, findings=(*one.findings, finding(code, **particulars)))
