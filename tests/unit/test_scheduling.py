"""How tests that start sandboxes are dealt out to processes."""

from pathlib import Path

import pytest
from scheduling import SECONDS_FILE, as_text, next_unit, seconds_of_units, unit_of

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("test", "unit"),
    [
        ("test_a_row", "t.py"),
        ("test_a_model[docker]", "t.py docker"),
        ("test_a_model[docker-`.onnx` with softmax]", "t.py docker"),
        ("test_a_model[giant-runsc]", "t.py runsc"),
        ("test_a_model[one-bubblewrap-two]", "t.py bubblewrap"),
        ("test_docker_gives_the_same_grades", "t.py"),
        ("test_a_name[a docker container]", "t.py"),
    ],
)
def test_a_files_tests_stay_together_for_each_engine(test: str, unit: str) -> None:
    assert unit_of(f"t.py::{test}") == unit


def test_the_longest_begins_and_what_nobody_measured_before_it() -> None:
    waiting = {"short": "abc", "long": "a", "new": "a", "new and large": "ab"}
    seconds, order = {"short": 2.0, "long": 30.0}, []
    while waiting:
        order.append(next_unit(waiting, seconds))
        del waiting[order[-1]]
    assert order == ["new and large", "new", "long", "short"]


def test_times_are_read_as_they_are_written() -> None:
    assert as_text({"t.py": 3.4, "t.py docker": 60.0}) == "60 t.py docker\n3 t.py\n"
    assert seconds_of_units("60 t.py docker\n3 t.py\n") == {"t.py": 3.0, "t.py docker": 60.0}


def test_the_times_are_of_files_that_exist() -> None:
    units = seconds_of_units(SECONDS_FILE.read_text())
    assert units and [unit for unit in units if not (TESTS.parent / unit.split()[0]).is_file()] == []
