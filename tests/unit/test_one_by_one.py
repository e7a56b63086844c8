"""The guard itself: whose trouble an exception is, and which of many items something fails with."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from harness.boundary.one_by_one import Defect, attempt, for_each, together
from harness.errors import EngineFailed, EnvironmentMissing, MachineError, RunStopped


def raising(error: BaseException) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("x"),
        MemoryError(),
        RecursionError(),
        UnicodeEncodeError("utf-8", "\udc80", 0, 1, "surrogates"),
        EngineFailed("x"),
        EnvironmentMissing("x"),
        OSError("not of the system"),
        *(
            OSError(number, os.strerror(number))
            for number in (errno.ENAMETOOLONG, errno.EILSEQ, errno.ELOOP, errno.EACCES, errno.ENOTDIR, errno.EPERM)
        ),
    ],
    ids=repr,
)
def test_trouble_with_one_submission_is_a_defect(error: Exception):
    found = attempt("marking", raising(error))
    assert isinstance(found, Defect)
    assert found.finding.code == "harness-defect" and type(error).__name__ in found.finding.message


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENOMEM])
def test_the_machines_own_trouble_ends_the_run(number: int):
    with pytest.raises(MachineError) as caught:
        attempt("marking", raising(OSError(number, os.strerror(number))))
    assert caught.value.exit_status == 3


@pytest.mark.parametrize("error", [RunStopped("x"), MachineError("x"), KeyboardInterrupt()], ids=repr)
def test_the_end_of_the_run_is_the_end_of_the_run(error: BaseException):
    with pytest.raises(type(error)):
        attempt("marking", raising(error))


def test_a_real_name_that_is_too_long_is_trouble_with_that_submission(tmp_path: Path):
    assert isinstance(attempt("writing", lambda: (tmp_path / ("x" * 300)).write_text("")), Defect)


def test_a_defect_repeats_nothing_of_what_was_handed_in_to_the_student():
    found = attempt("marking", raising(ValueError("the label is mug")))
    assert isinstance(found, Defect)
    assert "mug" not in found.finding.message and "mug" in found.log


def test_a_validation_with_a_million_faults_is_not_written_out():
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")

    found = attempt("reading", lambda: Strict.model_validate({f"k{i}": 0 for i in range(100_000)}))
    assert isinstance(found, Defect) and "100000" in found.log and len(found.log) < 5_000


def test_each_is_tried_alone():
    done = for_each("dividing", [1, 0, 2], lambda n: 2 // n, lambda n, found: -1)
    assert done == [2, -1, 1]


def sums(bad: set[int], pairs: set[tuple[int, int]] = frozenset()) -> Callable[[list[int]], int]:
    """A sum that fails with some numbers, and with some pairs of them."""

    def do(numbers: list[int]) -> int:
        if bad & set(numbers) or any(a in numbers and b in numbers for a, b in pairs):
            raise ValueError("bad")
        return sum(numbers)

    return do


@pytest.mark.parametrize("bad", [set(), {0}, {9}, {4}, {3, 4}, {0, 5, 9}, set(range(10))], ids=str)
def test_of_many_those_are_left_out_with_which_it_fails(bad: set[int]):
    total, left_out = together("adding", range(10), sums(bad))
    assert set(left_out) == bad
    assert total == sum(set(range(10)) - bad)


@pytest.mark.parametrize("bad", [0, 4, 9])
def test_one_that_fails_with_every_other_is_left_out_and_not_the_others(bad: int):
    pairs = {(bad, other) for other in range(10) if other != bad}
    _, left_out = together("comparing", range(10), sums(set(), pairs))
    assert set(left_out) == {bad}


def test_two_that_fail_with_every_other_are_left_out_and_not_the_others():
    pairs = {(bad, other) for bad in (2, 5) for other in range(10) if other != bad}
    _, left_out = together("comparing", range(10), sums(set(), pairs))
    assert set(left_out) == {2, 5}


def test_where_only_a_pair_fails_both_are_left_out():
    _, left_out = together("comparing", range(10), sums(set(), {(2, 7)}))
    assert set(left_out) == {2, 7}


def test_one_is_found_in_a_large_class_with_few_tries():
    tries = 0

    def counted(numbers: list[int]) -> int:
        nonlocal tries
        tries += 1
        return sums({333})(numbers)

    together("adding", range(500), counted)
    assert tries < 20


def test_what_fails_for_nothing_is_said():
    with pytest.raises(RuntimeError, match="for no submission at all"):
        together("adding", range(3), lambda numbers: 1 // 0)


class Panic(BaseException):
    """As libraries that are written in Rust raise it (`pyo3_runtime.PanicException`): no `Exception`."""


def test_a_panic_of_a_library_is_a_defect_and_the_users_end_is_none():
    found = attempt("making its page", raising(Panic("index out of bounds")))
    assert isinstance(found, Defect) and "Panic" in found.where
    for end in (KeyboardInterrupt(), SystemExit(1)):
        with pytest.raises(type(end)):
            attempt("making its page", raising(end))
