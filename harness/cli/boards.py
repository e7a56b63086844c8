"""`harness boards`: the boards that are known, and what the latency model rests on."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click
from rich.table import Table
from threadpoolctl import threadpool_limits

from harness.bench import boards as known_boards
from harness.bench.boards import evaluation, fitted, published
from harness.boundary.screen import Screen, say, say_json
from harness.cli.options import PATH, as_json_option
from harness.cli.terminal import progress_on, wide_screen

_ERR = Screen(stderr=True)
_MOST_UNUSED_SHOWN = 20


@click.group("boards", invoke_without_command=True)
@click.pass_context
@as_json_option
def boards(context: click.Context, as_json: bool) -> int:
    """List the Jetson-class boards; with a command, what is known of their speed."""
    if context.invoked_subcommand is not None:
        return 0
    every = [known_boards.load(name) for name in known_boards.names()]
    if as_json:
        say_json(json.dumps([board.model_dump(mode="json") for board in every]))
    for board in every if not as_json else []:
        say(f"{board.name}: {board.title}")
    return 0


@boards.command("sources")
@as_json_option
def sources(as_json: bool) -> int:
    """List where the published rows come from, how many of each are used, and why the others are not."""
    used, unused = published.read(published.PUBLISHED)
    counts = Counter(row.source for row in used)
    reasons = Counter(row.reason.split(":")[0] for row in unused)
    if as_json:
        rows = [row.model_dump() for row in evaluation.unused(unused)]
        say_json(json.dumps({"sources": counts, "unused": rows}))
        return 0
    for source, count in sorted(counts.items()):
        say(f"{count:4}  {source}")
    say(f"\n{len(used)} rows used, {len(unused)} not:")
    for reason, count in reasons.most_common():
        say(f"{count:4}  {reason}")
    return 0


@boards.command("evaluate")
@click.argument("file", type=PATH)
@click.option("--markdown", type=PATH, help="Write the table into this file instead (docs/boards.md).")
@click.option("--no-worse-than", "before", type=PATH, help="Fail when a figure is worse than in this file.")
@as_json_option
def evaluate(file: Path, markdown: Path | None, before: Path | None, as_json: bool) -> int:
    """Predict the published rows of FILE.csv without their families, then without their sources; compare.

    FILE has the columns of harness/bench/boards/published.csv. Rows that cannot be used are listed, each with its
    reason.
    """
    with progress_on(_ERR) as progress, threadpool_limits(1):
        found = evaluation.evaluate(file, progress.say)
    if markdown is not None:
        markdown.write_text(evaluation.as_markdown(found), encoding="utf-8")
    if as_json:
        say_json(found.model_dump_json())
    elif markdown is None:
        _print_evaluation(found)
    worse = evaluation.worse(found, before.read_text(encoding="utf-8")) if before else []
    for line in worse:
        say(f"worse than before: {line}", err=True)
    return 1 if worse else 0


@boards.command("fit")
def fit() -> int:
    """Fit the latency model on the published rows again, after they or the boards have changed; takes minutes."""
    with progress_on(_ERR) as progress, threadpool_limits(1):
        progress.say("Leaving out each family, source, board, precision, runtime and kind of layer in turn ...")
        made = fitted.fit(fitted.rows())
    fitted.FITTED.write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
    say(fitted.FITTED)
    return 0


def _print_evaluation(found: evaluation.Evaluated) -> None:
    say(f"{found.used} rows used, {len(found.unused)} not.")
    table = Table()
    for heading in evaluation.HEADINGS:
        table.add_column(heading, no_wrap=True)
    for row in found.scores:
        table.add_row(*evaluation.cells(row))
    wide_screen().print(table)
    for line in found.against_three:
        say(
            f"{line.runtime}, {line.rows} rows, family out: {line.family_factor:.3f}; three numbers fitted to each "
            f"board, runtime and precision: {line.three_factor:.3f}"
        )
    for left in found.unused[:_MOST_UNUSED_SHOWN]:
        say(f"not used: line {left.line}: {left.row}: {left.reason}")
    if len(found.unused) > _MOST_UNUSED_SHOWN:
        say(f"... and {len(found.unused) - _MOST_UNUSED_SHOWN} more: --json lists all")
