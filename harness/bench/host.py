"""Describes the machine that a benchmark runs on."""

from __future__ import annotations

import platform
from pathlib import Path

from harness.bench.machine import fairness, tegrastats
from harness.bench.results import Host


def here(cores: tuple[int, ...]) -> Host:
    """This machine, and what makes its timing unfair. `cores`: the cores that models are pinned to."""
    model = Path("/proc/device-tree/model")
    return Host(
        processor=fairness.processor(),
        cores=cores,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        board=model.read_text(errors="replace").strip("\0 \n") if model.is_file() else "",
        power_mode=tegrastats.power_mode(),
        unfair=fairness.unfair(),
    )
