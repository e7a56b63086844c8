"""The pages of a run that goes on."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_class
from synthetic_class import SyntheticClass
from test_report_escaping import HOSTILE, Page, check_page, known_link
from test_report_pages import text_of

from harness.gradebook.results import Results
from harness.report import UnfinishedPages
from harness.report.unfinished import UnfinishedRow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticClass:
    return synthetic_class.build(tmp_path_factory.mktemp("class"))


@pytest.fixture
def pages(made: SyntheticClass, tmp_path: Path) -> UnfinishedPages:
    return UnfinishedPages(replace(made.sources, evidence={}), tmp_path)


def run_of(made: SyntheticClass) -> Results:
    return made.results.model_copy(update={"submissions": ()})


def rows(made: SyntheticClass) -> list[UnfinishedRow]:
    """One of each kind: timed, examined, running; the others wait."""
    first, second, third, *others = made.results.submissions
    return [
        UnfinishedRow(first.id, first.student, "timed", first, has_page=True),
        UnfinishedRow(second.id, second.student, "examined", second, has_page=False),
        UnfinishedRow(third.id, third.student, "running", None, has_page=False),
        *(UnfinishedRow(one.id, one.student, "waiting", None, has_page=False) for one in others),
    ]


def cells(page: str) -> list[list[str]]:
    """The table's rows, without tags."""
    body = page.partition("<tbody>")[2].partition("</table>")[0]
    found = [re.split(r"<t[hd][^>]*>", row)[1:] for row in body.split("<tr>")[1:]]
    return [[" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in row] for row in found]


def test_the_class_page_says_how_far_each_has_come(
    made: SyntheticClass, pages: UnfinishedPages, tmp_path: Path
) -> None:
    pages.write_class(run_of(made), rows(made), "goes on")
    page = (tmp_path / "index.html").read_text("utf-8")
    words = text_of(tmp_path / "index.html")
    assert "2 of 12 submissions graded so far, 1 of them timed." in words
    assert "The run goes on." in words and "Marks can still change" in words
    status = [row[1] for row in cells(page)]
    assert status[1:] == ["Not timed yet", "Running", *["Waiting"] * 9]
    assert status[0] in ("Graded", "Failed", "Needs review")
    assert cells(page)[2][2:] == ["–"] * 4


def test_it_leads_to_the_pages_that_are_there(made: SyntheticClass, pages: UnfinishedPages, tmp_path: Path) -> None:
    pages.write_class(run_of(made), rows(made), "goes on")
    page = Page((tmp_path / "index.html").read_text("utf-8"))
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a" and attributes["href"] != "#content"}
    assert links == {f"submissions/{made.results.submissions[0].id}/index.html"}


def test_only_the_page_of_a_run_that_goes_on_is_loaded_anew(
    made: SyntheticClass, pages: UnfinishedPages, tmp_path: Path
) -> None:
    pages.write_class(run_of(made), rows(made), "goes on")
    assert '<meta http-equiv="refresh" content="10">' in (tmp_path / "index.html").read_text("utf-8")
    pages.write_class(run_of(made), rows(made), "stopped")
    assert "refresh" not in (tmp_path / "index.html").read_text("utf-8")
    assert "The run was stopped on 24 November 2026" in text_of(tmp_path / "index.html")


def test_the_pages_hold_only_our_constructs_whatever_a_name_is(
    made: SyntheticClass, pages: UnfinishedPages, tmp_path: Path
) -> None:
    hostile = [replace(row, student=name) for row, name in zip(rows(made), HOSTILE, strict=False)]
    pages.write_class(run_of(made), hostile, "goes on")
    check_page((tmp_path / "index.html").read_text("utf-8"), known_link)
    result = made.results.submissions[0]
    named = result.model_copy(update={"student": HOSTILE[0]})
    pages.write_submission(run_of(made), named, made.sources.evidence[result.id])
    check_page((tmp_path / "submissions" / result.id / "index.html").read_text("utf-8"), known_link)


def test_a_submissions_page_says_that_it_is_not_final(
    made: SyntheticClass, pages: UnfinishedPages, tmp_path: Path
) -> None:
    """And leads to no page that is written at the end only. There is none for the student."""
    result = made.results.submissions[0]
    pages.write_submission(run_of(made), result, made.sources.evidence[result.id])
    file = tmp_path / "submissions" / result.id / "index.html"
    words = text_of(file)
    assert "This page is not final." in words and "marks can still change" in words
    links = [attributes["href"] for tag, attributes in Page(file.read_text("utf-8")).tags if tag == "a"]
    assert all(str(link).startswith("#") or link == "../../index.html" for link in links)
    assert not (tmp_path / "students").exists()


def test_a_row_that_cannot_be_shown_is_left_out_and_named(
    made: SyntheticClass, pages: UnfinishedPages, tmp_path: Path
) -> None:
    every = rows(made)
    assert every[0].result is not None
    evaluation = made.results.submissions[0].evaluation
    assert evaluation is not None
    broken = every[0].result.model_copy(
        update={"evaluation": evaluation.model_copy(update={"accuracy_interval": (0.1,)})}
    )
    every[0] = replace(every[0], result=broken)
    pages.write_class(run_of(made), every, "goes on")
    words = text_of(tmp_path / "index.html")
    assert f"The harness failed to show {broken.id} here." in words
    assert "1 of 12 submissions" in words
    assert len(cells((tmp_path / "index.html").read_text("utf-8"))) == 11
