"""Every finding is explained in docs/findings.md, in the words that are read."""

import importlib.util
from pathlib import Path

from harness.findings import KINDS

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("findings_page", ROOT / "benchmarks" / "findings_page.py")
assert SPEC is not None and SPEC.loader is not None
findings_page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(findings_page)


def test_the_page_is_the_catalogue():
    """Else: python benchmarks/findings_page.py"""
    assert findings_page.PAGE.read_text(encoding="utf-8") == findings_page.as_markdown()


def test_every_code_has_a_row():
    page = findings_page.PAGE.read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        assert f"| `{kind.code or name}` | " in page, name
    assert page.count("\n| `") == len(KINDS)
