"""The report's pages in a real browser: how they look, fit, sort, and that nothing of a student's runs there.

With HARNESS_SCREENSHOTS=FOLDER the screenshots are kept there, to be looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import synthetic_class
from PIL import Image, ImageStat
from playwright.sync_api import Browser, Locator, Page
from synthetic_notebooks import READING

from harness import report
from harness.findings import finding
from harness.stages.evidence.reading import Question

_PAGES = {
    "class": "index.html",
    "instructor": "submissions/team-04/index.html",
    "failed": "submissions/team-09/index.html",
    "student": "students/team-04/index.html",
    "student-failed": "students/team-09/index.html",
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a class's pages."""
    folder = tmp_path_factory.mktemp("class")
    made = synthetic_class.build(folder)
    report.write(made.results, made.sources, folder / "out")
    return folder / "out"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_page() as page:
        yield page


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("HARNESS_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(("device", "width", "height"), [("desktop", 1280, 2400), ("phone", 390, 2400)])
@pytest.mark.parametrize("name", _PAGES)
def test_a_page_is_drawn(
    browser: Browser, out: Path, album: Path, name: str, device: str, width: int, height: int,
    colours: Literal["light", "dark"],
) -> None:  # fmt: skip
    """In each colour scheme and on each screen there is an image with content, bright or dark as asked for."""
    file = album / f"{name}-{device}-{colours}.png"
    with browser.new_page(viewport={"width": width, "height": height}, color_scheme=colours) as page:
        page.goto((out / _PAGES[name]).as_uri())
        page.screenshot(path=file)
    with Image.open(file) as opened:
        image = opened.convert("RGB")
    assert image.size == (width, height)
    assert len(image.getcolors(maxcolors=1 << 24) or []) > 200
    brightness = ImageStat.Stat(image.convert("L")).median[0]
    assert brightness > 220 if colours == "light" else brightness < 60


def test_no_page_is_wider_than_the_screen(page: Page, out: Path) -> None:
    """From a small phone to a desktop nothing but a table in its own frame scrolls sideways."""
    wide = []
    for file in sorted(out.rglob("*.html")):
        page.goto(file.as_uri())
        _unfold(page)
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 1000})
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                wide.append((file.relative_to(out), width, needed))
    assert wide == []


def _unfold(page: Page) -> None:
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")


def _order(page: Page) -> list[str]:
    """The submissions in the table, from top to bottom."""
    links = page.locator("table.class tbody tr:not([hidden]) a").evaluate_all(
        "all => all.map((one) => one.getAttribute('href').split('/'))"
    )
    return list(dict.fromkeys(link[1] for link in links if link[0] == "submissions"))


@pytest.mark.parametrize("by", ["click", "key"])
def test_the_table_sorts_by_a_click_or_a_key(page: Page, out: Path, by: str) -> None:
    """Headings are buttons; numbers begin with the highest, latency with the fastest; unknown comes last."""
    page.goto((out / "index.html").as_uri())

    def column(words: str) -> Locator:
        return page.locator("table.class thead th", has_text=re.compile(rf"^\s*{words}"))

    def sort(words: str) -> list[str]:
        button = column(words).get_by_role("button")
        if by == "click":
            button.click()
        else:
            button.press("Enter")
        return _order(page)

    everyone = [f"team-{i:02}" for i in range(1, 13)]
    points = column("Points")
    assert _order(page) == everyone and points.get_attribute("aria-sort") is None
    down = sort("Points")
    assert sorted(down) == everyone and points.get_attribute("aria-sort") == "descending"
    assert set(down[-2:]) == {"team-09", "team-10"}
    up = sort("Points")
    assert set(up[:2]) == {"team-09", "team-10"} and points.get_attribute("aria-sort") == "ascending"
    latency = sort("Latency")
    assert latency[0] == "team-07" and points.get_attribute("aria-sort") is None
    accuracy = sort("Accuracy")
    assert accuracy[0] == "team-02"
    assert set(latency[-2:]) == set(accuracy[-2:]) == {"team-09", "team-10"}
    names = sort("Student")
    assert names.index("team-01") < names.index("team-02") < names.index("team-12")


def test_the_search_field_leaves_the_rows_that_match(page: Page, out: Path) -> None:
    page.goto((out / "index.html").as_uri())
    field, said = page.get_by_role("searchbox"), page.locator("output")
    for words, rows, count in (
        ("swapped", ["team-05"], "1 / 12"),
        ("FAILED", ["team-09", "team-10"], "2 / 12"),
        ("nobody", [], "0 / 12"),
    ):
        field.fill(words)
        assert _order(page) == rows and said.text_content() == count
    field.fill("")
    assert len(_order(page)) == 12 and said.text_content() == ""


def test_filters_by_status_and_finding_leave_the_rows_that_have_both(page: Page, out: Path) -> None:
    page.goto((out / "index.html").as_uri())
    status, finding = (page.get_by_role("combobox", name=name) for name in ("Status", "Finding"))
    assert status.locator("option").all_text_contents() == ["all", "Failed", "Graded", "Needs review"]
    status.select_option(label="Failed")
    assert _order(page) == ["team-09", "team-10"] and page.locator("output").text_content() == "2 / 12"
    finding.select_option(label="Cell timeout")
    assert _order(page) == ["team-09"]
    page.get_by_role("searchbox").fill("team-10")
    assert _order(page) == []
    page.get_by_role("searchbox").fill("")
    status.select_option("")
    finding.select_option("")
    assert len(_order(page)) == 12


def test_without_a_script_it_is_a_plain_table(browser: Browser, out: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((out / "index.html").as_uri())
        assert page.locator("table.class tbody tr").count() == 12
        assert page.locator("button").count() == 0
        assert page.locator("input").count() == 1 and not page.locator("input").is_visible()
        assert page.locator("select").count() == 2 and not page.locator("select:visible").count()


def test_nothing_of_a_student_s_runs_and_nothing_is_loaded(page: Page, out: Path) -> None:
    """Not from a name, a finding, a notebook; and what was slipped in afterwards is refused by the policy."""
    requested, said, ran = set(), [], []
    page.on("request", lambda request: requested.add(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    pages = sorted(out.rglob("*.html"))
    for file in pages:
        page.goto(file.as_uri())
        _unfold(page)
        page.wait_for_timeout(50)
        if page.evaluate("Boolean(window.pwned)"):
            ran.append(file)
    assert ran == []
    shared = {file.as_uri() for file in (*(out / "shared").iterdir(), *(out / "students").glob("*.css"))}
    loaded = {url for url in requested if not url.startswith("data:")}
    assert {file.as_uri() for file in pages} < loaded <= {file.as_uri() for file in pages} | shared
    assert said == []

    for folder, image in (("students", "/students/x.png"), ("submissions", "https://elsewhere.example/x.png")):
        page.goto((out / folder / "team-11/index.html").as_uri())
        refused = page.evaluate(
            """async (image) => {
              const refused = new Set();
              document.addEventListener("securitypolicyviolation", (event) => refused.add(event.effectiveDirective));
              document.body.insertAdjacentHTML("beforeend",
                '<img src="data:,x" onerror="window.pwned = 1"><p style="color: red">x</p>');
              document.body.appendChild(new Image()).src = image;
              const script = document.createElement("script");
              script.textContent = "window.pwned = 1";
              document.body.append(script);
              await new Promise((resolve) => setTimeout(resolve, 300));
              return [window.pwned ?? null, [...refused].sort()];
            }""",
            image,
        )
        assert refused == [None, ["img-src", "script-src-attr", "script-src-elem", "style-src-attr"]]


@pytest.mark.parametrize(("width", "most"), [(1280, 4000), (390, 6500)])
def test_a_student_s_page_answers_first_and_folds_the_evidence(
    browser: Browser, tmp_path: Path, width: int, most: int
) -> None:
    """Also with long answers, many warnings and many reasons: points, why, what more, answers, then the evidence."""
    made = synthetic_class.build(tmp_path)
    row = next(row for row in made.results.submissions if row.id == "team-06")
    asked = [
        Question(name=f"Why is it so, {n}?", cell=n, title="", answered=True, answer="It is. " * 200) for n in range(9)
    ]
    for_instructor = finding("hand-in-time-unknown")
    row = row.model_copy(
        update={"findings": (*row.findings, *(finding("cell-error", cell=n, error="E") for n in range(30)))}
    )
    row = row.model_copy(update={"findings": (*row.findings, for_instructor)})
    read = READING.model_copy(update={"value": READING.value.model_copy(update={"questions": tuple(asked)})})
    evidence = {row.id: made.sources.evidence[row.id].model_copy(update={"read": read})}
    results = made.results.model_copy(update={"submissions": (row,)})
    report.write(results, replace(made.sources, evidence=evidence), tmp_path / "out")
    with browser.new_page(viewport={"width": width, "height": 900}) as page:
        page.goto((tmp_path / "out/students/team-06/index.html").as_uri())
        headings = page.locator("h1, h2").all_inner_texts()
        assert [words.split(",")[0] for words in headings[1:]] == [
            "Why these points", "What would have earned more", "Your answers", "The evidence",
        ]  # fmt: skip
        assert "55.0% -> 90.0%" in page.locator("main").inner_text()
        height, top = page.evaluate(
            "[document.documentElement.scrollHeight, document.querySelector('#evidence').getBoundingClientRect().top]"
        )
        assert height < most and (top <= 3 * 900 or width < 1280)
        words = page.content()
        assert "times.csv" not in words and "Only you read this" not in words and "For the instructor" not in words
    assert "times.csv" in (tmp_path / "out/submissions/team-06/index.html").read_text("utf-8")


def test_a_class_is_a_card_for_each_on_a_phone_and_prints_with_its_headings(browser: Browser, out: Path) -> None:
    with browser.new_page(viewport={"width": 390, "height": 900}) as page:
        page.goto((out / "index.html").as_uri())
        cell = page.locator("table.class tbody tr").first.locator("td").nth(1)
        assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Points"'
        assert page.locator("table.class tbody").evaluate("body => getComputedStyle(body).display") == "block"
        page.emulate_media(media="print")
        headings = page.locator("table.class thead th")
        assert [words.split("\n")[0] for words in headings.all_inner_texts()][:3] == ["Student", "Status", "Points"]
        assert all(headings.nth(n).is_visible() for n in range(7))
        assert (
            page.locator("table.class tbody tr").first.evaluate("row => getComputedStyle(row).display") == "table-row"
        )
