"""A run that was killed goes on where it was, and `harness why` says what a next one would do again."""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

from command_line import HARNESS, grade, run_harness
from small_course import Course, hand_in, notebook

KILLS = 10
ENDED = re.compile(r"^  (\S+: \S+) (?:ok|failed|timeout|memory|killed|rejected)$", re.MULTILINE)  # a stage that ran


def killed_after(seconds: float, arguments: tuple[object, ...], cache: Path, log: Path, whole_group: bool) -> bool:
    """Whether `harness grade` was still at work then, and was killed: alone, or with all that it started."""
    with log.open("a") as stream:
        process = subprocess.Popen(
            [*HARNESS, "grade", *map(str, arguments)],
            stderr=stream,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "HARNESS_CACHE": str(cache)},
            start_new_session=True,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
            process.wait()
            return True
        return False


def test_a_run_killed_at_ten_moments_ends_as_one_that_was_not(small_course: Course, tmp_path: Path) -> None:
    cache, assignment = small_course.copied(tmp_path / "killed")
    unharmed, same_assignment = small_course.copied(tmp_path / "unharmed")
    submissions = tmp_path / "submissions"
    hand_in(submissions, "Mia", small_course.reference, notebook__ipynb=notebook("print('Mia')"))
    hand_in(submissions, "Noah", small_course.reference)

    began = time.monotonic()
    assert grade(submissions, same_assignment, tmp_path / "once", unharmed).returncode == 0
    took = time.monotonic() - began

    out, log = tmp_path / "out", tmp_path / "log"
    arguments = (submissions, "--assignment", assignment, "--out", out, "--sandbox", "bubblewrap")
    draw = random.Random(19)
    moments = [draw.uniform(0.0, took / 3) for _ in range(KILLS)]
    kills = [killed_after(at, arguments, cache, log, number % 2 == 0) for number, at in enumerate(moments)]
    assert any(kills)
    done = grade(submissions, assignment, out, cache)
    assert done.returncode == 0, done.stderr

    assert (out / "grades.csv").read_bytes() == (tmp_path / "once" / "grades.csv").read_bytes()
    ran = ENDED.findall(log.read_text() + done.stderr)
    assert ran and len(ran) == len(set(ran))  # what had ended once was never done again


def test_why_names_the_stage_and_the_input_that_changed(small_course: Course, tmp_path: Path) -> None:
    cache, assignment = small_course.copied(tmp_path)
    submissions, out = tmp_path / "submissions", tmp_path / "out"
    hand_in(submissions, "Mia", small_course.reference, notebook__ipynb=notebook("print(1)"))
    options = ("--submissions", submissions, "--assignment", assignment, "--out", out, "--sandbox", "bubblewrap")
    assert "no run has ended there" in run_harness("why", "Mia", *options, cache=cache).stderr
    assert grade(submissions, assignment, out, cache).returncode == 0

    def why() -> str:
        asked = run_harness("why", "Mia", *options, cache=cache)
        assert asked.returncode == 0, asked.stderr
        return asked.stdout

    assert why() == "Mia: nothing would run again\n"
    (submissions / "Mia" / "notebook.ipynb").write_text(notebook("print(2)"))
    assert why().splitlines()[0] == "Mia: read would run again" and "changed" in why()
    assert "no submission" in run_harness("why", "nobody", *options, cache=cache).stderr
