"""`harness boards evaluate`: the model's errors on published rows, and docs/boards.md, which lists them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.bench.boards import baselines, fitted, published, scoring
from harness.bench.boards.intervals import NOVELTIES
from harness.bench.boards.published import Unused
from harness.bench.boards.scoring import BoardScore, Held, HeldOut, LikeForLike
from harness.stages.evidence.record import Record

HEADINGS = (
    "board", "runtime", "rows", "family out", "in 90 %", "source out", "in 90 %", "network out", "ops / peak",
    "roofline",
)  # fmt: skip
_SLACK = 0.02  # of a factor or share: the change that another machine's rounding may cause
_DASH = "–"


class UnusedRow(Record):
    """A row that is not used, and why."""

    line: int
    row: str
    reason: str


class Evaluated(Record):
    """The scores, and the rows that were not used."""

    used: int
    unused: tuple[UnusedRow, ...]
    scores: tuple[BoardScore, ...]
    against_three: tuple[LikeForLike, ...]


def unused(rows: Iterable[Unused]) -> tuple[UnusedRow, ...]:
    return tuple(UnusedRow(line=row.line, row=row.row, reason=row.reason) for row in rows)


def evaluate(file: Path, say: Callable[[str], None]) -> Evaluated:
    """Predict the rows of a CSV without knowing their families, their sources, their networks.

    The model knows only the package's published rows. Raises `UsageError` for a file that is not such a table.
    """
    rows, left = published.read(file)
    if not rows:
        return Evaluated(used=0, unused=unused(left), scores=(), against_three=())
    shipped, known = fitted.shipped(), fitted.rows()
    own = fitted.identity(rows) == shipped.made_from
    results: dict[Held, HeldOut] = {}
    asked: tuple[Held, ...] = ("family", "source", "network")
    if own:  # coverage needs the widths without each row's own fold, so all folds are predicted
        asked = (*asked, *(novelty for novelty in NOVELTIES if novelty not in asked))
    for held in asked:
        say(f"Leaving out each {held} in turn ...")
        results[held] = scoring.held_out(rows, known, held, shipped.physics())
    scores = scoring.table(rows, results) if own else scoring.table(rows, results, shipped.widths)
    three = scoring.like_for_like(rows, results["family"], baselines.three_parameters(rows, known))
    return Evaluated(used=len(rows), unused=unused(left), scores=scores, against_three=three)


def cells(row: BoardScore) -> tuple[str, ...]:
    """The row as text, in the order of `HEADINGS`."""
    return (
        row.board,
        row.runtime,
        str(row.rows),
        _factor(row.family_factor),
        _share(row.family_covered),
        _factor(row.source_factor),
        _share(row.source_covered),
        _factor(row.network_factor),
        _factor(row.naive_factor),
        _factor(row.roofline_factor),
    )


def _factor(value: float | None) -> str:
    return _DASH if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return _DASH if value is None else f"{value:.0%}"


def as_markdown(found: Evaluated) -> str:
    """The page docs/boards.md."""
    reasons = Counter(re.sub(r"[:(].*", "", row.reason).strip() for row in found.unused)
    lines = [
        _INTRODUCTION,
        "| " + " | ".join(HEADINGS) + " |",
        "|" + "---|" * len(HEADINGS),
        *("| " + " | ".join(cells(row)) + " |" for row in found.scores),
        "",
        _AGAINST_THREE,
        "| runtime | rows | family out | three numbers |",
        "|---|---|---|---|",
        *(f"| {x.runtime} | {x.rows} | {x.family_factor:.3f} | {x.three_factor:.3f} |" for x in found.against_three),
        "",
        "## Rows that are not used",
        "",
        f"{found.used} rows are used, {len(found.unused)} are not; `harness boards sources --json` lists each.",
        "",
        "| rows | why not |",
        "|---|---|",
        *(f"| {count} | {reason} |" for reason, count in reasons.most_common()),
        "",
    ]
    return "\n".join(lines)


def worse(found: Evaluated, before: str) -> list[str]:
    """What is worse than in an earlier docs/boards.md.

    That is a larger factor, a coverage that fell below 90 %, or a board and runtime that is missing.
    """
    old = {}
    for line in before.splitlines():
        parts = [part.strip() for part in line.strip("| ").split(" | ")]
        if len(parts) == len(HEADINGS) and parts[2].isdecimal():
            old[parts[0], parts[1]] = parts
    gone = old.keys() - {(row.board, row.runtime) for row in found.scores}
    lines = [f"{board}, {runtime}: no row is used any more" for board, runtime in sorted(gone)]
    for row in found.scores:
        then, now = old.get((row.board, row.runtime)), cells(row)
        if then is None:
            continue
        for column in (3, 5, 7):
            if now[column] != _DASH != then[column] and float(now[column]) > float(then[column]) + _SLACK:
                lines.append(f"{row.board}, {row.runtime}: {HEADINGS[column]} {then[column]} -> {now[column]}")
        for column in (4, 6):
            if now[column] == _DASH or then[column] == _DASH:
                continue
            share, was = float(now[column].rstrip("%")) / 100, float(then[column].rstrip("%")) / 100
            if share < min(was, 0.9) - _SLACK:
                lines.append(f"{row.board}, {row.runtime}: covered {then[column]} -> {now[column]}")
    return lines


_AGAINST_THREE = """## Against three numbers for each board

The simplest fit that one would make: the share of the peak, the share of the bandwidth and the time of a launch, from
the rows of the same board, runtime and precision. Both without the row's family, on the rows that have three others
left there; for the rest it predicts nothing.
"""

_INTRODUCTION = """# Latency on boards that are not here

    harness predict model.onnx --board jetson-nano --board jetson-orin-nano --runtime tensorrt --precision fp16
    harness calibrate --measured mine.csv            # columns as in harness/bench/boards/published.csv
    harness predict model.onnx --board jetson-nano --calibration calibration.json
    harness boards sources                           # which rows it rests on, and why others are not used
    harness boards evaluate other.csv                # how far off it is on rows that it has not seen

`--board` takes a TOML of your own, too: the keys of those in `harness/bench/boards/`. A row for `calibrate` names it
as `mine.toml`, which lies beside the CSV. The graph is read in the sandbox and fused as an engine fuses
(`harness/agent/graph/fusion.py`). Each kernel takes the longer of its arithmetic and its memory traffic, and a launch
(`harness/bench/boards/physics.py`). That is fitted twice: with many factors that boards share, and with three numbers
of each board, runtime and precision (`factors.py`); the time is a mean of both (`blend.py`). A model's own family is
the one that does most of its work in layers of the same shape; names don't matter. On GPUs from Ampere on, fp32 means
TensorFloat-32, which frameworks take by default; rows above the *published* fp32 peak are left out all the same.

A prediction is the model alone, batch 1. Compare predictions on one board: what is common to two models cancels, so
their ratio is surer than either time. Where the board is at hand, measure.

## What always holds

- **The same silicon takes the same time.** Fitted factors belong to a board's published figures (`silicon.py`), not to
  its name: Nano 2 GB and 4 GB, Orin NX 8 GB and 16 GB (nobody publishes the clocks of the 8 GB module), both AGX Orin
  kits, TX2 NX and TX2.
- **A board that is nowhere stronger is nowhere faster**: in peak, bandwidth, clock, CUDA cores (for runtimes on the
  CPU: cores, clock, bandwidth, generation of the cores). Published rows contradict that (NVIDIA's TX2 rows include
  copies to the host, the Nano's do not), so the order is enforced on the fitted times, and on the ends of the intervals
  (`ordering.py`): fitted times stay free where rows are, which a fit with monotone factors would not allow, and
  contradicting rows share the blame. A board of your own takes what the common factors say, within what measured boards
  allow: a board that is stronger by a factor c at most is faster by c^2 at most.
- **Nothing is faster than the roofline**: neither a time nor the low end of an interval.
- **More layers are never faster.** Every layer adds a time that depends on that layer alone.
- **Layers that were never measured are named.** Where no row of the runtime on that generation of boards has depthwise,
  grouped or attention layers, the page says so. The interval is then as wide as such cases are off: every runtime's
  rows with such layers on one generation are left out, and those networks predicted in which a fifth of the arithmetic
  kernels or more are such layers.

## How far it is off

Generated by `tox -e boards -- write`, which is `harness boards evaluate harness/bench/boards/published.csv --markdown
docs/boards.md`; `tox -e boards` computes the figures again and fails when one got worse.

A factor is exp(median |log(measured / predicted)|): at 1.20 half of the rows are off by less than 20 %. Each row is
predicted by a model that was fitted without

- **family out**: any network of the same family (all VGGs, all ResNets, ...), on any board,
- **source out**: any row of the same publisher,
- **network out**: this network and a quarter of the others; its siblings stay, which is the usual case for a student's
  model on a known backbone.

"In 90 %" is the share of rows within the interval that a prediction from what is left has. It is as wide as errors on
rows that are new in the same ways: the family, the board, the precision, the runtime, a kind of layer (depthwise,
grouped, attention) or a source that no row of the runtime has. Those are errors on other families (sources) than the
row's. Each family of each publisher on each board counts once, so that 576 rows of one author's YOLOs don't decide
how wide the interval of a classifier is; nine tenths of all rows are covered, too. "ops / peak" divides operations by
the peak of the GPU or of the cores; "roofline" takes for each kernel the larger of that and bytes / bandwidth. Nothing
is fitted in those two.

A device whose rows come from fewer than nine held-out groups (for "source out": the CPUs' two publishers) has at least
the width of all rows together: nine is the fewest of which the largest error bounds 90 % of new ones.

### SSD-MobileNet

MobileNetV1-SSD of 300 x 300 for COCO, our export, with TensorRT; the fit knows the published rows. The suppression is
in the graph only where it says so; operators that are not known are taken as one pass over their numbers.

| board | published | predicted, no suppression inside | with it inside |
|---|---|---|---|
| Jetson Xavier NX 8GB, int8 | 1.34 ms (MLPerf v1.1) | 2.22 ms (1.13 to 4.38) | 2.43 ms |
| Jetson AGX Xavier 32GB, int8 | 0.98 ms (MLPerf v1.1) | 1.87 ms (0.95 to 3.68) | 2.06 ms |
| Jetson TX2 8GB, fp16 | 50.5 ms (TF-TRT, which is another runtime) | 12.5 ms (4.5 to 24.7) | 13.4 ms |
| Jetson Nano 4GB, fp16 | none in the table | 17.7 ms (12.3 to 152) | 18.3 ms |

It is too slow by a factor of 1.7 and 1.9 where the runtime is the same; both lie within the 90 % interval.

## What the table cannot tell

- Two publishers of the same network, board, runtime, precision and size differ, at the median, by a factor of 1.27
  with TensorFlow (11 pairs, all on the TX2; at most 1.97): one states MAX-N and locked clocks, the other no mode.
  Without the source no model can tell. With TensorRT it is 1.03 (6 pairs), with PyTorch 1.08 (one pair).
- With TensorFlow and TF-TRT, MobileNet v1 (and its SSD) alone has depthwise convolutions, on the only board. With that
  family left out nothing is left that says how slow they were there, and 4 of the 13 rows of TF-TRT are its: its
  intervals stay below 90 % with families out.
- Eager PyTorch was measured on classifiers in fp16 on the Nano and AGX Xavier, and on YOLOs in fp32 on Orins. Leaving
  out YOLO leaves out the Orins: "family out" there is a new board and a new precision as well.
- All of ncnn but 15 rows are one publisher's. Its "source out" is a runtime seen on 15 rows of YOLO 11 on Orins, or
  (ncnn-vulkan) on none. ncnn-cpu on the Nano and the TX2 NX is three times as slow as those rows make one think, and
  its intervals stay below 90 % there.
- Two publishers' ncnn-cpu differ more than their boards do: Ultralytics' YOLO 11 on the Orin NX and the Orin Nano Super
  takes a half to a third of the time that the other's rows make one think, and a fifth of those rows lies in its
  interval. ncnn-cpu as a whole stays below 90 %. An earlier version had a random effect for each publisher; it
  described such rows, but a prediction has no publisher.
- Ultralytics' YOLO 8 to 11 stay one family, since they share up to 70 % of their work in layers of the same shape:
  one version left out alone would leave its near twins, and flatter the figures.
"""
