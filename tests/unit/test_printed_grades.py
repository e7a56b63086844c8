"""The table of grades on a terminal: a row that cannot be shown is said, and hides no other."""

import pytest
from example_results import results

from harness.boundary.screen import Screen, visible
from harness.cli import terminal
from harness.cli.terminal import print_grades


@pytest.mark.parametrize("error", [RuntimeError("x"), MemoryError(), OSError(36, "too long")], ids=repr)
def test_a_row_that_cannot_be_shown_is_said(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails_for_one(text: str) -> str:
        if text == "s0":
            raise error
        return visible(text)

    monkeypatch.setattr(terminal, "visible", fails_for_one)
    print_grades(results("Mia", "Zoe"), Screen(width=140))
    out = capsys.readouterr().out
    rows = {line.split()[1]: line for line in out.splitlines() if " s0 " in line or " s1 " in line}
    assert "harness-defect" in rows["s0"] and "needs-review" in rows["s0"]
    assert "harness-defect" not in rows["s1"] and "/" in rows["s1"]
