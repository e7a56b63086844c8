"""What stands on the pages, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import synthetic_class
from synthetic_class import SyntheticClass
from test_report_escaping import Page, check_page, known_link

from harness import report
from harness.boundary.parsed_apart import parsed_apart
from harness.findings import finding
from harness.gradebook.results import Results
from harness.report import notebook, overview
from harness.report.first_look import first_look


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SyntheticClass, Path]]:
    folder = tmp_path_factory.mktemp("class")
    made = synthetic_class.build(folder)
    report.write(made.results, made.sources, folder / "out")
    yield made, folder / "out"


def text_of(file: Path) -> str:
    """The page's words and those of its frame, without tags, on one line."""
    body = file.read_text("utf-8").partition("<body")[2]
    for framed in re.findall(r'<iframe[^>]* src="([^"]*)"', body):
        body += (file.parent / framed).read_text("utf-8").partition("<body")[2]
    body = re.sub(r'<iframe[^>]* srcdoc="([^"]*)"', lambda m: unescape(m[1]).partition("</style>")[2] + "<iframe", body)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).replace("\u202f", " ").split())


def student(out: Path, id: str) -> Path:
    """The page with everything, which is the instructor's."""
    return out / "submissions" / id / "index.html"


def test_there_is_one_page_for_the_class_and_two_for_each_submission(built: tuple[SyntheticClass, Path]) -> None:
    """And beside them what the instructor's pages have in common."""
    made, out = built
    pages = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file() and file.parent.name != "shared"}
    assert {file.suffix for file in (out / "shared").iterdir()} == {".css", ".jpg"}
    [style] = (out / "students").glob("*.css")
    ids = [row.id for row in made.results.submissions]
    ran = [id for id in ids if id not in ("team-06", "team-10")]
    assert pages == {
        "index.html",
        *(f"submissions/{id}/index.html" for id in ids),
        *(f"students/{id}/index.html" for id in ids),
        *(f"students/{id}/notebook.html" for id in ran),
        f"students/{style.name}",
    }


def test_a_notebook_is_parsed_once_for_both_pages(
    built: tuple[SyntheticClass, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, which takes some tenths of a second."""
    parsed = []

    def counted(what: str, file: Path) -> bytes:
        parsed.append(file)
        return parsed_apart(what, file)

    monkeypatch.setattr(notebook, "parsed_apart", counted)
    made, _ = built
    report.write(made.results, made.sources, tmp_path)
    assert len(parsed) == len(set(parsed)) > 1


def test_every_page_holds_only_our_constructs(built: tuple[SyntheticClass, Path]) -> None:
    """Tags, attributes, addresses; a policy that names our script and style by hash."""
    _, out = built
    for file in out.rglob("*.html"):
        check_page(file.read_text("utf-8"), known_link)


def test_only_the_class_page_has_a_script(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    assert len(Page((out / "index.html").read_text("utf-8")).inside["script"]) == 1
    assert Page(student(out, "team-01").read_text("utf-8")).inside["script"] == []


def test_every_link_leads_to_a_page_or_a_section(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    for file in out.rglob("*.html"):
        page = Page(file.read_text("utf-8"))
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        for tag, attributes in page.tags:
            target = attributes.get("href") if tag == "a" else None
            if target is None or target in ("grades.csv", "results.json"):
                continue  # written beside the class page by the export
            if target.startswith("#"):
                assert target[1:] in ids, target
            else:
                assert (file.parent / target).is_file(), target


def test_every_value_of_the_table_can_be_sorted_by(built: tuple[SyntheticClass, Path]) -> None:
    """Each cell of a sortable column has its value as data; numbers are numbers, unknown is empty."""
    made, out = built
    page = Page((out / "index.html").read_text("utf-8"))
    kinds = [attributes["data-sort"] for tag, attributes in page.tags if "data-sort" in attributes]
    every = [str(attributes["data-value"]) for tag, attributes in page.tags if "data-value" in attributes]
    rows = [every[start : start + len(kinds)] for start in range(0, len(every), len(kinds))]
    assert len(kinds) == 7 and len(rows) == len(made.results.submissions)
    for values, result in zip(rows, made.results.submissions, strict=True):
        for kind, value in zip(kinds, values, strict=True):
            if kind == "number" and value:
                float(value)
        assert float(values[2]) == result.points
        assert (values[3] == "") == (result.evaluation is None)


def test_the_class_page_says_how_many_and_how_it_was_run(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    words = text_of(out / "index.html")
    assert "12 submissions: 8 graded, 2 need review, 2 could not be graded." in words
    assert "bubblewrap (no Docker Engine answers here)" in words
    assert "memory is limited for each process, not for all of them together" in words
    assert "Labels swapped" in words


@pytest.mark.parametrize("code", ["stateful-model", "benchmark-outputs-differ", "not compared"])
def test_a_latency_that_waits_for_a_person_is_not_drawn(
    built: tuple[SyntheticClass, Path], code: str, tmp_path: Path
) -> None:
    """Nor one whose answers were not compared; the page says how many."""
    made, _ = built
    before = overview.view(made.results)
    assert before["not_believed"] == 0
    drawn = next(row for row in made.results.submissions if row.benchmark and row.evaluation)
    assert drawn.benchmark is not None
    if code == "not compared":
        doubted = drawn.model_copy(update={"benchmark": drawn.benchmark.model_copy(update={"answers": None})})
    else:
        said = finding(code, operators="RandomUniform", reason="other programs")
        doubted = drawn.model_copy(update={"findings": (*drawn.findings, said)})
    rows = tuple(doubted if row.id == drawn.id else row for row in made.results.submissions)
    results = made.results.model_copy(update={"submissions": rows})
    after = overview.view(results)
    assert len(after["tradeoff"].points) == len(before["tradeoff"].points) - 1 == len(after["tradeoff_names"])
    report.write(results, made.sources, tmp_path)
    assert "Left out is 1 submission whose accuracy or latency waits for a person" in text_of(tmp_path / "index.html")


def test_a_number_has_its_unit_its_interval_and_its_count(built: tuple[SyntheticClass, Path]) -> None:
    made, out = built
    score = made.results.submissions[0].evaluation
    assert score is not None
    low, high = score.accuracy_interval
    words = text_of(student(out, "team-01"))
    assert f"{100 * score.accuracy:.1f}% {100 * low:.1f}–{100 * high:.1f}%, 150 images" in words
    assert re.search(r"Latency [\d.]+ ms median of 256 queries", words)


def test_a_failed_hand_in_says_why(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    words = text_of(student(out, "team-10"))
    assert "This submission could not be graded. model.pt cannot be loaded: the file ends in the middle." in words
    assert "Failed 3.4 s" in words
    assert "EOFError: Ran out of input" in words


def test_a_notebook_that_stopped_is_shown_as_far_as_it_came(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    words = text_of(student(out, "team-08"))
    assert "Code cell 5 stopped with NameError : name 'modle' is not defined" in words
    assert "NameError Traceback (most recent call last)" in words
    assert "5 of 6 code cells ran" in words


def test_a_mark_that_a_person_has_to_give_is_named(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    words = text_of(student(out, "team-03"))
    assert "One mark is still to be given by a person." in words
    assert "so far; 20 still to be marked" in words


def test_every_mistake_has_its_image_and_what_it_shows(built: tuple[SyntheticClass, Path]) -> None:
    made, out = built
    score = made.results.submissions[6].evaluation
    assert score is not None
    page = Page(student(out, "team-07").read_text("utf-8"))
    images = [a for tag, a in page.tags if tag == "img" and str(a["src"]).endswith(".jpg")]
    assert all((student(out, "team-07").parent / str(a["src"])).is_file() for a in images)
    truth = {mistake.image: mistake.truth for mistake in score.mistakes}
    shown = [
        *truth,
        *(look.image for look in score.occlusion_maps),
    ]  # the mistakes, then where the model looks on some of them
    assert [a["alt"] for a in images] == [f"Image {image + 1}: {truth[image]}" for image in shown]


def test_a_held_out_image_that_is_gone_is_said(built: tuple[SyntheticClass, Path], tmp_path: Path) -> None:
    made = synthetic_class.build(tmp_path)
    for file in made.sources.held_out.files:
        file.unlink()
    report.write(made.results, made.sources, tmp_path / "out")
    assert "is not here any more" in text_of(student(tmp_path / "out", "team-07"))


def test_a_run_without_a_sandbox_is_said_on_every_page(built: tuple[SyntheticClass, Path], tmp_path: Path) -> None:
    made, _ = built
    run = made.results.run.model_copy(update={"sandbox": "none"})
    report.write(made.results.model_copy(update={"run": run}), made.sources, tmp_path)
    for file in tmp_path.rglob("index.html"):
        assert "Run without a sandbox." in text_of(file)


def test_a_class_of_nobody_has_a_page(built: tuple[SyntheticClass, Path], tmp_path: Path) -> None:
    made, _ = built
    report.write(made.results.model_copy(update={"submissions": ()}), made.sources, tmp_path)
    assert "There are no submissions." in text_of(tmp_path / "index.html")


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_behind(
    built: tuple[SyntheticClass, Path],
) -> None:
    made, out = built
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    report.write(made.results, made.sources, out)
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before


def test_a_page_that_cannot_be_made_says_so_and_the_others_are_made(
    built: tuple[SyntheticClass, Path], tmp_path: Path
) -> None:
    """Its earlier page is gone: it would show marks that are no longer so."""
    made, out = built
    most = {id: evidence for id, evidence in made.sources.evidence.items() if id != "team-01"}
    sources = report.Sources(most, made.sources.reference, made.sources.held_out, made.sources.store)
    results = report.write(made.results, sources, tmp_path)
    rows = {row.id: row for row in results.submissions}
    assert rows["team-01"].status == "needs-review"
    assert rows["team-01"].findings[-1].code == "harness-defect"
    assert "The harness itself failed" in student(tmp_path, "team-01").read_text()
    assert student(tmp_path, "team-03").read_bytes() == student(out, "team-03").read_bytes()


def test_results_that_were_read_back_give_the_same_pages(built: tuple[SyntheticClass, Path], tmp_path: Path) -> None:
    made, out = built
    again = Results.model_validate_json(made.results.model_dump_json(by_alias=True))
    report.write(again, made.sources, tmp_path)
    assert (tmp_path / "index.html").read_bytes() == (out / "index.html").read_bytes()


def test_passages_that_look_alike_are_on_the_class_page_alone(built: tuple[SyntheticClass, Path]) -> None:
    _, out = built
    page = text_of(out / "index.html")
    assert "193 characters look alike, 12% of the shorter text; their notebooks say that they are one group" in page
    assert "learns its images by heart. <b>" in page and "team-08 , cell 9" in page
    assert "1 more pair with less in common is not shown." in page and "And 2 shorter passages." in page
    others = [file for file in out.rglob("*.html") if file != out / "index.html"]
    assert others and not any("by heart" in file.read_text("utf-8") for file in others)


def test_who_waits_for_a_person_is_named_first_and_who_has_nothing_is_not(
    built: tuple[SyntheticClass, Path],
) -> None:
    made, out = built
    looks = first_look(made.results.submissions).looks
    waiting = [look.result.is_open for look in looks]
    assert any(waiting) and waiting == sorted(waiting, reverse=True)
    assert all(look.to_mark or look.noticed for look in looks)
    assert all(one.severity != "info" for look in looks for one in look.noticed)
    assert "Karim Benali" not in [look.result.student for look in looks]  # graded, nothing noticed
    many = first_look([row for row in made.results.submissions if row.is_open] * 20)
    assert len(many.looks) == 10 and many.more == 20 * sum(row.is_open for row in made.results.submissions) - 10
    assert "Who needs a look first" in text_of(out / "index.html")
