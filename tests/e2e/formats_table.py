"""The table of formats in docs/formats.md: every row is measured by a test, which also keeps it true.

HARNESS_WRITE_DOCS=1 pytest tests/e2e/test_formats_table.py     # writes what was measured
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.stages.evidence.conversion import Conversion

_DOCS = Path(__file__).parents[2] / "docs" / "formats.md"
_BEGIN, _END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
_BOUNDS = (1e-6, 1e-5, 1e-4, 1e-3)  # of the probabilities; 1e-3 is what a conversion is accepted with
_NATIVE = "as it is"
ENGINES = ("bubblewrap", "docker")


def check(format: str, engine: str, conversion: Conversion) -> None:
    """Fail unless the table says of the format what was measured: how it runs, and a difference that holds."""
    if os.environ.get("HARNESS_WRITE_DOCS") == "1":
        _write(format, engine, conversion)
    said = _rows().get(format, {}).get(engine)
    assert said is not None, f"docs/formats.md says nothing of {format} on {engine}"
    kind, _, bound = said.partition(" ≤ ")
    assert kind == _kind(conversion)
    if not conversion.native:
        assert conversion.max_abs_difference is not None and conversion.max_abs_difference <= float(bound)


def _kind(conversion: Conversion) -> str:
    how = _NATIVE if conversion.native else "ONNX"
    return f"{how} ({conversion.environment})"


def _rows() -> dict[str, dict[str, str]]:
    """Format -> engine -> what the table says."""
    table = _DOCS.read_text(encoding="utf-8").split(_BEGIN)[1].split(_END)[0]
    cells = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in table.splitlines()[2:]]
    return {row[0]: dict(zip(ENGINES, row[1:], strict=True)) for row in cells}


def _write(format: str, engine: str, conversion: Conversion) -> None:
    rows = _rows()
    said = _kind(conversion)
    if not conversion.native:
        difference = conversion.max_abs_difference or 0.0
        said += f" ≤ {next(bound for bound in _BOUNDS if difference <= bound):.0e}"
    rows.setdefault(format, dict.fromkeys(ENGINES, "–"))[engine] = said
    lines = [f"| handed in | {' | '.join(ENGINES)} |", "|---" * (1 + len(ENGINES)) + "|"]
    lines += [f"| {name} | {' | '.join(row[one] for one in ENGINES)} |" for name, row in rows.items()]
    before, rest = _DOCS.read_text(encoding="utf-8").split(_BEGIN)
    after = rest.split(_END)[1]
    _DOCS.write_text(before + _BEGIN + "\n".join(lines) + "\n" + _END + after, encoding="utf-8")
