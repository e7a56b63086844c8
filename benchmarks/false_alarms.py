"""How often `harness bench --compare` finds a model different from itself: prints the table of docs/benchmarking.md.

    python benchmarks/false_alarms.py MODEL.onnx [--rounds 60] [--tries 200] [--real 5] [--write docs/benchmarking.md]

First rounds are recorded, each a fresh process as `harness bench` times it, but shorter. A try draws rounds from that
record, whole processes and in their order, and gives them to the comparison: two stretches of five neighbours that do
not overlap, as two runs with a file between them; or ten neighbours taken in turn, as one run of two models. Tries
overlap, so their share has fewer independent parts than tries. Then some real ones: runs of the model and its copy.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import tables

from harness.bench.compare import compare, compare_in_turn
from harness.bench.measure import measure
from harness.bench.request import Request
from harness.bench.results import BenchResults, TimedRound
from harness.bench.rules import SCENARIOS, Effort
from harness.sandbox import choose
from harness.stages.progress import Progress

ROUNDS = 5  # of each side in a try, as of a full run
SECONDS, WARM_UP = 0.3, 0.2  # of a round
HEADER = "| compared | tries | faster or slower | no difference | too few rounds |\n|---|---|---|---|---|\n"


class Told(Progress):
    """Progress on standard error."""

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def request(model: Path, rounds: int) -> Request:
    return Request(
        models=[model],
        reference=None,
        images=None,
        scenario=SCENARIOS["single-stream"],
        effort=Effort("quick", rounds * SECONDS, rounds, rounds, WARM_UP),
        engines=("cpu",),
        precisions=("fp32",),
        mode="model-only",
        boards=(),
        cores=1,
    )


def with_rounds(results: BenchResults, rounds: list[TimedRound], name: str) -> BenchResults:
    (one, *_) = results.measurements
    return results.model_copy(
        update={"measurements": (one.model_copy(update={"rounds": tuple(rounds), "model": name}),)}
    )


def apart(recorded: BenchResults, rounds: list[TimedRound], random: np.random.Generator) -> str:
    """Two stretches of the record, as two runs."""
    while True:
        new, old = (int(start) for start in random.integers(0, len(rounds) - ROUNDS + 1, 2))
        if abs(new - old) >= ROUNDS:
            break
    one, other = (with_rounds(recorded, rounds[start : start + ROUNDS], "model") for start in (new, old))
    return compare(one, other)[0].verdict


def in_turn(recorded: BenchResults, rounds: list[TimedRound], random: np.random.Generator) -> str:
    """A stretch of the record, as one run of two models, whose order changes from turn to turn as in a run."""
    start = int(random.integers(0, len(rounds) - 2 * ROUNDS + 1))
    turns = [rounds[at : at + 2] for at in range(start, start + 2 * ROUNDS, 2)]
    sides = [[pair[(turn + side) % 2] for turn, pair in enumerate(turns)] for side in (0, 1)]
    both = [with_rounds(recorded, side, name) for side, name in zip(sides, ("new", "old"), strict=True)]
    together = recorded.model_copy(update={"measurements": tuple(one.measurements[0] for one in both)})
    return compare_in_turn(together, "old")[0].verdict


def real(model: Path, tries: int, sandbox: object) -> list[str]:
    """Runs of the model and its copy, in turn."""
    found = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:
        copy = Path(temporary) / f"earlier-{model.name}"
        shutil.copyfile(model, copy)
        for _ in range(tries):
            asked = replace(request(model, ROUNDS), earlier_model=copy)
            results = measure(asked, sandbox, Told())  # type: ignore[arg-type]
            found.append(compare_in_turn(results, results.earlier_model)[0].verdict)
    return found


def row(title: str, verdicts: list[str]) -> str:
    counted = Counter(verdicts)
    alarms = counted["faster"] + counted["slower"]
    share = f"{alarms} ({alarms / len(verdicts):.1%})"
    return f"| {title} | {len(verdicts)} | {share} | {counted['no difference']} | {counted['too few rounds']} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--real", type=int, default=5)
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    sandbox = choose(given.sandbox).sandbox
    recorded = measure(request(given.model, given.rounds), sandbox, Told())
    rounds = list(recorded.measurements[0].rounds)
    medians = np.array([one.median_ms for one in rounds])
    print(
        f"{len(rounds)} rounds, median {np.median(medians):.3f} ms, sd {medians.std() / medians.mean():.1%}",
        file=sys.stderr,
    )
    random = np.random.default_rng(0)
    lines = HEADER
    for title, draw in (("with a file, recorded rounds", apart), ("in turn, recorded rounds", in_turn)):
        lines += row(title, [draw(recorded, rounds, random) for _ in range(given.tries)])
    if given.real:
        lines += row("in turn, real runs", real(given.model, given.real, sandbox))
    print(lines, end="")
    if given.write:
        tables.replace(given.write, "false alarms", lines)


if __name__ == "__main__":
    main()
