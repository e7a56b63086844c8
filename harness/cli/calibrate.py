"""`harness calibrate`: moves the latency model to the user's own measurements."""

from __future__ import annotations

from pathlib import Path

import click
from threadpoolctl import threadpool_limits

from harness.bench.boards.calibration import Calibration
from harness.boundary.screen import say
from harness.cli.options import PATH


@click.command("calibrate")
@click.option("--measured", type=PATH, required=True, help="CSV of your own runs, columns as in published.csv.")
@click.option("--out", type=PATH, default=Path("calibration.json"), show_default=True, help="For predict.")
def calibrate(measured: Path, out: Path) -> int:
    """Correct by your own measurements from a board; three models already narrow the intervals there."""
    with threadpool_limits(1):
        made, unused = Calibration.fit(measured)
    made.write(measured, out)
    for row in unused:
        say(f"{measured}:{row.line}: not used: {row.reason}", err=True)
    for measurement, times in made.doubtful():
        say(
            f"{measured}:{measurement.line}: {measurement.model} took {times:.2g} times as long as your other rows of "
            f"{measurement.board.name} with {measurement.runtime} would have it; it is used: check it, or leave it out",
            err=True,
        )
    used = "1 measurement" if len(made.rows) == 1 else f"{len(made.rows)} measurements"
    say(f"{used} used. harness predict MODEL --calibration {out}")
    return 0
