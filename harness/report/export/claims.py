"""Whose marks an LMS may have: those of which it is known whose they are.

Two submissions that claim one person of an LMS, or one that may be several people's, are left out of every LMS's file:
a mark that reaches the wrong person is worse than one that is entered by hand.
"""

from __future__ import annotations

from collections import Counter

from harness.gradebook.results import Results, SubmissionResult

_NOBODYS = {"lms-id-claimed-twice", "lms-name-ambiguous"}  # findings of intake


def exportable(results: Results) -> tuple[SubmissionResult, ...]:
    """The submissions whose marks may go to an LMS, in their order."""
    out = {row.id for row in left_out(results)}
    return tuple(row for row in results.submissions if row.id not in out)


def left_out(results: Results) -> tuple[SubmissionResult, ...]:
    """The others: found at intake, or of one name for the LMS, as a folder beside a download may be called."""
    names = Counter(_name(row) for row in results.submissions)
    return tuple(
        row for row in results.submissions if names[_name(row)] > 1 or _NOBODYS & {f.code for f in row.findings}
    )


def _name(row: SubmissionResult) -> str:
    """What an LMS's file has for the person: see `formats/`."""
    return (row.lms_id or row.id).strip().casefold()
