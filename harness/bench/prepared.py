"""What all models of a benchmark share: stage contexts, cores, images."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.bench.envelope import envelope
from harness.bench.machine.monitor import usable_cores
from harness.bench.request import Request
from harness.bench.results import Envelope, Unmeasured
from harness.bench.subjects import GivenImages, given_images
from harness.bench.timed_images import images_to_time
from harness.files.user_folders import default_folder
from harness.inputs import images
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.evidence.conversion import Conversion
from harness.stages.progress import Progress
from harness.stages.store import Store

SLOWEST = 3  # times a round's planned seconds, after which it ends with fewer queries
_MEMORY = 8 * 10**9  # bytes; for converting, and for timing outside an envelope
_OVERHEAD_SECONDS = 300  # of a round, beside the timed queries


@dataclass(slots=True)
class Run:
    """What all models of a run share, and what could not be measured so far."""

    request: Request
    cores: tuple[int, ...]
    envelope: Envelope | None
    converting: StageContext
    timing: StageContext
    given: GivenImages | None
    staged: StagedImages | None
    timed: StagedImages  # the images that queries cycle through
    calibration: StagedImages | None
    progress: Progress
    folder: Path  # of temporary files
    unmeasured: list[Unmeasured] = field(default_factory=list)
    opened: dict[str, Conversion] = field(default_factory=dict)  # by model, in fp32


@contextlib.contextmanager
def prepared(request: Request, sandbox: Sandbox, progress: Progress) -> Iterator[Run]:
    """The stage contexts and images of a run; its temporary files are removed afterwards."""
    given = given_images(request.images, calibrate="int8" in request.precisions) if request.images else None
    cores = usable_cores(request.cores)
    allowed = envelope(request.boards[0], len(cores)) if len(request.boards) == 1 else None
    if allowed:
        cores = cores[: allowed.cores]
    seconds = SLOWEST * request.effort.round_seconds + 6 * request.effort.warm_up_seconds + _OVERHEAD_SECONDS
    limits = ResourceLimits(wall_seconds=seconds, cell_seconds=60, memory=_MEMORY, cpus=len(cores))
    store = Store(default_folder())
    with TemporaryDirectory(prefix="harness-bench-") as temporary:
        scratch = Path(temporary)
        staged = images.stage(given.scored, scratch / "images") if given else None
        calibration = None
        if given and given.calibration:
            calibration = images.stage(given.calibration, scratch / "calibration")
        timing_limits = limits.model_copy(update={"memory": allowed.memory_bytes}) if allowed else limits
        yield Run(
            request,
            cores,
            allowed,
            StageContext(sandbox, store, limits),
            StageContext(sandbox, store, timing_limits),
            given,
            staged,
            images_to_time(staged, request.mode, scratch / "timed"),
            calibration,
            progress,
            scratch,
        )
