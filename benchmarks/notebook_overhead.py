"""Writes a table of docs/performance.md: what running a notebook costs, cold, warm and by nbgrader, in turn.

    python benchmarks/notebook_overhead.py [--notebooks 20] [--turns 3] [--nbgrader PYTHON]

As root, with control groups of version 1, by which processor time is measured: of the harness, its zygotes and its
sandboxes together, or of nbgrader and its kernels. PYTHON: of an environment with nbgrader 0.9.6 and torch; without
it nbgrader is left out. The ratio is of each turn.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import tables
from nbformat.v4 import new_code_cell, new_notebook

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import ExecutionRules
from harness.inputs.submission import Submission
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.store import Store

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
CELLS = {"trivial": ("x = 1", "print(x + 1)"), "import torch": ("import torch", "print(torch.ones(2).sum())")}
LIMITS = ResourceLimits(wall_seconds=300, cell_seconds=120, memory=2 * 10**9, cpus=1)
ACCOUNTS = Path("/sys/fs/cgroup/cpuacct")


@contextmanager
def own_account() -> Iterator[Path]:
    """A control group with this process and what it starts; sandboxes are moved out of it by the engine."""
    group = ACCOUNTS / f"notebook-overhead-{os.getpid()}"
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(os.getpid()))
        yield group
    finally:
        (ACCOUNTS / "cgroup.procs").write_text(str(os.getpid()))


class Counted(Bubblewrap):
    """The engine, with the processor time of its sandboxes added up."""

    spent_seconds = 0.0

    def run(self, job, outputs):  # type: ignore[no-untyped-def]
        outcome = super().run(job, outputs)
        self.spent_seconds += outcome.cpu_seconds or 0.0
        return outcome


def by_harness(engine: Counted, cells: tuple[str, ...], count: int) -> None:
    """Run as many notebooks of these cells, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), Path(folder, "notebook.ipynb"))
        submission = Submission("id", "student", Path(folder), Path("notebook.ipynb"), (), (), None, "0" * 64, ())
        for _ in range(count):
            with tempfile.TemporaryDirectory() as store:
                result = execute(
                    submission, None, ExecutionRules(), None, StageContext(engine, Store(Path(store)), LIMITS)
                )
                assert isinstance(result, Done), result


def by_nbgrader(python: Path, cells: tuple[str, ...], count: int) -> None:
    """Autograde as many submissions of these cells, in one run of nbgrader."""
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        for place in ("source/a", *(f"submitted/s{number}/a" for number in range(count))):
            (course / place).mkdir(parents=True)
            nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), course / place / "n.ipynb")
        # It calls programs of its own environment by name.
        variables = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "PYTHONPATH": ""}
        for command in (("generate_assignment", "a"), ("autograde", "a")):
            asked = [python, "-m", "nbgrader", *command, "--course-dir", folder]
            subprocess.run(asked, cwd=folder, env=variables, check=True, capture_output=True)


def row(kind: str, count: int, turns: int, nbgrader: Path | None, account: Path) -> str:
    """A line of the table."""
    cold, warm = Counted(), Counted(wait_for_zygote_seconds=120)
    by_harness(warm, CELLS[kind], 1)  # its zygote is there
    ways: dict[str, Callable[[], None]] = {"warm": lambda: by_harness(warm, CELLS[kind], count)}
    ways["cold"] = lambda: _by_fresh_engines(cold, CELLS[kind], count)
    if nbgrader is not None:
        ways["nbgrader"] = lambda: by_nbgrader(nbgrader, CELLS[kind], count)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name in random.sample(sorted(ways), len(ways)):
            before = _used(account) + cold.spent_seconds + warm.spent_seconds
            ways[name]()
            took[name].append((_used(account) + cold.spent_seconds + warm.spent_seconds - before) / count)
    medians = {name: statistics.median(values) for name, values in took.items()}
    others = [f"{medians['cold']:.2f} s", f"{medians['warm']:.2f} s"]
    if nbgrader is None:
        return f"| {kind} | {' | '.join(others)} | not measured | |"
    ratio = statistics.median(ours / theirs for ours, theirs in zip(took["warm"], took["nbgrader"], strict=True))
    return f"| {kind} | {' | '.join(others)} | {medians['nbgrader']:.2f} s | **{ratio:.2f}** |"


def _by_fresh_engines(cold: Counted, cells: tuple[str, ...], count: int) -> None:
    """The same, each as an engine's first job, for which there is no zygote yet."""
    for _ in range(count):
        engine = Counted()
        by_harness(engine, cells, 1)
        cold.spent_seconds += engine.spent_seconds


def _used(account: Path) -> float:
    return int((account / "cpuacct.usage").read_text()) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", type=int, default=20)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--nbgrader", type=Path)
    given = parser.parse_args()
    if os.geteuid() != 0 or not ACCOUNTS.is_dir():
        parser.error("processor time is measured as root, with control groups of version 1")
    if given.nbgrader is None:
        print("nbgrader is left out: give the Python of its environment with --nbgrader")
    with own_account() as account:
        rows = [row(kind, given.notebooks, given.turns, given.nbgrader, account) for kind in CELLS]
    head = "| notebook | cold | warm | nbgrader 0.9.6 | warm / nbgrader |\n|---|---|---|---|---|\n"
    table = head + "\n".join(rows)
    print(table)
    if given.nbgrader is not None:
        tables.replace(PAGE, "notebook overhead", f"\n{table}\n\n")


if __name__ == "__main__":
    main()
