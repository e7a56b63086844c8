"""Nothing that a student made becomes anything but text in a page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import pytest
import synthetic_class
import synthetic_notebooks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from synthetic_class import SyntheticClass

import harness.report
from harness import report
from harness.report.export.feedback import cleared_page
from harness.report.kept import made_of
from harness.report.plain import plain
from harness.report.rendering import Renderer

_TAGS = """
html head meta link title style body a div header main footer nav section p h1 h2 h3 h4 h5 h6 span b small
bdi br dl dt dd ul ol li table caption thead tbody tfoot tr th td code pre em strong s hr blockquote details
summary figure figcaption img time label input output select option script svg line rect circle path text g use iframe
"""
_ATTRIBUTES = """
lang charset http-equiv content name rel href class id aria-label aria-labelledby aria-hidden role tabindex
scope title src alt loading width height datetime type placeholder autocomplete hidden data-label data-value data-sort
checked data-first data-of data-status data-codes value
sandbox srcdoc x y x1 x2 y1 y2 cx cy r d stroke stroke-width text-anchor start viewbox preserveaspectratio
"""
TAGS, ATTRIBUTES = set(_TAGS.split()), set(_ATTRIBUTES.split())
_PLAIN_CLASSES = {"info", "stdout", "result", "page"}  # they need no style
TEMPLATES = Path(harness.report.__file__).parent / "templates"

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></script><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}{# x #}",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "]]><!--",
    "-->",
    "&lt;script&gt;&#x3c;",
    "\u202e\u2066txt.exe\u200b\u2069",
    "a\x00b\x1b[31mc\x1b]8;;http://evil.example\x07d",
    "Z̷̧͔̙̳̳͖͇̿̂̄̈́̾͗͛͠a̸̺͔̱̍͝l̵̡̤̙̮̉͆g̸̨o",
    "x" * 5000,
    "\r\n\r\nHTTP/1.1 200 OK",
    "$(touch x) -rf %s CON 😀 鈴木",
]
hostile_text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.lists(st.sampled_from([*HOSTILE[:13], "<", ">", '"', "'", "&", "=", "/", "`"]), max_size=5).map("".join),
)


class Page(HTMLParser):
    """What a browser would find in a page: every start tag with its attributes, scripts, styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self._open: str | None = None
        self.comments: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute stands twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag in self.inside:
            self._open = tag
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside[self._open][-1] += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        """The page without its text and values."""
        return [(tag, tuple(attributes)) for tag, attributes in self.tags]


def check_page(text: str, links: Callable[[str], bool]) -> Page:
    """Fails for any construct that is not one of ours."""
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag in TAGS, tag
        assert set(attributes) <= ATTRIBUTES, (tag, attributes)
        if "src" in attributes:
            shared = r"\.\./\.\./shared/[0-9a-f]{12}\.jpg"
            framed = r"(\.\./\.\./students/team-\d\d/)?notebook\.html"
            ours = framed if tag == "iframe" else rf"data:image/(png|jpeg);base64,[\w+/=]*|{shared}"
            assert re.fullmatch(ours, str(attributes["src"]))
        if tag == "iframe":
            assert attributes["sandbox"] is None, "a sandbox that allows something"
            assert ("srcdoc" in attributes) != ("src" in attributes)
        if "srcdoc" in attributes:
            assert tag == "iframe"
            check_page(str(attributes["srcdoc"]), lambda _: False)
        if tag == "use":
            assert re.fullmatch("#(recall-)?axes|#x[0-9]", str(attributes["href"]))
        if "href" in attributes:
            target = str(attributes["href"])
            ours = target == "data:," or re.fullmatch(r"(\.\./\.\./shared|\.\.)/[0-9a-f]{24}\.css", target)
            assert ours if tag == "link" else links(target), target
    assert page.comments == []
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and "unsafe" not in policy
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    is_instructors = '<a href="../../index.html">' in text
    assert directives["img-src"] == ("data: 'self'" if is_instructors else "data:")
    assert is_instructors or "../shared/" not in text
    is_linked = any(attributes.get("rel") == "stylesheet" for _, attributes in page.tags)
    [style] = [str(Renderer().style)] if is_linked else page.inside["style"]
    assert not (is_linked and page.inside["style"])
    inner = [style for _, a in page.tags if "srcdoc" in a for style in Page(str(a["srcdoc"])).inside["style"]]
    assert directives["style-src"].split() == ["'self'" if is_linked else _hash(style), *map(_hash, inner)]
    assert directives.get("frame-src", "'none'") == ("'self'" if is_linked and not inner else "'none'")
    ours = set(re.findall(r"[\w-]+", style)) | _PLAIN_CLASSES
    used = {name for _, attributes in page.tags for name in (attributes.get("class") or "").split()}
    assert {name for name in used if not name.startswith("py-")} <= ours, used - ours
    for script in page.inside["script"]:
        assert script == (TEMPLATES / "sort.js").read_text().removesuffix("\n")
        assert directives["script-src"] == _hash(script)
    assert plain(text) == text
    return page


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def known_link(target: str) -> bool:
    return target.startswith(("submissions/team-", "#", "../")) or target in ("grades.csv", "results.json")


# --- poisoned values ----------------------------------------------------------------------------

_OURS = {"status", "code", "severity", "kind", "verdict", "sha256", "id", "schema", "task", "finished"} | {
    "resize", "colour", "layout", "input_dtype", "output_kind", "student", "compared_by", "environment",
    "unseen_source", "origin", "other_id", "weights_say", "clock",
}  # fmt: skip
R = TypeVar("R", bound=BaseModel)


def poisoned(record: R, text: str) -> R:
    """The record with `text` appended to every string that is not one of a fixed set."""

    def walk(value: Any, key: str = "") -> Any:
        match value:
            case dict() if key == "classes":  # folder names of the student's data set
                return {f"{name}{text}": walk(count) for name, count in value.items()}
            case dict() if key == "stages":
                return {name: walk(stage) for name, stage in value.items()}
            case dict():
                return {name: walk(one, name) for name, one in value.items()}
            case list():
                return [walk(one, key) for one in value]
            case str() if key not in _OURS and value:
                return value + text
            case _:
                return value

    return type(record).model_validate(walk(record.model_dump(mode="json", by_alias=True)))


def poisoned_class(clean: SyntheticClass, text: str, ids: list[str]) -> SyntheticClass:
    rows = tuple(row for row in clean.results.submissions if row.id in ids)
    rows = tuple(row.model_copy(update={"student": row.student + text}) for row in rows)
    results = poisoned(clean.results.model_copy(update={"submissions": rows}), text)
    evidence = {id: poisoned(clean.sources.evidence[id], text) for id in ids}
    sources = report.Sources(evidence, clean.sources.reference, clean.sources.held_out, clean.sources.store)
    return SyntheticClass(results, sources)


def pages_of(built: SyntheticClass, out: Path) -> dict[str, str]:
    report.write(built.results, built.sources, out)
    pages = {str(f.relative_to(out)): f.read_text("utf-8") for f in sorted(out.rglob("*.html"))}
    return pages | {f"{row.id} alone": page_alone(built, out, row.id) for row in built.results.submissions}


def page_alone(built: SyntheticClass, out: Path, id: str) -> str:
    """The student's page as it is given away."""
    page = out / "students" / id / "index.html"
    return cleared_page(page, made_of(page.read_text("utf-8")))


# Shown: score, findings, half-run notebook, failed stages, logs, another's name before and after.
_SHOWN = ["team-03", "team-08", "team-09", "team-11"]


@pytest.fixture(scope="module")
def clean_class(tmp_path_factory: pytest.TempPathFactory) -> SyntheticClass:
    return synthetic_class.build(tmp_path_factory.mktemp("class"))


@pytest.fixture(scope="module")
def calm_pages(clean_class: SyntheticClass, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    pages = pages_of(poisoned_class(clean_class, "x", _SHOWN), tmp_path_factory.mktemp("calm"))
    return {name: Page(page) for name, page in pages.items()}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=hostile_text)
def test_hostile_text_changes_no_page_but_its_words(
    text: str, clean_class: SyntheticClass, calm_pages: dict[str, Page], tmp_path: Path
) -> None:
    """With any text in names, reasons, labels, logs and findings, a page has the same tags and attributes."""
    hostile = pages_of(poisoned_class(clean_class, "x" + text, _SHOWN), tmp_path / "hostile")
    for name, page in hostile.items():
        assert check_page(page, known_link).skeleton() == calm_pages[name].skeleton()


@pytest.mark.parametrize("text", HOSTILE)
def test_each_known_attack_is_plain_text(text: str, clean_class: SyntheticClass, tmp_path: Path) -> None:
    for page in pages_of(poisoned_class(clean_class, text, _SHOWN), tmp_path).values():
        check_page(page, known_link)


_json_text = st.one_of(hostile_text, st.lists(hostile_text, max_size=3))
_output = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": hostile_text, "text": _json_text},
    ),
    st.fixed_dictionaries(
        {"output_type": st.just("error"), "ename": _json_text, "traceback": st.lists(hostile_text, max_size=3)}
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.sampled_from(["display_data", "execute_result"]),
            "data": st.dictionaries(
                st.sampled_from(["text/plain", "text/html", "image/png", "image/svg+xml", "<x onload=1>"]),
                _json_text,
                max_size=3,
            ),
        }
    ),
)
_cell = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["markdown", "code", "raw", "<script>"]),
        "source": _json_text,
        "outputs": st.lists(_output, max_size=3),
    }
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(_cell, max_size=4))
def test_a_hostile_notebook_is_plain_text(
    cells: list[dict[str, Any]], clean_class: SyntheticClass, tmp_path: Path
) -> None:
    page = page_with_notebook(clean_class, tmp_path, json.dumps({"cells": cells}).encode())
    check_page(page, known_link)


@pytest.mark.parametrize(
    "markdown",
    [
        "[click](javascript:alert(1))",
        "![x](http://evil.example/x.png)",
        "<http://evil.example>",
        "<img src=x onerror=alert(1)>",
        "```x onload=1 class=facts\ncode\n```",
        "| a |\n|:-:|\n| <b onclick=1> |",
        "[a]: http://evil.example\n\n[a]",
        "[x]: javascript:alert(1) \n\n![x]",
        "# <script>alert(1)</script>",
        "&#60;script&#62;",
    ],
)
def test_markdown_has_no_way_out(markdown: str, clean_class: SyntheticClass, tmp_path: Path) -> None:
    """No link, no image, no raw HTML, no attribute of the student's."""
    cells = [{"cell_type": "markdown", "source": markdown}]
    page = check_page(page_with_notebook(clean_class, tmp_path, json.dumps({"cells": cells}).encode()), known_link)
    [frame] = [str(attributes["srcdoc"]) for tag, attributes in page.tags if tag == "iframe"]
    inside = Page(frame)
    assert not any("evil" in str(value) for _, attributes in inside.tags for value in attributes.values())


def page_with_notebook(built: SyntheticClass, folder: Path, content: bytes) -> str:
    """The page, as it is given away, of a submission whose executed notebook has this content."""
    store = built.sources.store
    blob = synthetic_notebooks.keep_notebook(store, folder / "notebooks", content)
    evidence = built.sources.evidence["team-01"]
    done = evidence.execute
    changed = done.model_copy(update={"value": done.value.model_copy(update={"notebook": blob})})  # type: ignore[union-attr]
    sources = report.Sources(
        {"team-01": evidence.model_copy(update={"execute": changed})},
        built.sources.reference,
        built.sources.held_out,
        store,
    )
    results = built.results.model_copy(update={"submissions": built.results.submissions[:1]})
    report.write(results, sources, folder / "out")
    return page_alone(SyntheticClass(results, sources), folder / "out", "team-01")
