"""What an export changes in a gradebook that was downloaded from the LMS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.gradebook.results import Results
from harness.report.export.claims import not_exported
from harness.report.roster.people import Person
from harness.report.tables.reading import read_number

if TYPE_CHECKING:
    import pandas

COLUMNS = ("line", "student", "there", "new", "change")


def grade_column(columns: Sequence[str], title: str) -> str | None:
    """The column with the assignment's grades: its title as each LMS completes it; None where there is none."""
    wanted = title.strip().casefold()

    def rank(name: str) -> int:
        plain = name.strip().casefold()
        is_longer = plain.startswith((f"{wanted} (", f"{wanted} [total pts"))
        ways = (plain == wanted, is_longer, plain == f"{wanted} points grade", plain == "grade")
        return ways.index(True) if True in ways else len(ways)

    best = min(columns, key=rank, default="")
    return best if best and rank(best) < 4 else None


def compared(results: Results, people: Mapping[str, Person], column: str | None) -> pandas.DataFrame:
    """`COLUMNS` of everybody whose grade in the gradebook is another than the new one; both missing where empty.

    `results` has a row for each person, `column` is the gradebook's. A grade that is not final changes nothing.
    """
    import pandas

    refused = not_exported(results)
    rows = [
        (people[row.id].line, row.student, read_number(people[row.id].cells.get(column or "", "")), row.points)
        for row in results.submissions
        if row.id in people and row.id not in refused and not row.is_open
    ]
    frame = pandas.DataFrame.from_records(rows, columns=list(COLUMNS[:4]))
    frame = frame.astype({"there": float, "new": float})
    frame["change"] = frame["new"] - frame["there"]
    return frame[~(frame["change"].abs() < 0.005)].reset_index(drop=True)  # an LMS keeps two decimals
