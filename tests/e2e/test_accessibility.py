"""Every kind of page passes axe-core, in both colour schemes: WCAG 2.2 A and AA, and axe's best practices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import synthetic_class
import synthetic_detection
from axe_playwright_python.sync_playwright import Axe
from bench_examples import accuracy, board_predictions, layer_times, measured
from bench_examples import results as bench_results
from playwright.sync_api import Browser, Page

from harness import report
from harness.inputs.assignment.sections import Feedback
from harness.report.bench import write_bench
from harness.report.unfinished import UnfinishedRow

_WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
# One with everything, one with a wrong order of labels, one that failed, one whose names and notebook are hostile.
_SUBMISSIONS = ("team-04", "team-05", "team-09", "team-11")
_PAGES = (
    "class",
    *(f"class/{audience}/{id}" for audience in ("submissions", "students") for id in _SUBMISSIONS),
    *(f"not-shown/{audience}/team-01" for audience in ("submissions", "students")),
    *("detection", "detection/submissions/team-03", "detection/students/team-02", "detection/students/team-03"),
    "unfinished",
    "bench",
    "boards",
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of each kind: a class's; a benchmark's, without and with boards; and one that could not be made."""
    folder = tmp_path_factory.mktemp("pages")
    made = synthetic_class.build(folder)
    out = folder / "out"
    report.write(made.results, made.sources, out / "class")

    most = {id: evidence for id, evidence in made.sources.evidence.items() if id != "team-01"}
    lost = report.Sources(most, made.sources.reference, made.sources.held_out, made.sources.store)
    report.write(made.results, lost, out / "not-shown")

    detection = synthetic_detection.build(folder / "detection")
    report.write(
        detection.results, replace(detection.sources, feedback=Feedback(show_held_out=True)), out / "detection"
    )

    unfinished = report.UnfinishedPages(replace(made.sources, evidence={}), out / "unfinished")
    rows = [
        UnfinishedRow(row.id, row.student, "timed" if n % 2 else "waiting", row if n % 2 else None, False)
        for n, row in enumerate(made.results.submissions)
    ]
    unfinished.write_class(made.results.model_copy(update={"submissions": ()}), rows, "stopped")

    models = (
        measured("reference", 12, 1, is_reference=True, accuracy=accuracy(0.86), layers=layer_times()),
        measured("vgg16", 80, 2, accuracy=accuracy(0.9), layers=layer_times(72.0)),
        measured("small", 5, 3, accuracy=accuracy(0.7), believed=False, valid=False),
    )
    write_bench(bench_results(*models), out / "bench")
    write_bench(bench_results(*models, outlooks=(board_predictions("vgg16"),)), out / "boards")
    return out


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    colours: Literal["light", "dark"] = request.param
    with browser.new_page(color_scheme=colours, viewport={"width": 1280, "height": 900}) as page:
        yield page


def _show(page: Page, folder: Path) -> None:
    page.goto((folder / "index.html").as_uri())
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")


def _violations(page: Page, *rules: str) -> list[tuple[str, str, str]]:
    """(rule, element, what is wrong) of each violation that axe finds."""
    # Of what passes axe then describes one element for each rule, not all, which took most of its time.
    found = Axe().run(page, options={"runOnly": list(rules), "resultTypes": ["violations"]}).response
    assert found["passes"], "axe looked at nothing"
    return [
        (broken["id"], node["html"][:200], node["failureSummary"])
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


@pytest.mark.parametrize("name", _PAGES)
def test_a_page_breaks_no_rule(page: Page, out: Path, name: str) -> None:
    """On a desktop, and on a phone, where tables are cards."""
    _show(page, out / name)
    assert _violations(page, *_WCAG, "best-practice") == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert _violations(page, *_WCAG, "best-practice") == []


@pytest.mark.parametrize("id", _SUBMISSIONS)
def test_a_notebook_in_its_frame_breaks_no_rule(page: Page, out: Path, id: str) -> None:
    """axe runs no script in the sandboxed frame, so its document is shown by itself."""
    page.goto((out / "class/students" / id / "notebook.html").as_uri())
    assert _violations(page, *_WCAG) == []


def test_axe_sees_what_is_broken(page: Page, out: Path) -> None:
    """The page's policy keeps axe from nothing, and the colours that it looks at are those of the scheme."""
    _show(page, out / "class")
    page.evaluate(
        """() => {
          const style = new CSSStyleSheet();
          style.replaceSync(":root { --muted: var(--page) !important }");
          document.adoptedStyleSheets.push(style);
          document.querySelector("main").append(document.createElement("img"));
        }"""
    )
    assert {rule for rule, *_ in _violations(page, *_WCAG)} == {"color-contrast", "image-alt"}


def test_text_in_charts_can_be_read(page: Page, out: Path) -> None:
    """A contrast of 4.5 to 1, as WCAG asks of text that is not large: axe does not decide on text in an SVG."""
    looked_at = 0
    for name in _PAGES:
        _show(page, out / name)
        page.evaluate(Axe().axe_script)
        contrasts = page.evaluate(_CHART_CONTRASTS)
        looked_at += len(contrasts)
        assert [one for one in contrasts if one[1] < 4.5] == [], name
    assert looked_at > 0


# [text, contrast] of each text in a chart, by axe's own arithmetic.
_CHART_CONTRASTS = """() => {
  const {Color, getContrast} = axe.commons.color;
  const parsed = (colour) => { const made = new Color(); made.parseString(colour); return made; };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parsed(getComputedStyle(one).backgroundColor);
      if (colour.alpha === 1) return colour;
    }
    throw new Error("nothing is behind it");
  };
  return [...document.querySelectorAll("svg text")]
    .map((text) => [text.textContent, getContrast(behind(text), parsed(getComputedStyle(text).fill))]);
}"""
