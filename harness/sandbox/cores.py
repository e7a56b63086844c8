"""Which processor cores a job runs on: its own, as long as there are enough, so that no job slows another."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator

_lock = threading.Lock()
_jobs_on: Counter[int] = Counter()  # of this process


@contextlib.contextmanager
def reserved(count: int, chosen: tuple[int, ...] = ()) -> Iterator[frozenset[int]]:
    """The `count` cores that the fewest jobs of this process run on; all of them where there are not more.

    `chosen`: these instead, whoever runs on them.
    """
    cores = list(os.sched_getaffinity(0))
    random.shuffle(cores)  # other processes of the harness do not know ours
    with _lock:
        taken = frozenset(chosen or sorted(cores, key=lambda core: _jobs_on[core])[:count])
        _jobs_on.update(taken)
    try:
        yield taken
    finally:
        with _lock:
            _jobs_on.subtract(taken)


def as_list(cores: frozenset[int]) -> str:
    """As `taskset` and control groups take them."""
    return ",".join(map(str, sorted(cores)))
