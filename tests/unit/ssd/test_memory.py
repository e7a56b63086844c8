"""Views of images do not use up memory: what each needs for a moment is given back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
VIEWS = 96
# In a process of its own, whose memory is nobody else's. Without giving back it grows by some 1.5 MB for each view.
PROGRAM = """
import sys
import numpy as np, torch
from PIL import Image
from harness.agent.models.reference_training import _torchvision_models
from harness.agent.ssd.mobilenet_v2_ssd import MobileNetV2Ssd
from harness.agent.ssd.views import Example, seen

def megabytes():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024

torch.set_num_threads(1)
model = MobileNetV2Ssd(_torchvision_models().mobilenet_v2().features, 2)
image = Image.effect_noise((640, 480), 40).convert("RGB")
example = Example(image, np.array([[0.1, 0.1, 0.5, 0.5]], np.float32), np.array([1]))
seen(model, [example], 32, np.random.default_rng(1))
before = megabytes()
kept = seen(model, [example], int(sys.argv[1]), np.random.default_rng(1))
print((megabytes() - before - kept.low.numel() * 2 / 2**20) / len(kept))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_view_leaves_little_behind():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(VIEWS)], cwd=REPOSITORY, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5, "MB for each view"
