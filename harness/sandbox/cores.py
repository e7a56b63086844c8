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


# Phases in which threads wait as they do outside: whose result is how long a model takes, and those that train.
_AS_OUTSIDE = frozenset({"benchmark", "timing", "layers", "execute", "train", "train_detector"})


def thread_variables(cpus: int, phase: str) -> dict[str, str]:
    """The environment variables that keep libraries inside a job to `cpus` threads.

    OpenMP's threads burn a core while they wait for each other, unless they are told to sleep. Where several jobs share
    the cores that waiting takes the time that the others need: with it, converting a MobileNetV2 on two busy cores took
    more than three times as long. Where time is measured, threads wait as on a student's machine; and where a notebook
    or the reference trains, since steps of a few microseconds take twice as long with sleeping threads on free cores.
    """
    names = ("HARNESS_CPUS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    waiting = {} if phase in _AS_OUTSIDE else {"OMP_WAIT_POLICY": "passive"}
    return dict.fromkeys(names, str(cpus)) | waiting


def as_list(cores: frozenset[int]) -> str:
    """The cores in the notation of `taskset` and control groups."""
    return ",".join(map(str, sorted(cores)))
