"""What voids a round, and what a window of samples comes to."""

import time

import pytest

from harness.bench.machine import MachineState, Monitor, Window
from harness.bench.machine.monitor import _around, _Sample


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (MachineState(), ""),
        (MachineState(throttled=0, frequency_mhz=(2950, 3000), temperature_c=(40, 52)), ""),
        (MachineState(throttled=3), "ran out 3 times"),
        (MachineState(frequency_mhz=(2400, 3000)), "between 2400 and 3000 MHz"),
        (MachineState(temperature_c=(40, 70)), "from 40 to 70"),
    ],
)
def test_what_voids_a_round(state, said):
    assert said in state.void() and bool(said) == bool(state.void())


def test_samples_on_both_sides_of_the_window_are_taken():
    samples = [_Sample(at, None, None, None, at, 0.0) for at in range(10)]
    assert [s.at for s in _around(samples, Window(2.5, 5.5, 0))] == [2, 3, 4, 5, 6]


def test_a_busy_loop_of_our_own_is_not_another_program():
    with Monitor((0,)) as monitor:
        time.sleep(0.1)
        started, cpu = time.monotonic(), time.process_time()
        while time.monotonic() - started < 1.2:
            pass
        state = monitor.state(Window(started, time.monotonic(), time.process_time() - cpu))
    assert state.other_load is not None and state.stolen is not None
    assert state.power_mw is None, "no tegrastats here"
