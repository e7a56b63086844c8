"""Submissions, and a store, that once ended the run for all, filled its memory, or could have forged its results."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from measured import MOST_MEMORY, memory_of, run_measured
from small_course import REFERENCE, hand_in, make_course, notebook, with_weights

ASSIGNMENT = """\
title = "Own objects"
[held_out]
mode = "withhold"
[limits]
wall_seconds = 200
cell_seconds = 60
memory = "2 GB"
cpus = 1
[reference]
code = "transfer.py"
[robustness]
enabled = false
[[criteria]]
kind = "notebook_runs"
points = 10
[[criteria]]
kind = "accuracy_vs_reference"
points = 90
"""
# What the attack's `scenes.py` does, by the names that the rooms have now: 2,000 grey images, one pixel apart.
ALL_BUT_EQUAL = """\
from pathlib import Path
import numpy as np
from harness.stages.audit import Described, ImageSet, scene_map

COUNT = 2000

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024

def described(index):
    return Described(
        width=128, height=128, sha256=f"{index:064x}", blur=0.0, brightness=0.5, bright_share=0.0, dark_share=0.0,
        camera=False, rights=False, plain_border=False,
    )

greys = np.full((COUNT, 128, 128), 90, np.uint8)
for index in range(COUNT):
    greys[index, index % 128, index // 128 % 128] = 91
names = tuple(f"{index}.jpg" for index in range(COUNT))
images = ImageSet(names, (None,) * COUNT, ("",) * COUNT, tuple(map(described, range(COUNT))), greys, None)
before = peak()
scenes = scene_map(images)
print(f"memory {before} -> {peak()} MiB, complete {scenes.complete}")
"""
# The small course's reference, for classes of any name: what it answers is not looked at here.
ANY_CLASSES = REFERENCE.replace('{"red": 0, "green": 1, "blue": 2}[name]', "row % 3").replace(
    "nn.Linear(8, 3)", "nn.Linear(8, len(classes))"
)


@pytest.mark.hostile(line=(72, 73), expected="F; the others as alone, memory bounded")
def test_two_who_ended_the_run_for_all_are_graded_with_the_others(
    attacks: Path, fetched_weights: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    """run-stopped-by-zip: an encrypted member raised outside every guard, and nobody was graded.

    run-killed-by-notebook: a notebook of 400 MiB, 2.7 MB when zipped, was parsed by the harness's own process.
    """
    (tmp_path / "transfer.py").write_text(ANY_CLASSES)
    (tmp_path / "assignment.toml").write_text(ASSIGNMENT)
    submissions = tmp_path / "submissions"
    hand_in(submissions, "honest", notebook__ipynb=notebook("print(1)"))
    shutil.copytree(attacks / "run-stopped-by-zip" / "mallory", submissions / "mallory")
    shutil.copy(attacks / "run-killed-by-notebook" / "fatnote.zip", submissions / "fatnote.zip")
    options = ("--assignment", tmp_path / "assignment.toml", "--out", tmp_path / "out", "--sandbox", "bubblewrap")
    environment = {**os.environ, "HARNESS_CACHE": str(with_weights(fetched_weights, tmp_path / "cache"))}
    done = run_measured("grade", submissions, *options, env=environment)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    rows = {row["id"]: row for row in json.loads((tmp_path / "out" / "results.json").read_text())["submissions"]}
    assert set(rows) == {"honest", "mallory", "fatnote"}
    assert {f["code"] for row in rows.values() for f in row["findings"]}.isdisjoint({"harness-defect"})
    assert rows["mallory"]["stages"]["audit"]["status"] == "ok"
    assert rows["fatnote"]["stages"]["read"]["status"] != "ok"
    memory = memory_of(done)
    assert memory < MOST_MEMORY
    got(f"all graded; {memory / 2**20:.0f} MiB over the idle size")


@pytest.mark.hostile(line=82, expected="bounded, cut with F")
def test_near_identical_images_cost_what_their_number_costs(got: Callable[[str], None]) -> None:
    """scene-map-pairs: 2,000 of them made four million pairs in the harness's own process."""
    done = subprocess.run(
        [sys.executable, "-c", ALL_BUT_EQUAL], capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    found = re.search(r"memory (\d+) -> (\d+) MiB, complete (\w+)", done.stdout)
    assert found, done.stderr
    assert found[3] == "False"  # so that it becomes the finding `comparison-cut`
    assert int(found[2]) - int(found[1]) < 100
    got(f"{int(found[2]) - int(found[1])} MiB for 2,000 images; the cut is said")


@pytest.mark.hostile(line=75, expected="refused, exit status 3")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_store_of_another_user_ends_the_run_before_it_begins(
    fetched_weights: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    """Whoever owns what was kept could serve forged results."""
    file = make_course(tmp_path / "course")
    hand_in(tmp_path / "in", "Mia", notebook__ipynb=notebook("print(1)"))
    cache = with_weights(fetched_weights, tmp_path / "cache")
    (cache / "results").mkdir(exist_ok=True)
    os.chown(cache / "results", 65534, 65534)
    options = ("--assignment", file, "--out", tmp_path / "out", "--sandbox", "bubblewrap")
    done = run_measured("grade", tmp_path / "in", *options, env={**os.environ, "HARNESS_CACHE": str(cache)})
    assert done.returncode == 3, done.stderr
    assert "belongs to another user" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "results.json").exists()
    got("exit status 3, with what to do")
