"""Evidence of one submission, as the stages would give it; tests change the part that they are about."""

from typing import Any

from harness.stages.evidence.benchmark import Benchmark, Latency
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.evaluation import ClassScore, Evaluation
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.evidence.submission import Evidence

BLOB = Blob(name="x", sha256="0" * 64, bytes=1)


def evaluation(**changes: Any) -> Evaluation:
    values: dict[str, Any] = {
        "images": 150,
        "classes": ("ball", "mug"),
        "accuracy": 0.9,
        "accuracy_interval": (0.85, 0.94),
        "balanced_accuracy": 0.9,
        "balanced_accuracy_interval": (0.85, 0.94),
        "macro_f1": 0.9,
        "macro_f1_interval": (0.85, 0.94),
        "log_loss": 0.3,
        "calibration_error": 0.05,
        "per_class": (ClassScore(name="ball", images=75, precision=0.9, recall=0.9),),
        "confusion": ((68, 7), (8, 67)),
        "confusion_other": (0, 0),
        "mistakes": (),
        "reference_accuracy": 0.92,
        "difference": -0.02,
        "difference_interval": (-0.06, 0.02),
        "mcnemar_p": 0.5,
    }
    return Evaluation(**{**values, **changes})


def benchmark(ratio: float | None = 1.2) -> Benchmark:
    latency = Latency(p50_ms=12.0, p90_ms=13.0, p99_ms=15.0, throughput_per_s=80.0, queries=64, peak_memory_bytes=10**8)
    return Benchmark(
        engine="onnxruntime CPU",
        model=latency,
        reference=latency if ratio else None,
        ratio=ratio,
        ratio_interval=(1.1, 1.3) if ratio else None,
        cpus=2,
        threads=2,
        warm_up_seconds=1.0,
        outputs_agree=True,
    )


def inspection(**changes: Any) -> Inspection:
    values: dict[str, Any] = {
        "total_parameters": 10,
        "trainable_parameters": 10,
        "multiply_adds": 10,
        "file_bytes": 10,
        "uncounted_operators": (),
        "weights_say": "feature-extraction",
        "backbone": "mobilenet_v2",
        "weights_used": True,
    }
    return Inspection(**{**values, **changes})


def conversion(**changes: Any) -> Conversion:
    pixels = Preprocess(width=64, height=64, colour="RGB", scale=1, mean=(0, 0, 0), std=(1, 1, 1), resize="stretch")
    values: dict[str, Any] = {
        "model": BLOB,
        "native": False,
        "source_format": "onnx",
        "layout": "NCHW",
        "input_dtype": "float32",
        "dynamic_batch": True,
        "outputs": 2,
        "output_kind": "logits",
        "labels": ("ball", "mug"),
        "preprocess": pixels,
        "max_abs_difference": 0.0,
        "images_compared": 8,
    }
    return Conversion(**{**values, **changes})


def execution(executed: int = 8, cells: int = 8) -> Execution:
    return Execution(notebook=BLOB, code_cells=cells, executed_cells=executed, errors=(), produced=())


def evidence(**changes: Any) -> Evidence:
    none = Skipped(reason="It was not done.")
    predictions = Predictions(probabilities=BLOB, labels=("ball", "mug"), images=150, seconds_per_image=0.01)
    values: dict[str, Any] = {
        "execute": Done(value=execution(), origin="measured-inside"),
        "audit": none,
        "convert": none,
        "predict": Done(value=predictions, origin="measured-inside"),
        "inspect": none,
        "evaluate": Done(value=evaluation(), origin="measured-outside"),
        "benchmark": Done(value=benchmark(), origin="measured-inside"),
    }
    return Evidence(**{**values, **changes})
