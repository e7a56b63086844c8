"""The hostile suite: each test names the line of the checklist that it tries, and the outcome that is right.

    @pytest.mark.hostile(line=17, expected="L processes; gone afterwards")
    def test_a_fork_bomb_is_stopped(engine, got): ...

`line` is a number or several. A test with the argument `engine` runs with each engine; `runsc=True` in the
mark adds Docker with gVisor. `docker={"giant", ...}` names the variants that Docker tries, where it is the agent
that judges, which is the same in every engine; bubblewrap tries all. `got("...")` says what was seen, for the
table that ends the run: line, engine, expected, got. An engine that CI must have is never skipped there.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tarfile
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

import pytest
from checklist import lines_of
from measured import LOADED_LATE

from harness.errors import HarnessError
from harness.sandbox import TORCH, Sandbox, environments
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.docker import Docker

ENGINES: dict[str, Callable[[], Sandbox]] = {
    "bubblewrap": lambda: Bubblewrap(wait_for_zygote_seconds=120),  # warm starts, where there are any
    "docker": Docker,
    "runsc": lambda: Docker(runtime="runsc"),
}
MOST_MEMORY = 300 * 2**20  # bytes over its idle size, with all libraries
FRAMEWORKS = {"torch", "keras", "tensorflow", "onnx"}
_ROW = "hostile"  # the name under which a test's row travels in its report, as a tuple: from other processes, too


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    line: int
    engine: str
    expected: str
    got: str


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "hostile(line, expected, runsc=False, docker=all, makes_much=False): a line of the checklist, and its outcome",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("hostile")
        names = ["bubblewrap", "docker"] + (["runsc"] if mark and mark.kwargs.get("runsc") else [])
        metafunc.parametrize("engine", names, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if _is_left_out(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Item) -> bool:
    """Whether it is a variant that its mark does not ask Docker to try."""
    mark, callspec = item.get_closest_marker("hostile"), getattr(item, "callspec", None)
    if mark is None or "docker" not in mark.kwargs or callspec.params.get("engine") == "bubblewrap":
        return False
    return not any(value in mark.kwargs["docker"] for value in callspec.params.values() if isinstance(value, str))


@pytest.fixture(scope="session")
def started_engines() -> dict[str, Sandbox]:
    return {}


@pytest.fixture
def engine(request: pytest.FixtureRequest, started_engines: dict[str, Sandbox]) -> Sandbox:
    """A real engine. bubblewrap comes with the installation; Docker may be missing on a laptop, not in CI."""
    name = request.param
    if name not in started_engines:
        try:
            if name != "bubblewrap" and (base := os.environ.get("HARNESS_DOCKER_BASE")):
                environments.build(TORCH, base, None, print, engine="docker")  # nothing where it is built
            started_engines[name] = ENGINES[name]()
        except HarnessError as error:
            if name == "bubblewrap" or os.environ.get("HARNESS_REQUIRE_DOCKER") == "1":
                raise
            pytest.skip(f"no {name} here: {error.message}")
    return started_engines[name]


@pytest.fixture(scope="session")
def attacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The attacks that once broke a promise: one folder each, with a README line."""
    shared = Path(os.environ.get("HARNESS_SHARED", Path(__file__).parents[2].parent / "shared"))
    archive = shared / "cases" / "attacks.tar.gz"
    if not archive.is_file():
        if os.environ.get("HARNESS_REQUIRE_SHARED") == "1":
            raise FileNotFoundError(f"{archive} is missing, and CI must have it")
        pytest.skip(f"no attacks at {archive}")
    folder = tmp_path_factory.mktemp("attacks")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="fully_trusted")  # ours; some names are hostile on purpose
    return folder / "attacks"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """The harness works in this process: whatever it is handed, it takes at most `MOST_MEMORY` over what it had.

    No verdict on a test that loads a framework for the first time, to make a model of its own, or that says of itself
    that it makes a large input here (`makes_much=True`).
    """
    for library in LOADED_LATE:
        importlib.import_module(library)
    loaded = FRAMEWORKS & set(sys.modules)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _kilobytes("VmRSS")
    result = yield
    taken = 1024 * (_kilobytes("VmHWM") - before)
    mark = item.get_closest_marker("hostile")
    if FRAMEWORKS & set(sys.modules) == loaded and not (mark and mark.kwargs.get("makes_much")):
        assert taken < MOST_MEMORY, f"the harness took {taken / 2**20:.0f} MiB"
    return result


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


@pytest.fixture
def got(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says what was seen, for the table."""
    return lambda what: request.node.user_properties.append(("got", " ".join(what.split())))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.when == "call" or (report.when == "setup" and not report.passed):
        properties = dict(item.user_properties)
        callspec = getattr(item, "callspec", None)
        engine = callspec.params.get("engine", "-") if callspec else "-"
        for mark in item.iter_markers("hostile"):
            for line in lines_of(mark):
                said = properties.get("got", "as expected") if report.passed else _trouble(report)
                report.user_properties.append((_ROW, astuple(Row(line, engine, mark.kwargs["expected"], said))))
    return report


def _trouble(report: pytest.TestReport) -> str:
    if report.skipped:
        return f"NOT RUN: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}"
    crash = getattr(report.longrepr, "reprcrash", None)
    return "FAILED: " + (crash.message.splitlines()[0] if crash else str(report.longrepr).splitlines()[-1])[:100]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table: line, engine, expected, got."""
    rows = {
        Row(*row)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, row in getattr(report, "user_properties", ())
        if name == _ROW
    }
    if not rows:
        return
    terminalreporter.section("hostile input, line by line")
    wide = max(len(row.expected) for row in rows)
    terminalreporter.write_line(f"{'line':>4}  {'engine':10}  {'expected':{wide}}  got")
    for row in sorted(rows, key=lambda row: (row.line, row.expected, row.engine)):
        bad = row.got.startswith(("FAILED", "NOT RUN"))
        text = f"{row.line:>4}  {row.engine:10}  {row.expected:{wide}}  {row.got}"
        terminalreporter.write_line(text, red=bad)
