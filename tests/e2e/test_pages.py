"""The report's pages in a real browser: how they look, fit, sort, and that nothing of a student's runs there.

With HARNESS_SCREENSHOTS=FOLDER the screenshots are kept there, to be looked at.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import synthetic_class
from PIL import Image, ImageStat

from harness import report

_FLAGS = """
--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking
--disable-component-update --disable-sync --virtual-time-budget=90000 --enable-logging=stderr
"""
_DARK = "--blink-settings=preferredColorScheme=0"
_PAGES = {
    "class": "index.html",
    "instructor": "submissions/team-04/index.html",
    "failed": "submissions/team-09/index.html",
    "student": "students/team-04/index.html",
    "student-failed": "students/team-09/index.html",
}


@dataclass
class Site:
    """The pages behind a server of our own, and a browser to look at them with."""

    chromium: str
    address: str
    pages: list[str]
    requested: list[str] = field(default_factory=list)
    frames: dict[str, str] = field(default_factory=dict)
    console: str = ""

    def look(self, script: str, *flags: str, colours: str = "light") -> Any:
        """What the asynchronous `script` returns; `open(page, width)` gives it a page in a frame of that width."""
        frame = f"""<!doctype html><body style="margin:0"><iframe id="frame" style="border:0;color-scheme:{colours}"
            height="1000"></iframe><pre id="result"></pre><script>
            const frame = document.getElementById("frame");
            const open = (page, width) => new Promise((resolve) => {{
              frame.width = width;
              frame.onload = () => resolve(frame.contentDocument);
              frame.src = "/" + page;
            }});
            const report = (value) => {{
              document.getElementById("result").textContent = JSON.stringify(value ?? null);
            }};
            (async () => {{ {script} }})().then(report, (error) => report("failed: " + error.stack));
            </script>"""
        dom = self._run(frame, "--dump-dom", *([_DARK] if colours == "dark" else []), *flags)
        found = re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)
        assert found, dom[-2000:]
        value = json.loads(unescape(found[1]))
        assert not str(value).startswith("failed: "), value
        return value

    def photograph(self, page: str, width: int, height: int, colours: str, file: Path) -> Image.Image:
        """The top `height` pixels of a page in a window `width` wide, also narrower than a window can be."""
        frame = f"""<!doctype html><body style="margin:0"><iframe style="border:0;color-scheme:{colours}"
            width="{width}" height="{height}" src="/{page}"></iframe>"""
        window = f"--window-size={max(width, 500)},{height + 200}"  # its frame takes some
        self._run(frame, f"--screenshot={file}", window, *([_DARK] if colours == "dark" else []))
        with Image.open(file) as opened:
            image = opened.convert("RGB").crop((0, 0, width, height))
        image.save(file)
        return image

    def _run(self, frame: str, *flags: str) -> str:
        name = f"frame-{len(self.frames)}.html"
        self.frames[name] = frame
        with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
            command = [self.chromium, *_FLAGS.split(), f"--user-data-dir={profile}", *flags, f"{self.address}/{name}"]
            done = subprocess.run(command, capture_output=True, timeout=180, check=True)
        self.console += done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        reason = "no Chromium here; install Debian's chromium to look at the pages"
        if os.environ.get("HARNESS_REQUIRE_CHROMIUM") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("class")
    made = synthetic_class.build(folder)
    out = folder / "out"
    report.write(made.results, made.sources, out)
    site = Site(chromium, "", sorted(str(file.relative_to(out)) for file in out.rglob("*.html")))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requested.append(self.path)
            frame = site.frames.get(self.path.removeprefix("/"))
            if frame is None:
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(frame.encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=out)) as server:
        site.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("HARNESS_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(("device", "width", "height"), [("desktop", 1280, 2400), ("phone", 390, 2400)])
@pytest.mark.parametrize("page", _PAGES)
def test_a_page_is_drawn(
    site: Site, album: Path, page: str, device: str, width: int, height: int, colours: str
) -> None:
    """In each colour scheme and on each screen there is an image with content, bright or dark as asked for."""
    file = album / f"{page}-{device}-{colours}.png"
    image = site.photograph(_PAGES[page], width, height, colours, file)
    assert image.size == (width, height)
    assert len(image.getcolors(maxcolors=1 << 24) or []) > 200
    brightness = ImageStat.Stat(image.convert("L")).median[0]
    assert brightness > 220 if colours == "light" else brightness < 60


def test_no_page_is_wider_than_the_screen(site: Site) -> None:
    """From a small phone to a desktop nothing but a table in its own frame scrolls sideways."""
    wide = site.look(
        f"""const wide = [];
        for (const page of {json.dumps(site.pages)}) for (const width of [320, 390, 768, 1280]) {{
          const root = (await open(page, width)).documentElement;
          for (const fold of root.querySelectorAll("details")) fold.open = true;
          if (root.scrollWidth > root.clientWidth) wide.push([page, width, root.scrollWidth]);
        }}
        return wide;"""
    )
    assert wide == []


_TABLE = """
    const page = await open("index.html", 1280);
    const order = () => [...page.querySelectorAll("table.class tbody tr:not([hidden])")]
      .map((row) => row.querySelector("a").getAttribute("href").split("/")[1]);
    const heading = (words) => [...page.querySelectorAll("table.class thead th")]
      .find((one) => one.textContent.startsWith(words));
    const press = (words) => heading(words).querySelector("button").click();
    const sorted = (words) => heading(words).getAttribute("aria-sort");
"""


def test_the_table_sorts_by_a_click_or_a_key(site: Site) -> None:
    """Headings are buttons; numbers begin with the highest, latency with the fastest; unknown comes last."""
    steps = site.look(
        _TABLE
        + """const steps = {before: order(), marked: sorted("Points")};
        press("Points"); steps.points = order(); steps.direction = sorted("Points");
        press("Points"); steps.up = order(); steps.turned = sorted("Points");
        press("Latency"); steps.latency = order(); steps.other = sorted("Points");
        press("Accuracy"); steps.accuracy = order();
        press("Student"); steps.names = order();
        return steps;"""
    )
    everyone = [f"team-{i:02}" for i in range(1, 13)]
    assert steps["before"] == everyone and steps["marked"] is None
    assert sorted(steps["points"]) == everyone and steps["direction"] == "descending"
    assert set(steps["points"][-2:]) == {"team-09", "team-10"}
    assert set(steps["up"][:2]) == {"team-09", "team-10"} and steps["turned"] == "ascending"
    assert steps["latency"][0] == "team-07" and steps["other"] is None
    assert steps["accuracy"][0] == "team-02"
    for column in ("latency", "accuracy"):
        assert set(steps[column][-2:]) == {"team-09", "team-10"}
    assert steps["names"].index("team-01") < steps["names"].index("team-02") < steps["names"].index("team-12")


def test_the_search_field_leaves_the_rows_that_match(site: Site) -> None:
    found = site.look(
        _TABLE
        + """const field = page.querySelector("input[type=search]");
        const search = (words) => {
          field.value = words;
          field.dispatchEvent(new Event("input"));
          return [order(), page.querySelector("output").value];
        };
        return [field.closest("label").hidden, search("swapped"), search("FAILED"), search("nobody"), search("")];"""
    )
    assert found[0] is False
    assert found[1] == [["team-05"], "1 / 12"]
    assert found[2] == [["team-09", "team-10"], "2 / 12"]
    assert found[3] == [[], "0 / 12"]
    assert len(found[4][0]) == 12 and found[4][1] == ""


def test_without_a_script_it_is_a_plain_table(site: Site) -> None:
    state = site.look(
        """frame.sandbox = "allow-same-origin";
        const page = await open("index.html", 1280);
        return [page.querySelectorAll("table.class tbody tr").length, page.querySelectorAll("button").length,
                page.querySelector("input").closest("label").checkVisibility()];"""
    )
    assert state == [12, 0, False]


def test_nothing_of_a_student_s_runs_and_nothing_is_loaded(site: Site) -> None:
    """Not from a name, a finding, a notebook; and what was slipped in afterwards is refused by the policy."""
    site.requested.clear()
    ran = [
        page
        for page in site.pages  # one at a time: all in one frame are more than a headless browser waits for
        if site.look(
            f"""const inside = await open({json.dumps(page)}, 1000);
            for (const fold of inside.querySelectorAll("details")) fold.open = true;
            await new Promise((resolve) => setTimeout(resolve, 50));
            return Boolean(frame.contentWindow.pwned);"""
        )
    ]
    assert ran == []
    expected = {f"/{page}" for page in site.pages} | {f"/{name}" for name in site.frames} | {"/favicon.ico"}
    assert set(site.requested) <= expected
    assert not re.search(r"Refused to|violates|Uncaught", site.console), site.console

    refused = site.look(
        """const page = await open("submissions/team-11/index.html", 1000);
        const refused = [];
        page.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
        page.body.insertAdjacentHTML("beforeend",
          '<img src="data:,x" onerror="window.pwned = 1"><img src="/students/x.png"><p style="color: red">x</p>');
        const script = page.createElement("script");
        script.textContent = "window.pwned = 1";
        page.body.append(script);
        await new Promise((resolve) => setTimeout(resolve, 300));
        return [frame.contentWindow.pwned ?? null, [...new Set(refused)].sort()];"""
    )
    assert refused[0] is None
    assert refused[1] == ["img-src", "script-src-attr", "script-src-elem", "style-src-attr"]
    site.console = ""


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_text_can_be_read(site: Site, colours: str) -> None:
    """Every text has the contrast that WCAG 2.2 AA asks for: 4.5 to 1, and 3 to 1 when it is large."""
    pale = site.look(
        f"""const channels = (colour) => {{
          const numbers = colour.match(/[\\d.]+(e-?\\d+)?/g).map(Number);
          return colour.startsWith("color(") ? numbers.map((n, i) => i < 3 ? n * 255 : n) : numbers;
        }};
        const luminance = (colour) => {{
          const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
          const [r, g, b] = colour.map((c) => linear(c / 255));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        }};
        const behind = (element) => {{
          for (let one = element; one; one = one.parentElement) {{
            const colour = channels(getComputedStyle(one).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
          }}
          return {[255, 255, 255] if colours == "light" else [0, 0, 0]};
        }};
        const pale = [];
        for (const name of {json.dumps([*_PAGES.values(), "submissions/team-05/index.html"])}) {{
          const page = await open(name, 1280);
          for (const fold of page.querySelectorAll("details")) fold.open = true;
          for (const element of page.body.querySelectorAll("*")) {{
            if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
            if (element.closest("script, title, .unseen, .skip")) continue;
            const style = getComputedStyle(element);
            const colour = channels(element.tagName === "text" ? style.fill : style.color);
            const [low, high] = [luminance(colour.slice(0, 3)), luminance(behind(element))].sort((a, b) => a - b);
            const contrast = (high + 0.05) / (low + 0.05);
            const size = parseFloat(style.fontSize);
            const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
            if (contrast < (large ? 3 : 4.5))
              pale.push([name, element.tagName, element.textContent.slice(0, 30), contrast.toFixed(2)]);
          }}
        }}
        return pale;""",
        colours=colours,
    )
    assert pale == []
