"""Prints the size of a report and how long its table takes to sort: `python benchmarks/large_report.py [SUBMISSIONS]`.

The class is the synthetic one of the tests, repeated, so each submission has every part that a page can have. Needs
Chromium. Sizes are of the files' content; the browser's times are of a click until the page is laid out again.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

TESTS = Path(__file__).parent.parent / "tests" / "unit"
sys.path[:0] = [str(TESTS / "report"), str(TESTS)]

import synthetic_class  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from harness import report  # noqa: E402

_SORTED = """async () => {
  const took = [];
  for (const button of document.querySelectorAll("table.class th button")) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = performance.now();
    button.click();
    document.body.getBoundingClientRect();
    took.push(performance.now() - began);
  }
  return took;
}"""


def repeated(folder: Path, count: int) -> tuple[synthetic_class.SyntheticClass, Path]:
    """A class of `count` submissions, and where its report is to be written."""
    made = synthetic_class.build(folder)
    rows, evidence = [], {}
    for number in range(count):
        row = made.results.submissions[number % len(made.results.submissions)]
        id = f"group-{number:05}"
        rows.append(row.model_copy(update={"id": id, "student": f"{row.student} {number}", "points": number * 7 % 100}))
        evidence[id] = made.sources.evidence[row.id]
    results = made.results.model_copy(update={"submissions": tuple(rows)})
    return synthetic_class.SyntheticClass(results, replace(made.sources, evidence=evidence)), folder / "out"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as name:
        made, out = repeated(Path(name), count)
        report.write(made.results, made.sources, out)
        whole = 0
        for part in ("index.html", "submissions", "students", "shared"):
            files = [file for file in (out / part).rglob("*") if file.is_file()] or [out / part]
            size = sum(file.stat().st_size for file in files)
            whole += size
            print(f"{part:12} {size / 1e6:8.1f} MB")
        print(f"{'together':12} {whole / 1e6:8.1f} MB, {whole / count / 1e3:.1f} kB for each submission")
        with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto((out / "index.html").as_uri())
            took = page.evaluate(_SORTED)
        print(f"sorting {count} rows: median {median(took):.0f} ms, at most {max(took):.0f} ms")


if __name__ == "__main__":
    main()
