"""Threads of a job that wait sleep, but where a model is timed or trained."""

import pytest

from harness.sandbox.cores import thread_variables


@pytest.mark.parametrize("phase", ["benchmark", "timing", "layers", "execute", "train", "train_detector"])
def test_where_time_is_measured_or_training_goes_on_threads_wait_as_elsewhere(phase: str) -> None:
    assert set(thread_variables(2, phase).values()) == {"2"}


@pytest.mark.parametrize("phase", ["convert", "predict", "audit"])
def test_else_they_sleep_and_are_as_many_as_the_job_has_cores(phase: str) -> None:
    found = thread_variables(3, phase)
    assert found.pop("OMP_WAIT_POLICY") == "passive" and set(found.values()) == {"3"} and len(found) == 4
