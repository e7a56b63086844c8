"""Reads the latencies in `trtexec --exportTimes=FILE`, TensorRT's own timing of a model on a Jetson.

The file is a JSON list with one object for each inference; TensorRT's `samples/common/sampleReporting.cpp` writes
it, and its `tracer.py` names the fields: `latencyMs` is host-to-device, compute and device-to-host together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.bench.estimates import block_medians, median_interval
from harness.bench.results import Measurement
from harness.bench.rules import WIDEST_INTERVAL
from harness.bench.summary import early_stopped, thinned
from harness.errors import UsageError
from harness.files.hashing import file_sha256
from harness.stages.latency_statistics import nearest_rank

_LIMIT = 256 * 2**20  # bytes
_Ms = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Inference(BaseModel):
    model_config = ConfigDict(extra="ignore")

    # TensorRT 8 and later call them H2d and D2h, TensorRT 7 (JetPack 4) In and Out.
    startH2dMs: float = Field(validation_alias=AliasChoices("startH2dMs", "startInMs"), allow_inf_nan=False)
    endD2hMs: float = Field(validation_alias=AliasChoices("endD2hMs", "endOutMs"), allow_inf_nan=False)
    latencyMs: _Ms
    computeMs: _Ms


def is_times(file: Path) -> bool:
    """Whether a file is such a list, by its name: no model file ends in `.json`."""
    return file.suffix == ".json" and file.is_file()


def read(file: Path) -> Measurement:
    """The latencies in the file, as a measurement of a model with the file's name.

    trtexec times one inference after another with its own warm-up, so this is MLPerf's SingleStream except for the
    fresh processes. Raises `UsageError` when trtexec did not write the file.
    """
    do = "write it with: trtexec --onnx=MODEL.onnx --exportTimes=MODEL.json"
    try:
        if file.stat().st_size > _LIMIT:
            raise UsageError(f"{file}: larger than {_LIMIT} bytes", do)
        every = TypeAdapter(list[_Inference]).validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}", do) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"{file}: not trtexec's times: {where}: {first['msg']}", do) from error
    if len(every) < 2:
        raise UsageError(f"{file}: holds {len(every)} inferences", do)
    latencies = np.array([one.latencyMs for one in every])
    seconds = (max(one.endD2hMs for one in every) - min(one.startH2dMs for one in every)) / 1000
    compute = nearest_rank(np.array([one.computeMs for one in every]), 50)
    low, high = median_interval([latencies])
    stopped = early_stopped(latencies, 90)
    return Measurement(
        model=file.stem,
        sha256=file_sha256(file),
        engine="trtexec",
        described="TensorRT, by trtexec",
        precision="unknown",
        mode="model-only",
        self_reported=False,
        queries=len(every),
        seconds=seconds,
        p50_ms=nearest_rank(latencies, 50),
        p50_interval=(low, high),
        p90_ms=nearest_rank(latencies, 90),
        p99_ms=nearest_rank(latencies, 99),
        early_stopping=stopped,
        throughput_per_s=len(every) / seconds,
        valid=stopped.estimate_ms is not None,
        ended_by="interval" if (high - low) / float(np.median(latencies)) < WIDEST_INTERVAL else "limit",
        rounds=(),
        latencies_ms=tuple(thinned(latencies).tolist()),
        block_medians_ms=tuple(tuple(row) for row in block_medians([latencies]).tolist()),
        notes=(f"Timed by trtexec, not here. Of the median, {compute:.3g} ms are the GPU's, the rest is copying.",),
    )
