"""Assigns processor cores to jobs: exclusive ones while there are enough, so that no job slows another."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Iterator

from harness.files.system import usable_cores

_lock = threading.Lock()
_jobs_on: Counter[int] = Counter()  # core -> jobs of this process


@contextlib.contextmanager
def reserved(count: int, chosen: tuple[int, ...] = ()) -> Iterator[frozenset[int]]:
    """Reserve the `count` cores with the fewest jobs of this process; all cores if there are not more.

    `chosen`: reserve these instead, even if other jobs run on them.
    """
    cores = list(usable_cores())
    random.shuffle(cores)  # other harness processes do not know our choice
    with _lock:
        taken = frozenset(chosen or sorted(cores, key=lambda core: _jobs_on[core])[:count])
        _jobs_on.update(taken)
    try:
        yield taken
    finally:
        with _lock:
            _jobs_on.subtract(taken)


def as_list(cores: frozenset[int]) -> str:
    """The cores in the notation of `taskset` and control groups."""
    return ",".join(map(str, sorted(cores)))
