"""One submission for each group of groups.csv: the newest of what its members handed in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial

from harness.findings import finding
from harness.inputs.submissions.class_lists import ClassLists, Named, Who
from harness.inputs.submissions.one_entry import kept_apart
from harness.inputs.submissions.sorting import Sorted


def one_for_each_group(found: list[Sorted], lists: ClassLists) -> list[Sorted]:
    """The submissions, in the order of their names; of a group's several, the newest with the others as its tries.

    Where the times are not all known, the newest is not either: then all stay, each with a finding. So they do for a
    group without members, which is most likely a mistake in the list.
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
    """The lists as they are to be read for the senders of these."""
    senders = [kept_apart("intake", partial(_named, one), lambda _: None) for one in found]
    return lists.among([sender for sender in senders if sender is not None])


def _named(one: Sorted) -> Named:
    return Named(_who(one))


def _group_of(one: Sorted, lists: ClassLists) -> str | None:
    return lists.group(_who(one))


def _is_ambiguous(one: Sorted, lists: ClassLists) -> bool:
    return lists.is_ambiguous(_who(one))


def _who(one: Sorted) -> Who:
    """As the lists may call its sender."""
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
