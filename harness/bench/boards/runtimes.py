"""The runtimes on boards that published tables name, as the latency model distinguishes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from harness.bench.boards.board import Board
from harness.stages.evidence.conversion import Precision

RuntimeName = Literal[
    "tensorrt", "tf-trt", "pytorch", "torchscript", "tensorflow", "onnxruntime-cuda", "opencv-cuda", "ncnn-vulkan",
    "ncnn-cpu", "mnn-cpu", "onnxruntime-cpu", "opencv-cpu", "tflite-cpu",
]  # fmt: skip
_UNFUSED = ("pytorch", "torchscript", "tensorflow")
CPU_RUNTIMES = ("ncnn-cpu", "mnn-cpu", "onnxruntime-cpu", "opencv-cpu", "tflite-cpu")

# Parts of framework names that no row here covers: a runtime's other processor, other kernels.
_OTHER = re.compile(
    r"\bdlas?\d?\b|(torch|tensorflow|\btf\b).*\bcpu\b|(tf-? ?lite|tensorflow lite|litert).*(gpu|delegate|nnapi)"
    r"|\bmnn\b.*(opencl|vulkan|cuda|gpu)|torch\.compile|inductor|dynamo|opencv.*(opencl|openvino)|rocm|directml"
)
# The first pattern that matches a framework's name in lower case decides.
_PATTERNS: tuple[tuple[str, RuntimeName], ...] = (
    (r"ncnn.*(vulkan|gpu)", "ncnn-vulkan"),
    (r"ncnn", "ncnn-cpu"),
    (r"\bmnn\b", "mnn-cpu"),
    (r"torch-?script|torch\.jit", "torchscript"),
    (r"tf-?trt", "tf-trt"),
    (r"tensorrt|torch2trt|\btrt|jetson[ -]inference", "tensorrt"),
    (r"tensorflow lite|tf-? ?lite|litert", "tflite-cpu"),
    (r"tensorflow|\btf\b", "tensorflow"),
    (r"opencv.*(cuda|gpu)", "opencv-cuda"),
    (r"opencv", "opencv-cpu"),
    (r"(onnx ?runtime|\bort\b|\bonnx\b).*(cuda|gpu)", "onnxruntime-cuda"),
    (r"onnx ?runtime|\bort\b|\bonnx\b", "onnxruntime-cpu"),
    (r"torch", "pytorch"),
)
# Runtimes that compute in the model's stored precision by default.
_FP32_BY_DEFAULT = frozenset(
    {"pytorch", "torchscript", "tensorflow", "onnxruntime-cpu", "opencv-cpu", "onnxruntime-cuda", "opencv-cuda"}
)
_TENSOR_FLOAT_32 = ("Ampere", "Ada", "Hopper", "Blackwell")  # generations of NVIDIA's GPUs
_GPU_PARALLELISM = 512.0  # the median of Jetsons' CUDA cores
_OPERATIONS_PER_CYCLE = 16  # of one core in fp32: two 128-bit units, a multiply-add is 2


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime, and its number of cores on the CPU (0: all)."""

    name: RuntimeName
    threads: int = 0

    @property
    def on_cpu(self) -> bool:
        return self.name in CPU_RUNTIMES

    @property
    def device(self) -> Literal["cpu", "gpu"]:
        return "cpu" if self.on_cpu else "gpu"

    @property
    def unfused(self) -> bool:
        """Whether the runtime runs every operator separately."""
        return self.name in _UNFUSED

    def __str__(self) -> str:
        return f"{self.name} ({self.threads} threads)" if self.threads else self.name


def find(framework: str) -> Runtime | None:
    """The runtime that a published table calls `framework`; None for an unknown one."""
    text = framework.lower().replace("_", " ")
    if _OTHER.search(text):
        return None
    name = next((name for pattern, name in _PATTERNS if re.search(pattern, text)), None)
    if name is None:
        return None
    threads = re.search(r"(\d+)[ -]*threads?", text)
    return Runtime(name, int(threads[1]) if threads and name in CPU_RUNTIMES else 0)


def precision(said: str, framework: str, runtime: Runtime) -> Precision | None:
    """The precision that a row states, else its runtime's default; None where it is not known."""
    for text in (said.lower(), framework.lower()):
        if re.search(r"int[- ]?8|i8\b", text):
            return "int8"
        if re.search(r"(?<!b)f(p|loat)?[- ]?16|half", text):
            return "fp16"
        if re.search(r"f(p|loat)?[- ]?32|\bfloat\b", text):
            return "fp32"
    return "fp32" if not said.strip() and runtime.name in _FP32_BY_DEFAULT else None


def peak(board: Board, runtime: Runtime, precision: Precision) -> float | None:
    """Operations per second that the board's GPU, or the cores in use, can do at most."""
    if not runtime.on_cpu:
        return board.gpu_peak(precision)
    if board.cpu_cores is None or board.cpu_max_ghz is None:
        return None
    cores = min(runtime.threads or board.cpu_cores, board.cpu_cores)
    wider = {"fp32": 1, "fp16": 2, "int8": 4}[precision]
    return cores * board.cpu_max_ghz * 1e9 * _OPERATIONS_PER_CYCLE * wider


def usable_peak(board: Board, runtime: Runtime, precision: Precision) -> float | None:
    """The same, with TensorFloat-32, which frameworks use for fp32 on GPUs from Ampere on, at half of fp16's rate."""
    published = peak(board, runtime, precision)
    if runtime.on_cpu or precision != "fp32" or published is None or board.generation not in _TENSOR_FLOAT_32:
        return published
    return max(published, (board.gpu_peak("fp16") or 0.0) / 2)


def parallelism(board: Board, runtime: Runtime) -> float:
    """How many results are computed at once; a kernel with fewer leaves a part of the processor idle.

    The same for all GPUs: with the number of their cores, a GPU with more of them at the same peak would be slower.
    """
    return float(4 * min(runtime.threads or 64, board.cpu_cores or 4)) if runtime.on_cpu else _GPU_PARALLELISM
