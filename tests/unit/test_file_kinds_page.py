"""The documentation names every kind of file that cannot be used, with its way out, and all that is recognised."""

from pathlib import Path

from harness.findings import one_line
from harness.findings.file_kinds import FILE_KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _between(page: str, name: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return text.partition(f"<!-- {name}: begin -->")[2].partition(f"<!-- {name}: end -->")[0].strip().splitlines()


def test_what_cannot_be_used_stands_in_the_formats_page_with_its_way_out():
    rows = [f"| {kind.title} | {kind.way_out} |" for kind in FILE_KINDS.values() if kind.way_out]
    assert _between("formats.md", "refused") == ["| handed in | the way out |", "|---|---|", *rows]


def test_every_kind_that_is_recognised_stands_in_the_intake_page():
    assert _between("intake.md", "recognised") == [f"{', '.join(FILE_KINDS)}."]


def test_a_text_that_has_to_be_cut_ends_after_a_sentence_or_a_word():
    assert one_line("\x1b[31mno\x1b[0m\n  weights") == "no weights"
    assert one_line("shape mismatch " * 9, 40) == "shape mismatch shape mismatch shape…"
    assert one_line("It stopped in the second layer. And then it went on", 40) == "It stopped in the second layer …"
    assert len(one_line("x" * 500, 40)) == 40
