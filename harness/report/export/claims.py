"""Selects the submissions whose marks may be exported to an LMS: those with a certain sender.

Submissions that claim the same person of an LMS, or that may be from several people, are left out of every LMS's file:
a mark for the wrong person is worse than a mark that has to be entered by hand.
"""

from __future__ import annotations

from collections import Counter

from harness.gradebook.results import Results, SubmissionResult

_NOBODYS = {"lms-id-claimed-twice", "lms-name-ambiguous"}  # findings of intake about an uncertain sender


def exportable(results: Results) -> tuple[SubmissionResult, ...]:
    """The submissions whose marks may be exported, in order."""
    out = {row.id for row in left_out(results)}
    return tuple(row for row in results.submissions if row.id not in out)


def left_out(results: Results) -> tuple[SubmissionResult, ...]:
    """The other submissions: uncertain at intake, or with an LMS name that another one has, too."""
    names = Counter(_name(row) for row in results.submissions)
    return tuple(
        row for row in results.submissions if names[_name(row)] > 1 or _NOBODYS & {f.code for f in row.findings}
    )


def not_exported(results: Results) -> dict[str, str]:
    """Id -> why its marks go to no LMS."""
    return {row.id: "goes to no LMS, because whose it is is not known; see its findings" for row in left_out(results)}


def is_missing(row: SubmissionResult) -> bool:
    """Whether it only stands for somebody on the roster who handed in nothing."""
    return any(found.code == "no-submission" for found in row.findings)


def _name(row: SubmissionResult) -> str:
    """The person's name in an LMS's file; see `formats/`."""
    return (row.lms_id or row.id).strip().casefold()
