"""A benchmark as Markdown, to paste into an issue or a README. Names are a stranger's: no mark-up of theirs counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness.bench.matrix import Matrix, matrix
from harness.bench.ranking import throughput_interval
from harness.bench.results import BenchResults, Measurement
from harness.bench.sentences import title, verdicts
from harness.boundary.screen import visible
from harness.files.whole_file import write_whole

# What Markdown, HTML or GitHub (`@name`, `#12`, `:smile:`, addresses) gives a meaning to within a line.
_MEANT = re.compile(r"[\\`*_\[\]<>#|~&@$]|:(?! |$)|(?<=www)\.", re.IGNORECASE)
_BY_NUMBER = "@<>&|#:."  # a backslash before them does not help everywhere
_LONGEST = 80  # characters of a name


def write_markdown(results: BenchResults, file: Path) -> None:
    """Write `file`. Raises `MachineError` when it cannot be written."""
    write_whole(file, markdown(results))


def markdown(results: BenchResults) -> str:
    """The verdicts, the matrix of models and boards, and a table of the measurements."""
    host = results.host
    quick = ", quick run" if results.effort == "quick" else ""
    cores = "1 core" if len(host.cores) == 1 else f"{len(host.cores)} cores"
    parts = [
        f"**Result:** {' '.join(_text(one, limit=None) for one in verdicts(results))}",
        _table(*_matrix(matrix(results))),
        "Latency of a query in ms with its interval: 95 % where measured, 90 % where predicted. Bold: shown to "
        "be faster than every other in the row; none is bold where no difference is shown.",
        _table(*_measured(results)),
        f"{results.scenario}, {results.mode}{quick}; {_text(host.processor)}, {cores}; "
        f"harness {_text(results.harness)}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _matrix(found: Matrix) -> tuple[list[str], list[list[str]]]:
    rows = []
    for row in found.rows:
        how = f"{_text(row.machine)}, {_text(row.how)} ({'measured' if row.measured else 'predicted'})"
        cells = []
        for index, cell in enumerate(row.cells):
            shown = f"{cell.ms:.3g} ({cell.interval[0]:.3g}–{cell.interval[1]:.3g})" if cell else "–"
            shown = f"**{shown}**" if index == row.fastest else shown
            cells.append(f"{shown}, does not fit" if cell and cell.fits is False else shown)
        rows.append([how, *cells])
    return ["machine", *map(_text, found.models)], rows


def _measured(results: BenchResults) -> tuple[list[str], list[list[str]]]:
    every = results.measurements
    header = ["model", "median, ms", "p90", "p99", "images/s", "peak MB", "right"]
    return header, [[_text(title(one, every)), *_figures(one)] for one in every]


def _figures(one: Measurement) -> list[str]:
    low, high = one.p50_interval
    slow, quick = throughput_interval(one)
    return [
        f"{one.p50_ms:.3g} ({low:.3g}–{high:.3g})",
        f"{one.p90_ms:.3g}",
        f"{one.p99_ms:.3g}",
        f"{one.throughput_per_s:.3g} ({slow:.3g}–{quick:.3g})",
        f"{one.peak_memory_bytes / 1e6:.0f}" if one.peak_memory_bytes else "–",
        f"{one.accuracy.value:.1%}" if one.accuracy else "–",
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(given: str, limit: int | None = _LONGEST) -> str:
    """The text on one line, in which no character has a meaning to Markdown, HTML or GitHub."""
    shown = visible(given if limit is None or len(given) <= limit else f"{given[: limit - 1]}…")
    return _MEANT.sub(lambda found: f"&#{ord(found[0])};" if found[0] in _BY_NUMBER else f"\\{found[0]}", shown)
