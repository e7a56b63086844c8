"""How long a run still takes, told from what has ended; moments are given, so nothing here measures time."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from harness.boundary.screen import Screen
from harness.cli.remaining import Remaining, in_words
from harness.cli.terminal import LiveProgress, PlainProgress, live_columns


def worked(remaining: Remaining, name: str, began: float, ended: float) -> None:
    remaining.started(name, began)
    remaining.worked_on(name)
    remaining.ended(name, ended)


def from_the_cache(remaining: Remaining, name: str, now: float) -> None:
    remaining.started(name, now)
    remaining.ended(name, now)


def test_nothing_is_said_before_a_few_have_ended() -> None:
    remaining = Remaining(10, 1)
    for n in range(2):
        worked(remaining, f"s{n}", 60 * n, 60 * n + 60)
        assert remaining.seconds(60 * n + 60) is None
    worked(remaining, "s2", 120, 180)
    assert remaining.seconds(180) == 7 * 60


def test_two_at_once_take_half_as_long() -> None:
    remaining = Remaining(11, 2)
    for n in range(3):
        worked(remaining, f"s{n}", 0, 60)
    assert remaining.seconds(60) == 8 * 60 / 2


def test_what_is_under_way_counts_by_how_far_it_is() -> None:
    remaining = Remaining(4, 2)
    for n in range(3):
        worked(remaining, f"s{n}", 0, 60)
    remaining.started("last", 100)
    assert remaining.seconds(145) == 15  # by itself: no second one can help it
    assert remaining.seconds(500) == 0  # none took as long


def test_one_that_takes_longer_than_most_is_as_those_that_did() -> None:
    remaining = Remaining(5, 1)
    for n, seconds in enumerate((10, 10, 10, 120)):
        worked(remaining, f"s{n}", 0, seconds)
    remaining.started("slow", 1000)
    assert remaining.seconds(1020) == 100


def test_those_that_an_earlier_run_did_say_nothing_of_the_others() -> None:
    """A run that goes on: 30 are kept. The first estimate is not a thirtieth of the truth."""
    remaining = Remaining(60, 1)
    for n in range(30):
        from_the_cache(remaining, f"kept{n}", n * 0.1)
    assert remaining.seconds(3) is None
    for n in range(8):
        worked(remaining, f"s{n}", 3 + 60 * n, 63 + 60 * n)
    assert remaining.seconds(483) == 22 * 60


def test_a_few_that_changed_do_not_stand_for_all_that_are_kept() -> None:
    """Three changed, then the kept ones pass: the estimate is gone with them."""
    remaining = Remaining(100, 1)
    for n in range(3):
        worked(remaining, f"s{n}", 60 * n, 60 * n + 60)
    for n in range(8):
        from_the_cache(remaining, f"kept{n}", 180)
    assert remaining.seconds(180) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "less than a minute left"),
        (29, "less than a minute left"),
        (31, "about 1 min left"),
        (170, "about 3 min left"),
        (59 * 60, "about 59 min left"),
        (60 * 60, "about 1 h left"),
        (127 * 60, "about 2 h 10 min left"),
        (118 * 60, "about 2 h left"),
    ],
)
def test_the_estimate_in_words(seconds: float | None, words: str) -> None:
    assert in_words(seconds, "timing") == words
    assert in_words(seconds, "examining") == (f"{words}, then timing" if words else "")


def test_a_log_says_what_is_left_in_both_phases() -> None:
    """Here each took no time at all, so less than a minute is left."""
    sent = io.StringIO()
    screen = Screen(width=200)
    screen.file = sent
    progress = PlainProgress(screen)
    assert isinstance(screen, Console)
    for phase in ("examining", "timing"):
        progress.begins(phase, 4, 1)
        for n in range(4):
            progress.submission_started(f"s{n}")
            progress.stage_started(f"s{n}", "convert")
            progress.stage_ended(f"s{n}", "convert", "ok", False)
            progress.submission_ended(f"s{n}")
    lines = [line for line in sent.getvalue().splitlines() if line.startswith("[")]
    assert lines[:2] == ["[1/4] s0", "[2/4] s1"]
    assert lines[4] == "[1/4] s0 (less than a minute left)"  # all are timed for about as long, so one tells
    assert lines[2] == "[3/4] s2 (less than a minute left, then timing)"
    assert lines[6] == "[3/4] s2 (less than a minute left)"
    assert re.search("^Timing 4 submissions, one at a time", sent.getvalue(), re.MULTILINE)


def test_the_clock_runs_through_every_phase_and_each_is_named() -> None:
    """Also while models are timed, after the bar of the phase before was full."""
    now = [0.0]
    with Progress(*live_columns(), console=Console(file=io.StringIO(), width=200), get_time=lambda: now[0]) as bars:
        progress = LiveProgress(bars)

        def line(at: float) -> str:
            now[0] = at
            shown = Console(width=200)
            with shown.capture() as captured:
                shown.print(bars.get_renderable())
            return captured.get()

        assert "Reading the submissions" in line(5) and "0:00:05" in line(5) and "?" not in line(5)
        progress.say("Training the reference (mobilenet_v2); this is done once ...")
        assert "Training the reference (mobilenet_v2)" in line(20)
        for phase in ("examining", "timing"):
            progress.begins(phase, 2, 1)
            for name in ("a", "b"):
                progress.submission_started(name)
                progress.stage_started(name, "benchmark")
                progress.stage_ended(name, "benchmark", "ok", cached=False)
                if (phase, name) == ("timing", "b"):
                    assert "Timing" in line(90) and "1/2" in line(90) and "0:01:30" in line(90)
                    assert "left" in line(90), "one that was timed tells how long the next takes"
                progress.submission_ended(name)
        progress.say("Writing the reports ...")
        assert "Writing the reports" in line(100) and "0:01:40" in line(100) and "/2" not in line(100)


def test_a_long_path_does_not_push_the_clock_off_a_narrow_terminal():
    screen = Console(file=io.StringIO(), width=80)
    with Progress(*live_columns(), console=screen, get_time=lambda: 0.0) as bars:
        LiveProgress(bars).say(
            f"Installing course into /home/somebody/.cache/harness/{'environments/' * 4}1fd2a8b6 ..."
        )
        screen.print(bars.get_renderable())
    assert "0:00:00" in screen.file.getvalue()
