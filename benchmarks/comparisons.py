"""Time and memory of comparing the images of a whole class with each other: prints the table of README.md.

    python benchmarks/comparisons.py [STUDENTS ...]

Each student has 500 images, one in ten a copy of another student's. A second class has images that are all alike, as
an attacker would hand in. Only hashes are timed; comparing a pair in detail takes some 10 ms, at most 600 times for
each student.
"""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np

from harness.stages.audit.alike import alike

IMAGES = 500  # of each student


def measured(students: int, *, all_alike: bool) -> str:
    random = np.random.default_rng(1)
    count = students * IMAGES
    if all_alike:
        upright = random.integers(0, 64, count, dtype=np.uint64)
        mirrored = upright.copy()
    else:
        upright, mirrored = (random.integers(0, 2**63, count, dtype=np.uint64) for _ in range(2))
        upright[count - count // 10 :] = upright[: count // 10]
    owners = np.repeat(np.arange(students), IMAGES)
    tracemalloc.start()
    began = time.process_time()
    found = alike(upright, mirrored, owners)
    seconds, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kind = "all alike" if all_alike else "one of ten a copy"
    return f"| {students} | {kind} | {len(found.pairs)} | {len(found.cut)} | {seconds:.0f} s | {peak / 2**20:.0f} MiB |"


def main() -> None:
    print("| students | images | pairs | students cut | processor time | memory |\n|---|---|---|---|---|---|")
    for students in [int(given) for given in sys.argv[1:]] or [50, 100, 500]:
        for all_alike in (False, True):
            print(measured(students, all_alike=all_alike), flush=True)


if __name__ == "__main__":
    main()
