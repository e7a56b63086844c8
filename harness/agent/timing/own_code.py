"""A torch model whose own code runs, timed from outside: in a process of its own, by the clock of this one.

Its process never holds an image's file, nor the clock. Inputs go to it through memory that both share, since a pipe
takes 0.2 ms for one photograph and 3 ms for eight. What the way there and back takes is measured before its code is
loaded, and said beside the times; nothing is subtracted. Each question has a token of its own, so that no answer can
be given before it is asked.
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

_TRIES = 200  # of the way there and back
_TICKS = os.sysconf("SC_CLK_TCK")  # to a second of processor time


class OwnCode:
    """A torch model, ready to be asked."""

    def __init__(self, request: dict[str, Any], threads: int, *, compiled: bool) -> None:
        """Raises `Unusable`, or ends as the model's process does. torch must be installed."""
        if is_onnx(IN / "model"):
            raise Unusable("the engine torch needs a torch model; this one is onnx")
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # no spinning; read when the process loads its OpenMP
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
        """Its scores for a batch of float32, at most as large as a query's."""
        return [self._asked("timed answer", batch)]

    def cpu_seconds(self) -> float:
        """Processor time so far of this process and of the model's."""
        # After the name, which may hold anything, and 11 other fields: utime and stime.
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_memory_bytes(self) -> int:
        """The largest resident memory of the model's process so far."""
        return peak_memory_bytes(self._process.pid)

    def _handover(self, batch: NDArray[np.float32]) -> float:
        """Milliseconds, median, of a question that the model's process answers with zeros."""
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
