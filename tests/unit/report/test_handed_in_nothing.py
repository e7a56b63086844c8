"""The class's page names who on `roster.csv` handed in nothing, where one lies in the output folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic_class
from test_report_pages import text_of

from harness import report
from harness.report.roster.people import FILE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> synthetic_class.SyntheticClass:
    return synthetic_class.build(tmp_path_factory.mktemp("class"))


def page(made: synthetic_class.SyntheticClass, out: Path, roster: str | None) -> str:
    out.mkdir(exist_ok=True)
    if roster is not None:
        (out / FILE).write_text(roster, encoding="utf-8")
    first = made.results.model_copy(update={"submissions": made.results.submissions[:2]})
    report.write(first, made.sources, out)
    return text_of(out / "index.html")


def test_who_handed_in_nothing_is_named(made: synthetic_class.SyntheticClass, tmp_path: Path) -> None:
    [one, other] = made.results.submissions[:2]
    words = page(made, tmp_path / "out", f'student,id\n"{one.student}",{one.id}\nNed <b>Nobody</b>,s9\n,s10\n')
    assert "2 of the 3 people on roster.csv: Ned <b>Nobody</b>; s10" in words
    assert other.student in words and "1 submission is of nobody on it." in words


def test_a_class_without_a_roster_says_nothing_of_it(made: synthetic_class.SyntheticClass, tmp_path: Path) -> None:
    assert "Handed in nothing" not in page(made, tmp_path / "out", None)


@pytest.mark.parametrize(
    ("roster", "said"),
    [
        ("what,else\n1,2\n", "no column of names or ids"),
        ("student\nNed\n", "nobody on the roster"),
        ("\0", "roster.csv"),
    ],
)
def test_a_roster_that_cannot_be_used_stops_nothing(
    made: synthetic_class.SyntheticClass, tmp_path: Path, roster: str, said: str
) -> None:
    words = page(made, tmp_path / "out", roster)
    assert "roster.csv tells nothing" in words and said in words
