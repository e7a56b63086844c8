"""Jetson-class boards: what is published of them, and how long a model would take there.

board          a board's TOML: peaks, memory, other names
titles         what published tables call it
runtimes       what runs a model on it
architectures  the kernels of networks that published tables name (architectures.csv, made by benchmarks/)
network        a network's kernels as columns of numbers
published      published.csv, row by row: used as what, or why not
factors        what the terms of that time are products of: shared by boards, or a board's own
physics        time = arithmetic or memory, whichever is slower, and a launch, for each kernel
blend          the mean of both fits
random_effects what physics leaves over, shared between relatives
latency_model  both together
report         predictions for a report or page
intervals      how wide an interval has to be, from rows that were held out
baselines      what has to be beaten: operations / peak, the roofline, three numbers for each board
scoring        errors on held-out families, sources, networks
fitted         the fit that ships (fitted.json), and how it is made
calibration    the user's own measurements
prediction     latency with interval, and what it rests on; the ratio to a reference
roofline       the board's two limits, and a model's kernels under them
advice         what would make a model faster
memory         does it fit
evaluation     the table of `harness boards evaluate` and docs/boards.md
"""

from harness.bench.boards.board import Board, load, names

__all__ = ["Board", "load", "names"]
