"""How xdist deals out the tests that start sandboxes: by file and engine, the longest first.

What a module's fixture makes, a graded class perhaps, is made once where the whole file stays in one process. Engines
are apart, since a file's fixtures seldom serve both and its tests take twice as long for two. Whatever takes minutes
begins first: started last, it would run alone, with the other cores idle.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadScopeScheduling

_ENGINE = re.compile(r"\[(?:.*-)?(bubblewrap|docker|runsc)(?:-.*)?\]$")
SECONDS_FILE = Path(__file__).with_name("seconds.txt")


def unit_of(nodeid: str) -> str:
    """The unit of work that a test belongs to: `FILE`, or `FILE ENGINE` where it has an engine."""
    file, _, name = nodeid.partition("::")
    engine = _ENGINE.search(name)
    return f"{file} {engine[1]}" if engine else file


def seconds_of_units(text: str) -> dict[str, float]:
    """The units of `seconds.txt`, whose lines are seconds and unit."""
    return {unit: float(seconds) for seconds, unit in (line.split(maxsplit=1) for line in text.splitlines())}


def as_text(seconds: Mapping[str, float]) -> str:
    """What `seconds_of_units` reads: the longest first."""
    return "".join(f"{seconds[unit]:.0f} {unit}\n" for unit in sorted(seconds, key=lambda unit: (-seconds[unit], unit)))


def next_unit(waiting: Mapping[str, Sized], seconds: Mapping[str, float]) -> str:
    """Of the waiting units, with their tests, the longest. One that nobody measured could be that."""
    return max(waiting, key=lambda unit: (seconds.get(unit, math.inf), len(waiting[unit])))


class _Stopwatch:
    """Adds up what the tests of each unit took, and writes it down."""

    def __init__(self, before: Mapping[str, float]) -> None:
        self._before, self._now = before, Counter[str]()

    def pytest_runtest_logreport(self, report: Any) -> None:
        self._now[unit_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        SECONDS_FILE.write_text(as_text({**self._before, **self._now}))


class LongestFirst(LoadScopeScheduling):
    """xdist's scheduler of whole units, with our units in our order.

    With HARNESS_TESTS_SECONDS=write in the environment, the run's own times take the place of those in `seconds.txt`.
    """

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        self._seconds = seconds_of_units(SECONDS_FILE.read_text())
        if os.environ.get("HARNESS_TESTS_SECONDS") == "write":
            config.pluginmanager.register(_Stopwatch(self._seconds))

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(next_unit(self.workqueue, self._seconds), last=False)
        super()._assign_work_unit(node)
