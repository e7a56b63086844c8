"""Code in the notebook that takes more than its share: stopped by a limit, and nothing of it is left."""

import psutil
import pytest
from sandboxed import Ran, limits


@pytest.mark.hostile(line=17, expected="L processes", runsc=True)
def test_a_fork_bomb_stays_in_its_sandbox(engine, got):
    before = len(psutil.pids())
    ran = Ran(engine, "while True:\n    try: os.fork()\n    except OSError: pass\n", limits(wall_seconds=5))
    assert ran.outcome.status in ("timeout", "memory")
    assert len(psutil.pids()) < before + 40
    got(f"{ran.outcome.status} after {ran.outcome.seconds:.0f} s")
