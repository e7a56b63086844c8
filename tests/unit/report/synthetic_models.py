"""What the stages could have found out about a model: scores, times, layers; drawn from a seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from synthetic_images import CLASSES, PER_CLASS

from harness.stages.evidence.benchmark import Benchmark, CheckedAnswers, Latency
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.evaluation import CalibrationBin, ClassScore, Evaluation, Mistake
from harness.stages.evidence.inspection import Inspection, LayerComparison
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob, Interval
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.robustness import OcclusionMap

_PREPROCESS = Preprocess(
    width=224,
    height=224,
    colour="RGB",
    scale=1 / 255,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    resize="shorter-side-crop",
    crop_fraction=0.875,
)


def drawn_answers(rng: np.random.Generator, accuracy: float, swapped: bool = False) -> np.ndarray[Any, Any]:
    """A predicted class for each image, wrong more often for neighbours in the alphabet."""
    truth = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
    wrong = rng.random(len(truth)) > accuracy
    answers = np.where(wrong, (truth + rng.choice([1, 1, 2, 4], len(truth))) % len(CLASSES), truth)
    if swapped:
        answers = np.array([1, 0, 2, 4, 3])[answers]
    return answers


def _wilson(right: int, total: int) -> Interval:
    z, share = 1.96, right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def _failures(accuracy: float, wrong: list[int]) -> dict[str, Any]:
    """What the stress stage and calibration add to a score."""
    costs = {"brightness": 0.04, "blur": 0.12, "noise": 0.2, "rotation": 0.16, "occlusion": 0.1, "colour-cast": 0.01}
    grid = np.exp(-((np.indices((8, 8)) - np.array([[[2.5]], [[4.0]]])) ** 2).sum(axis=0) / 6)
    return {
        "robustness": {n: {s: max(0.0, accuracy - c * s**0.5) for s in (1, 3, 5)} for n, c in costs.items()},
        "robustness_images": 40,
        "robustness_clean": accuracy,
        "unseen_auroc": 0.91,
        "unseen_images": 30,
        "unseen_confidence": 0.44,
        "unseen_source": "patterns",
        "calibration": tuple(
            CalibrationBin(images=8 * i, confidence=0.1 * i + 0.05, accuracy=max(0.0, 0.1 * i - 0.06))
            for i in range(4, 10)
        ),
        "occlusion_maps": tuple(
            OcclusionMap(
                image=image,
                label=CLASSES[2],
                confidence=0.93,
                least=0.41,
                seen_part=(0.06, 0.06, 0.94, 0.94),
                drops=tuple(tuple(round(0.5 * float(v), 4) for v in row) for row in grid),
            )
            for image in wrong[:3]
        ),
    }


def evaluation_of(
    answers: np.ndarray[Any, Any], reference: np.ndarray[Any, Any] | None, rng: np.random.Generator
) -> Evaluation:
    truth = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
    right = answers == truth
    confusion = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(confusion, (truth, answers), 1)
    wrong = [int(i) for i in np.flatnonzero(~right)]
    sure = sorted((float(rng.uniform(0.4, 0.999)) for _ in wrong), reverse=True)
    accuracy = float(right.mean())
    interval = _wilson(int(right.sum()), len(truth))
    compared: dict[str, Any] = {}
    if reference is not None:
        gain = right.astype(float) - (reference == truth)
        half = 1.96 * float(gain.std()) / math.sqrt(len(truth))
        difference = float(gain.mean())
        compared = {
            "reference_accuracy": float((reference == truth).mean()),
            "difference": difference,
            "difference_interval": (difference - half, difference + half),
            "mcnemar_p": min(1.0, 2 * math.exp(-abs(difference) * 60)),
        }
    return Evaluation(
        images=len(truth),
        classes=CLASSES,
        accuracy=accuracy,
        accuracy_interval=interval,
        balanced_accuracy=accuracy,
        balanced_accuracy_interval=interval,
        macro_f1=max(accuracy - 0.004, 0.0),
        macro_f1_interval=interval,
        log_loss=float(1.6 * (1 - accuracy) + 0.08),
        calibration_error=float(0.03 + 0.2 * (1 - accuracy)),
        per_class=tuple(
            ClassScore(
                name=name,
                images=PER_CLASS,
                precision=float(confusion[i, i] / confusion[:, i].sum()) if confusion[:, i].sum() else None,
                recall=float(confusion[i, i] / PER_CLASS),
            )
            for i, name in enumerate(CLASSES)
        ),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        confusion_other=(0,) * len(CLASSES),
        mistakes=tuple(
            Mistake(image=i, truth=CLASSES[truth[i]], predicted=CLASSES[answers[i]], confidence=c)
            for i, c in list(zip(wrong, sure, strict=True))[:12]
        ),
        **compared,
        **_failures(accuracy, wrong),
    )


def _latency(samples: np.ndarray[Any, Any], megabytes: float) -> Latency:
    p50, p90, p99 = (float(p) for p in np.percentile(samples, [50, 90, 99]))
    return Latency(
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        throughput_per_s=1000 / float(samples.mean()),
        queries=len(samples),
        peak_memory_bytes=int(megabytes * 1e6),
    )


def _timings(rng: np.random.Generator, milliseconds: float) -> np.ndarray[Any, Any]:
    return milliseconds * (1 + rng.gamma(2.0, 0.025, 256))


def benchmark_of(rng: np.random.Generator, milliseconds: float) -> Benchmark:
    samples, other = _timings(rng, milliseconds), _timings(rng, 11.8)
    model, reference = _latency(samples, 60 + milliseconds * 4), _latency(other, 96)
    ratio = model.p50_ms / reference.p50_ms
    return Benchmark(
        engine="onnxruntime 1.30.0 CPU",
        model=model,
        reference=reference,
        ratio=ratio,
        ratio_interval=(ratio * 0.97, ratio * 1.03),
        cpus=2,
        threads=2,
        warm_up_seconds=1,
        outputs_agree=True,
        answers=CheckedAnswers(checked=len(samples), different=0, largest_difference=3e-7),
        latencies_ms=tuple(float(s) for s in samples),
    )


def conversion_of(source_format: str, assumed: str = "") -> Conversion:
    return Conversion(
        model=Blob(name="model.onnx", sha256="0" * 64, bytes=9_100_000),
        native=False,
        source_format=source_format,
        layout="NCHW",
        input_dtype="float32",
        dynamic_batch=True,
        outputs=len(CLASSES),
        output_kind="logits",
        labels=CLASSES,
        preprocess=_PREPROCESS,
        assumed=assumed,
        max_abs_difference=3.1e-7,
        images_compared=16,
        opset=18,
    )


def inspection_of(verdict: str, rng: np.random.Generator) -> Inspection:
    if verdict == "from-scratch":
        return Inspection(
            total_parameters=1_240_325,
            trainable_parameters=1_240_325,
            new_layers=12,
            multiply_adds=84_000_000,
            file_bytes=4_980_112,
            uncounted_operators=(),
            weights_say="from-scratch",
            backbone=None,
        )
    frozen = 52 if verdict == "feature-extraction" else 0
    layers = tuple(
        LayerComparison(
            name=f"features.{i}.conv.{i % 3}.weight",
            identical=i < frozen,
            relative_change=0.0 if i < frozen else float(rng.uniform(0.02, 0.1) * (0.4 + i / 40)),
        )
        for i in range(52)
    )
    return Inspection(
        total_parameters=2_230_277,
        trainable_parameters=6_405 if frozen else 2_230_277,
        frozen_layers=frozen,
        moved_layers=52 - frozen,
        new_layers=1,
        first_moved_layer=None if frozen else 1,
        weights_used=True,
        outputs=5,
        outputs_fit=True,
        preprocessing_matches=True,
        multiply_adds=300_774_272,
        file_bytes=9_104_233,
        uncounted_operators=("NonMaxSuppression",) if verdict == "fine-tuned" else (),
        weights_say="feature-extraction" if frozen else "fine-tuned",
        backbone="mobilenet_v2",
        layers=layers,
        median_change=0.0 if frozen else 0.058,
    )


def reference_of(answers: np.ndarray[Any, Any]) -> Reference:
    rng = np.random.default_rng(1)
    return Reference(
        backbone="mobilenet_v2",
        conversion=conversion_of("exported"),
        predictions=some_predictions(),
        evaluation=evaluation_of(answers, None, rng),
        latency=_latency(_timings(rng, 11.8), 96),
        training_seconds=41.2,
        seed=1,
    )


def some_predictions() -> Predictions:
    return Predictions(
        probabilities=Blob(name="probabilities.npy", sha256="1" * 64, bytes=3_128),
        labels=CLASSES,
        images=PER_CLASS * len(CLASSES),
        seconds_per_image=0.014,
    )
