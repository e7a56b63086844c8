"""Who handed in nothing, for the class's page, by the roster in the output folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.gradebook.results import Results
from harness.report.roster.joined import joined
from harness.report.roster.people import FILE, people


@dataclass(frozen=True, slots=True)
class Absent:
    """The names of who handed in nothing, of how many; `trouble`: why that cannot be known."""

    names: tuple[str, ...] = ()
    on_roster: int = 0
    strangers: int = 0  # submissions of nobody on the roster
    trouble: str = ""


def absent(results: Results, out: Path) -> Absent | None:
    """Who on `out/roster.csv` handed in nothing; None where there is no such file.

    A roster that cannot be used stops no grading: what is wrong with it is said in its place.
    """
    file = out / FILE
    if not file.is_file():
        return None
    try:
        roster = people(file)
        found = joined(results, roster, "")
    except (UsageError, OSError) as error:
        return Absent(trouble=str(error))
    names = tuple(person.name or next(iter(person.ids.values())) for person in found.missing)
    return Absent(names, len(roster), len(found.strangers))
