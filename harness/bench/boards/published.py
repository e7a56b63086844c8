"""Reads published latency rows: the usable ones as measurements, the others with a reason."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TextIO

from harness.bench.boards import architectures, runtimes, titles
from harness.bench.boards.board import Board, load
from harness.bench.boards.network import Network
from harness.bench.boards.runtimes import Runtime
from harness.errors import UsageError
from harness.stages.evidence.conversion import Precision

PUBLISHED = Path(__file__).parent / "published.csv"
COLUMNS = (
    "board", "power_mode", "framework", "precision", "batch", "input_hw", "task", "model", "metric", "value", "unit",
    "source", "note",
)  # fmt: skip
_NEEDED = ("board", "framework", "model", "metric", "value", "unit")
_MOST_ROWS = 100_000
_LATENCY = {"ms": 1.0, "msec": 1.0, "milliseconds": 1.0, "s": 1e3, "sec": 1e3, "seconds": 1e3, "us": 1e-3, "µs": 1e-3}
_RATE = (
    "fps", "inferences/s", "inferences/sec", "samples/s", "images/s", "images/sec", "img/s", "frames/s", "qps", "ips",
    "infer/s",
)  # fmt: skip
# The first of these that a run has is used; a 99th percentile says nothing about the typical time.
_METRICS = ("latency_p50", "latency_median", "latency_mean", "latency", "latency_gpu_mean", "latency_p90", "throughput")
_OTHER_WORDS = {  # for those metrics
    "fps": "throughput", "latency_ms": "latency", "time": "latency", "inference_time": "latency",
    "mean": "latency_mean", "mean_latency": "latency_mean", "latency_avg": "latency_mean",
    "average_latency": "latency_mean",
    "median": "latency_median", "median_latency": "latency_median", "p50": "latency_p50", "p90": "latency_p90",
}  # fmt: skip
_CONTRADICTION = 2.0  # factor: on an idle board no two percentiles of one run differ that much
_DISPUTED = re.compile(r"disput|differs from|contradict|implausible|unreliable")
_WHOLE_PATH = re.compile(r"end to end|server|roboflow inference|pipeline")
_DLA = re.compile(r"\bdlas?\d?\b")
_DEVICE = re.compile(r"(cuda|gpu|cpu)?[ _-]*(fp16|fp32|int8)?")  # a framework column without a framework
_BATCH_1 = re.compile(r"(?:(?:batch|bs|b)[ =]?)?1(?:\.0)?|")


@dataclass(frozen=True)
class Measurement:
    """A usable run: milliseconds for one image."""

    line: int
    board: Board
    runtime: Runtime
    precision: Precision
    architecture: str
    height: int
    width: int
    ms: float
    source: str
    model: str  # as the table writes it

    @property
    def family(self) -> str:
        return architectures.family(self.architecture)

    @cached_property
    def network(self) -> Network:
        return architectures.network(self.architecture, self.height, self.width)


@dataclass(frozen=True, slots=True)
class Unused:
    """A row that is not used: the line of the file, what it is about, and why not."""

    line: int
    row: str
    reason: str


class _Bad(Exception):
    """Why a row cannot be used."""


def read(file: Path) -> tuple[list[Measurement], list[Unused]]:
    """The usable rows of a CSV with the columns of `published.csv`, and the others.

    A row may name the user's own board by its TOML beside the CSV. Raises `UsageError` for a file that is not such a
    table, and for a TOML that does not describe a board.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="", errors="replace") as stream:
            delimiter = _delimiter(stream)
            table = csv.DictReader(stream, delimiter=delimiter)
            table.fieldnames = [_heading(name) for name in table.fieldnames or ()]
            missing = [name for name in _NEEDED if name not in table.fieldnames]
            if missing:
                raise UsageError(f"{file}: no column {', '.join(missing)}", f"give it the header: {','.join(COLUMNS)}")
            rows = [(table.line_num, row) for row, _ in zip(table, range(_MOST_ROWS), strict=False)]
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}", "give a CSV file") from error
    except csv.Error as error:
        raise UsageError(f"{file}: not CSV: {error}", f"give it the header: {','.join(COLUMNS)}") from error
    if delimiter == ";":  # as spreadsheets write it where the comma is the decimal point
        rows = [(line, row | {"value": (row["value"] or "").replace(",", ".")}) for line, row in rows]
    return _sorted_out(rows, file.parent)


def _delimiter(stream: TextIO) -> str:
    """The column separator, by the header."""
    header = stream.readline(10_000)
    stream.seek(0)
    return max(",;\t", key=header.count)


def _heading(name: str | None) -> str:
    return "_".join((name or "").lower().split())


def _sorted_out(
    rows: Iterable[tuple[int, Mapping[str, str | None]]], folder: Path
) -> tuple[list[Measurement], list[Unused]]:
    unused: list[Unused] = []
    runs: dict[tuple[str, ...], list[tuple[int, Measurement]]] = {}
    for line, raw in rows:
        row = {name: (raw.get(name) or "").strip() for name in COLUMNS}
        about = " ".join(row[name] for name in ("board", "framework", "precision", "model", "metric") if row[name])
        try:
            rank, measured = _measurement(line, row, folder)
        except _Bad as bad:
            unused.append(Unused(line, about[:120], str(bad)))
            continue
        run = tuple(row[k] for k in ("board", "power_mode", "framework", "precision", "input_hw", "model", "source"))
        runs.setdefault(run, []).append((rank, measured))
    used = []
    for ranked in runs.values():
        best = min(rank for rank, _ in ranked)
        same = sorted((m for rank, m in ranked if rank == best), key=lambda m: (m.ms, m.line))
        chosen = same[len(same) // 2]
        used.append(chosen)
        unused += [Unused(m.line, m.model, _another(m, chosen)) for _, m in ranked if m is not chosen]
    return sorted(used, key=lambda m: m.line), sorted(unused, key=lambda row: row.line)


def _another(figure: Measurement, chosen: Measurement) -> str:
    said = f"another figure of the run in line {chosen.line}"
    if max(figure.ms, chosen.ms) < _CONTRADICTION * min(figure.ms, chosen.ms):
        return said
    return f"{said}, which it contradicts: {figure.ms:.4g} ms against {chosen.ms:.4g} ms"


def _measurement(line: int, row: Mapping[str, str], folder: Path) -> tuple[int, Measurement]:
    """The row as a measurement, and the rank of its metric. Raises `_Bad`."""
    about = f"{row['framework']} {row['note']}".lower()
    rank, ms = _milliseconds(row)
    if "together" in about or "summed" in about or "dla" in row["batch"].lower():
        raise _Bad("GPU and DLA work together in it")
    if _DLA.search(f"{row['board']} {row['framework']} {row['precision']}".lower()):
        raise _Bad("it ran on the DLA, not on the GPU")
    if not _BATCH_1.fullmatch(row["batch"].lower()) or (not row["batch"] and _metric(row) == "throughput"):
        raise _Bad(f"not batch 1: {row['batch'] or 'not stated'}")
    if _WHOLE_PATH.search(about):
        raise _Bad("the time of a whole path (decoding, pre- and post-processing), not of the model")
    if _DISPUTED.search(row["note"].lower()):
        raise _Bad("disputed by its own note")
    board = _board(row, folder)
    ran = _ran(row)
    runtime = runtimes.find(ran)
    if runtime is None:
        raise _Bad(f"unknown runtime {row['framework']!r}")
    said = "int8" if architectures.says_int8(row["model"]) else row["precision"]
    precision = runtimes.precision(said, f"{ran} {row['model']}", runtime)
    if precision is None:
        raise _Bad("precision not stated")
    architecture = architectures.find(row["model"])
    if architecture is None:
        raise _Bad(f"the kernels of {row['model']!r} are not known")
    height, width = _size(row["input_hw"] or architectures.size_in(row["model"]), architecture)
    board = board.assumed()
    measured = Measurement(
        line, board, runtime, precision, architecture, height, width, ms, row["source"] or "not stated", row["model"]
    )
    _check_against_peak(measured)
    return rank, measured


def _ran(row: Mapping[str, str]) -> str:
    """The framework and how it ran the model, from the columns in which tables say so.

    OpenCV's tables name the device beside the board (`Jetson Nano B01 CUDA FP16`); without a framework, the source
    tells it.
    """
    framework = row["framework"].lower()
    if _DEVICE.fullmatch(framework):
        framework = f"{'opencv' if 'opencv' in row['source'].lower() else ''} {framework}"
    return f"{framework} {' '.join(re.findall(r'cuda|cpu|fp16|fp32|int8', row['board'].lower()))}".strip()


def _metric(row: Mapping[str, str]) -> str:
    name = _heading(row["metric"])
    return _OTHER_WORDS.get(name, name)


def _board(row: Mapping[str, str], folder: Path) -> Board:
    """The board that the row names. Raises `_Bad`, and `UsageError` for a TOML that is not a board's."""
    named = row["board"]
    if named.endswith(".toml") and Path(named).name == named:
        return load(str(folder / named))
    board = titles.find(named, row["power_mode"])
    if board is None:
        raise _Bad(f"unknown board {named!r}; one of your own is named by its TOML, which lies beside the CSV")
    return board


def _milliseconds(row: Mapping[str, str]) -> tuple[int, float]:
    """The rank of the row's metric, and its value as milliseconds for one image. Raises `_Bad`."""
    metric, unit = _metric(row), row["unit"].lower().replace("μ", "µ")
    if metric not in _METRICS:
        raise _Bad(f"the metric {metric or 'is missing'} is not a typical time")
    try:
        value = float(row["value"])
    except ValueError:
        raise _Bad(f"the value {row['value']!r} is not a number") from None
    if not 0 < value < 1e9:
        raise _Bad(f"the value {row['value']} is not a time or a rate")
    if unit in _RATE:
        ms = 1e3 / value
    elif unit in _LATENCY and metric != "throughput":
        ms = value * _LATENCY[unit]
    else:
        raise _Bad(f"the unit {unit!r} does not fit {metric}")
    if not 1e-3 <= ms <= 1e6:
        raise _Bad(f"{ms:g} ms for one image is out of bounds")
    return _METRICS.index(metric), ms


def _size(text: str, architecture: str) -> tuple[int, int]:
    """Height and width; the architecture's own where the row has none. Raises `_Bad`."""
    if not text:
        side = architectures.side(architecture)
        return side, side
    sides = re.sub(r"[\s()\[\]]|px|pixels", "", text.lower())
    found = re.fullmatch(r"(?:(?:1[x×*,])?3[x×*,])?(\d{2,4})(?:[x×*,](\d{2,4}))?(?:[x×*,]3)?", sides)
    if not found:
        raise _Bad(f"the input size {text!r} is not like 224x224")
    return int(found[1]), int(found[2] or found[1])


def _check_against_peak(row: Measurement) -> None:
    """Raise `_Bad` for a row that is faster than the GPU's peak. CPUs have no published peak."""
    peak = runtimes.peak(row.board, row.runtime, row.precision)
    if peak is None or row.board.bandwidth() is None:
        raise _Bad(f"no peak figures of {row.board.title} are known")
    if row.runtime.on_cpu:
        return
    reached = row.network.multiply_adds * 2 / (row.ms / 1e3)
    if reached > peak:
        raise _Bad(f"above the board's peak: {reached / 1e12:.2f} of {peak / 1e12:.2f} x 10^12 operations/s")


def publisher(source: str) -> str:
    """The publisher of a row: the repository or site, so that several files of one author are one source."""
    if found := re.match(r"github:([^/\s]+/[^/\s]+)", source):
        return found[1].split("_v")[0] if "inference_results" in found[1] else found[1]
    if found := re.match(r"https?://(?:www\.)?([^/\s]+(?:/[^/\s]+){0,2})", source):
        return found[1].removeprefix("github.com/")
    return source
