"""Jetson-class boards: what is published about them, and predicted latencies of models on them.

board          a board's TOML: peaks, memory, other names
silicon        what of it decides its speed, and how much stronger one board is than another
titles         what published tables call it
runtimes       what runs a model on it
architectures  the kernels of networks that published tables name (architectures.csv, made by benchmarks/)
network        a network's kernels as columns of numbers
published      published.csv row by row: how each is used, or why not
factors        the factors of each term of the predicted time: shared by boards, or a board's own
physics        kernel time = the slower of arithmetic and memory, plus a launch
blend          the geometric mean of both fits
ordering       keeps times in the order of the boards
latency_model  physics in that order, above the roofline
report         predictions for a report or page
intervals      how wide an interval must be, from held-out rows
baselines      what the model must beat: operations / peak, the roofline, three numbers for each board
scoring        errors on held-out families, sources, networks
fitted         the fit that ships (fitted.json), and how it is made
calibration    the fit moved to the user's own measurements
prediction     latency with interval and its nearest rows; the ratio to a reference
roofline       the board's two limits, and a model's kernels under them
advice         what would make a model faster
memory         whether a model fits into a board's memory
evaluation     the table of `harness boards evaluate` and docs/boards.md
"""

from harness.bench.boards.board import Board, load, names

__all__ = ["Board", "load", "names"]
