"""A report of many submissions stays small, and what is given away of it is whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic_class
from synthetic_class import SyntheticClass

from harness import report
from harness.errors import UsageError
from harness.report.compact import compact
from harness.report.export.feedback import cleared_page
from harness.report.kept import made_of

_BYTES = 60_000  # for each submission, of which a thousand have what all pages share: 60 MB
_IN_TABLE = 1_900  # at most, in the class's page and in what is shared, of a thousand


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticClass, Path]:
    folder = tmp_path_factory.mktemp("class")
    made = synthetic_class.build(folder)
    report.write(made.results, made.sources, folder / "out")
    return made, folder / "out"


def test_the_pages_of_a_submission_are_small(built: tuple[SyntheticClass, Path]) -> None:
    """In the mean of a class in which every part of a page occurs; `benchmarks/large_report.py` prints the whole."""
    made, out = built
    pages = [file.stat().st_size for folder in ("submissions", "students") for file in (out / folder).glob("*/*")]
    assert sum(pages) / len(made.results.submissions) < _BYTES - _IN_TABLE


def test_a_page_that_is_given_away_needs_no_other_file(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    page = out / "students" / "team-01" / "index.html"
    written, alone = page.read_text("utf-8"), cleared_page(page, made_of(page.read_text("utf-8")))
    assert "notebook.html" in written and "'self'" in written and ".css" in written
    assert "notebook.html" not in alone and "'self'" not in alone and ".css" not in alone
    assert "Recognising five objects" in alone and "<style>" in alone


@pytest.mark.parametrize("name", ["team-01/notebook.html", "*.css"])
def test_a_page_that_lacks_a_part_is_not_given_away(tmp_path: Path, name: str) -> None:
    made = synthetic_class.build(tmp_path)
    first = made.results.model_copy(update={"submissions": made.results.submissions[:1]})
    written = report.write(first, made.sources, tmp_path / "out")
    [part] = (tmp_path / "out" / "students").glob(name)
    part.unlink()
    with pytest.raises(UsageError, match="missing"):
        cleared_page(tmp_path / "out" / "students" / "team-01" / "index.html", written.submissions[0].page)


def test_a_notebook_of_another_run_is_not_given_away(tmp_path: Path) -> None:
    made = synthetic_class.build(tmp_path)
    first = made.results.model_copy(update={"submissions": made.results.submissions[:1]})
    written = report.write(first, made.sources, tmp_path / "out")
    file = tmp_path / "out" / "students" / "team-01" / "notebook.html"
    file.write_text(file.read_text("utf-8").replace(made_of(file.read_text("utf-8")), "0" * 64))
    with pytest.raises(UsageError, match="another run"):
        cleared_page(tmp_path / "out" / "students" / "team-01" / "index.html", written.submissions[0].page)


def test_what_is_left_out_is_only_markup() -> None:
    page = (
        '<head><p class="a">x</p></head><body>\n<div class="a">\n<p>a ="b" c</p>\n<table>\n<tr><td class="x y">1</td>\n'
        '<td title="two">2</td></tr>\n</table>\n</div><pre>\n\n<span class="k">\n</span></pre><rect width="3"/></body>'
    )
    assert compact(page) == (
        '<head><p class="a">x</p></head><body><div class=a><p>a ="b" c<table><tr><td class="x y">1<td title=two>2'
        "</table></div><pre>\n\n<span class=k>\n</span></pre><rect width=3 /></body>"
    )
