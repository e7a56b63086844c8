"""Times a torch model that runs its own code: it runs in a separate process, and this process has the clock.

The model's process holds neither image files nor the clock. It gets inputs through shared memory, since a pipe takes
0.2 ms for one photograph and 3 ms for eight. The transfer time is measured before the model's code is loaded and is
reported beside the latencies; it is not subtracted. Each request has a fresh token, so that no answer can be given
before its request.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import mmap
import os
import secrets
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.loaded_model import Unusable
from ..models.model_file import is_onnx
from ..models.own_process import OwnProcess
from ..models.student_model import StudentModel
from ..paths import IN
from .memory import peak_memory_bytes

_TRIES = 200  # of the transfer there and back
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100  # clock ticks per second of processor time


class OwnCode:
    """A torch model in a separate process, ready to be timed."""

    def __init__(self, request: dict[str, Any], threads: int, *, compiled: bool) -> None:
        """Raises `Unusable`, or exits as the model's process did. torch must be installed."""
        if is_onnx(IN / "model"):
            raise Unusable("the engine torch needs a torch model; this one is onnx")
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # no spinning; the process reads it when it loads OpenMP
        rule, together = request["rule"], request["dynamic_batch"]
        samples = request["scenario"]["samples_per_query"]
        batch = (samples if together else 1, 3, rule["height"], rule["width"])
        self._labels, size = request["labels"], 4 * math.prod(batch)
        shared = os.memfd_create("input")
        os.ftruncate(shared, size)
        self._memory = np.frombuffer(mmap.mmap(shared, size), np.float32)
        self._process = OwnProcess([shared])
        self._process.ask({"do": "share", "descriptor": shared, "bytes": size})
        os.close(shared)
        self.handover_ms = self._handover(np.zeros(batch, np.float32)) * (1 if together else samples)
        wanted = request["labels"], (rule["height"], rule["width"]), request["factory"], threads
        self._model = StudentModel(*wanted, process=self._process)
        self._process.ask({"do": "engine", "compiled": compiled})
        self.described = f"torch {importlib.metadata.version('torch')} {'compiled' if compiled else 'eager'} CPU"

    @staticmethod
    def is_installed() -> bool:
        return importlib.util.find_spec("torch") is not None

    def run(self, batch: NDArray[Any]) -> list[NDArray[Any]]:
        """The scores for a float32 batch, which is at most as large as a query."""
        return [self._asked("timed answer", batch)]

    def cpu_seconds(self) -> float:
        """Processor time so far, in seconds, of this process and the model's."""
        # utime and stime follow the name, which may hold any characters, and 11 other fields.
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_memory_bytes(self) -> int:
        """The peak resident memory of the model's process so far, in bytes."""
        return peak_memory_bytes(self._process.pid)

    def _handover(self, batch: NDArray[np.float32]) -> float:
        """The median time, in ms, of a request that the model's process answers with zeros."""
        spans = []
        for _ in range(_TRIES):
            begun = time.perf_counter_ns()
            self._asked("nothing", batch)
            spans.append((time.perf_counter_ns() - begun) / 1e6)
        return statistics.median(spans)

    def _asked(self, do: str, batch: NDArray[Any]) -> NDArray[Any]:
        self._memory[: batch.size] = batch.reshape(-1)
        token = secrets.randbits(64)
        said = {"do": do, "shape": batch.shape, "labels": self._labels, "token": token}
        reply, rows = self._process.ask(said)
        if reply.get("token") != token or rows is None:
            raise Unusable("the model's process answered something that it was not asked")
        return rows
