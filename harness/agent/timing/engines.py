"""The engines that run a timed model: ONNX Runtime with one of its providers, OpenVINO, or torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.onnx_model import session
from ..graph.onnx_running import engine_name, session_options
from ..models.loaded_model import Unusable
from ..paths import TMP
from ..phases.error_text import one_sentence
from .memory import peak_memory_bytes
from .own_code import OwnCode

_PROVIDERS = {  # ONNX Runtime's: name, package, options
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu, and TensorRT"),
}


class NotHere(Unusable):
    """This machine or sandbox does not have the engine; the model is not at fault."""


@dataclass(frozen=True, slots=True)
class Started:
    """An engine with the model loaded. `run` returns the outputs for a batch, in the model's order."""

    run: Callable[[NDArray[Any]], Sequence[NDArray[Any]]]
    described: str  # name, version and device
    cpu_seconds: Callable[[], float] = time.process_time  # so far, of all processes that run the model
    peak_memory_bytes: Callable[[], int] = peak_memory_bytes
    handover_ms: float | None = None  # transfer time of each query to and from the process of a model's own code


def start(engine: str, file: Path, request: dict[str, Any], threads: int) -> Started:
    """The engine with the model. Raises `NotHere`, naming the package, where it is not installed; else `Unusable`."""
    match engine:
        case "cpu":
            return _onnx_runtime(session(file, threads), "CPU")
        case "cuda" | "tensorrt":
            return _with_provider(engine, file, threads, fp16=request["precision"] == "fp16")
        case "openvino":
            return _openvino(file, threads)
        case "torch" | "torch-compiled":
            return _torch(request, threads, compiled=engine == "torch-compiled")
    raise ValueError(f"no engine {engine!r}")


def _onnx_runtime(running: Any, device: str) -> Started:
    name, run = running.get_inputs()[0].name, running.run
    return Started(lambda batch: run(None, {name: batch}), engine_name(device))


def _with_provider(engine: str, file: Path, threads: int, *, fp16: bool) -> Started:
    import onnxruntime

    provider, package = _PROVIDERS[engine]
    here = onnxruntime.get_available_providers()
    if provider not in here:
        raise NotHere(
            f"the engine {engine} needs the package {package}; the ONNX Runtime here offers only {', '.join(here)}"
        )
    settings = {"trt_fp16_enable": fp16, "trt_engine_cache_enable": True, "trt_engine_cache_path": str(TMP)}
    providers: list[Any] = [(provider, settings if engine == "tensorrt" else {})]
    if engine == "tensorrt":
        providers.append("CUDAExecutionProvider")
    try:
        running = onnxruntime.InferenceSession(
            str(file), session_options(threads), providers=[*providers, "CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise Unusable(f"ONNX Runtime refuses it with {provider}: {one_sentence(str(error))}") from error
    if running.get_providers()[0] != provider:  # without the device it falls back silently
        raise NotHere(
            f"{provider} is installed, but could not be started (a sandbox has no GPU: for models that you trust, "
            "give --sandbox none)"
        )
    return _onnx_runtime(running, provider.removesuffix("ExecutionProvider"))


def _openvino(file: Path, threads: int) -> Started:
    try:
        import openvino
    except ImportError as error:
        raise NotHere("the engine openvino needs the package openvino, which is not installed here") from error
    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # otherwise bfloat16 where the processor has it
    }
    try:
        request = core.compile_model(core.read_model(str(file)), "CPU", settings).create_infer_request()
    except RuntimeError as error:
        raise Unusable(f"OpenVINO refuses it: {one_sentence(str(error))}") from error

    def run(batch: NDArray[Any]) -> list[NDArray[Any]]:
        return [np.asarray(output) for output in request.infer([batch]).values()]

    return Started(run, f"openvino {openvino.__version__.split('-')[0]} CPU")


def _torch(request: dict[str, Any], threads: int, *, compiled: bool) -> Started:
    """The model as handed in, whose own code runs in a separate process that gets pixels."""
    if not OwnCode.is_installed():
        raise NotHere("the engine torch needs the package torch, which is not installed here")
    own = OwnCode(request, threads, compiled=compiled)
    return Started(own.run, own.described, own.cpu_seconds, own.peak_memory_bytes, own.handover_ms)
