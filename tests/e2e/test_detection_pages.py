"""The pages of a class of detectors in a real browser: what hides boxes, what fits, what the eye can tell apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_detection
from playwright.sync_api import Browser, Page

from harness import report
from harness.inputs.assignment.sections import Feedback

_SUBMISSIONS = [f"{folder}/team-0{n}" for folder in ("submissions", "students") for n in range(1, 7)]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    made = synthetic_detection.build(folder)
    report.write(made.results, replace(made.sources, feedback=Feedback(show_held_out=True)), folder / "out")
    return folder / "out"


def opened(page: Page, folder: Path) -> None:
    page.goto((folder / "index.html").as_uri())
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")


@pytest.mark.parametrize("folder", ["submissions", "students"])
@pytest.mark.parametrize("kind", ["found", "truth", "missed", "false-alarm"])
def test_a_kind_of_box_is_hidden_by_its_checkbox_without_a_script(
    browser: Browser, out: Path, folder: str, kind: str
) -> None:
    with browser.new_page(java_script_enabled=False) as page:
        page.goto((out / folder / "team-03" / "index.html").as_uri())
        if folder == "students":
            page.locator("#images > summary").click()
        boxes, names = page.locator(f".boxed path.{kind}"), page.locator(f".boxed g.{kind}")
        others = page.locator(f".boxed .drawn path:not(.{kind})")
        assert boxes.first.is_visible()
        page.locator(f".hide-{kind}").uncheck()
        assert not boxes.first.is_visible() and others.first.is_visible()
        assert names.count() == 0 or not names.first.is_visible()
        page.locator(f".hide-{kind}").check()
        page.locator(".hide-names").uncheck()
        assert boxes.first.is_visible() and not page.locator(".boxed .names").first.is_visible()


def test_a_box_lies_where_it_is_on_the_image(browser: Browser, out: Path) -> None:
    """The drawing covers the whole image, which keeps its ratio."""
    with browser.new_page() as page:
        page.goto((out / "submissions" / "team-03" / "index.html").as_uri())
        image = page.locator(".boxed img").first
        image.scroll_into_view_if_needed()
        image.evaluate("image => image.decode()")
        photograph, drawing = image.bounding_box(), page.locator(".overlay > .drawn").first.bounding_box()
        assert photograph is not None and drawing is not None
        assert drawing == pytest.approx(photograph, abs=1)
        assert photograph["width"] / photograph["height"] == pytest.approx(480 / 360, rel=0.01)


@pytest.mark.parametrize("name", ["", *_SUBMISSIONS])
def test_no_page_is_wider_than_the_screen(browser: Browser, out: Path, name: str) -> None:
    with browser.new_page() as page:
        opened(page, out / name)
        for width in (390, 820, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "most"), [(1280, 4000), (390, 6500)])
def test_a_student_s_page_answers_first_and_folds_the_evidence(
    browser: Browser, out: Path, width: int, most: int
) -> None:
    with browser.new_page(viewport={"width": width, "height": 900}) as page:
        page.goto((out / "students" / "team-02" / "index.html").as_uri())
        height, top = page.evaluate(
            "[document.documentElement.scrollHeight, document.getElementById('evidence').getBoundingClientRect().top]"
        )
        assert height < most and top <= 3 * 900
