"""Rounds scores and times for a student: precise enough to judge a model, and too coarse to carry other data.

A model sees the held-out images and controls its answers and, in part, their latency. Exact numbers, single answers and
single latencies could therefore leak these images.
"""

from __future__ import annotations

from harness.stages.evidence.benchmark import Benchmark, Latency
from harness.stages.evidence.evaluation import Evaluation, PairedDifference
from harness.stages.evidence.record import Interval
from harness.stages.latency_statistics import significant

_MEMORY_STEP = 50_000_000  # bytes
_ONNX_ENGINE = "ONNX Runtime"  # the only engine that times submissions


def evaluation(score: Evaluation | None, show_held_out: bool) -> Evaluation | None:
    """The scores without lists of single images; shares are rounded to a tenth of a percent, as on the pages."""
    if score is None:
        return None
    return Evaluation(
        images=score.images,
        scenes=score.scenes,
        classes=score.classes,
        accuracy=round(score.accuracy, 3),
        accuracy_interval=_interval(score.accuracy_interval),
        balanced_accuracy=round(score.balanced_accuracy, 3),
        balanced_accuracy_interval=_interval(score.balanced_accuracy_interval),
        macro_f1=round(score.macro_f1, 3),
        macro_f1_interval=_interval(score.macro_f1_interval),
        log_loss=round(score.log_loss, 2),
        log_loss_interval=rounded_interval(score.log_loss_interval, 2),
        calibration_error=round(score.calibration_error, 3),
        calibration_error_interval=rounded_interval(score.calibration_error_interval),
        calibration_floor=rounded(score.calibration_floor, 3),
        per_class=tuple(
            one.model_copy(
                update={
                    "recall": round(one.recall, 3),
                    "precision": rounded(one.precision, 3),
                    "recall_interval": rounded_interval(one.recall_interval),
                    "precision_interval": rounded_interval(one.precision_interval),
                }
            )
            for one in score.per_class
        ),
        confusion=score.confusion,
        confusion_other=score.confusion_other,
        mistakes=score.mistakes if show_held_out else (),
        reference_accuracy=rounded(score.reference_accuracy, 3),
        difference=rounded(score.difference, 3),
        difference_interval=rounded_interval(score.difference_interval),
        mcnemar_p=rounded(score.mcnemar_p, 3),
        calibration=tuple(
            one.model_copy(update={"confidence": round(one.confidence, 2), "accuracy": round(one.accuracy, 2)})
            for one in score.calibration
        ),
        robustness={
            name: {severity: round(share, 3) for severity, share in shares.items()}
            for name, shares in score.robustness.items()
        },
        robustness_images=score.robustness_images,
        robustness_clean=rounded(score.robustness_clean, 3),
        unseen_auroc=rounded(score.unseen_auroc, 2),
        unseen_auroc_interval=rounded_interval(score.unseen_auroc_interval, 2),
        unseen_images=score.unseen_images,
        unseen_confidence=rounded(score.unseen_confidence, 2),
        unseen_source=score.unseen_source,
        occlusion_maps=score.occlusion_maps if show_held_out else (),
        remedies=tuple(
            one.model_copy(update={"accuracy": round(one.accuracy, 3), "would": round(one.would, 3)})
            for one in score.remedies
        ),
    )


def paired_difference(found: PairedDifference | None) -> PairedDifference | None:
    """The difference rounded to a tenth of a percentage point."""
    if found is None:
        return None
    interval = _interval(found.interval)
    return PairedDifference(value=round(found.value, 3), interval=interval, mcnemar_p=round(found.mcnemar_p, 3))


def benchmark(speed: Benchmark | None) -> Benchmark | None:
    """The summary to two figures, without single times, which may depend on the images."""
    if speed is None:
        return None
    return Benchmark(
        engine=_ONNX_ENGINE,
        model=_latency(speed.model),
        reference=None if speed.reference is None else _latency(speed.reference),
        ratio=rounded(speed.ratio, 2),
        ratio_interval=rounded_interval(speed.ratio_interval, 2),
        cpus=speed.cpus,
        threads=speed.threads,
        warm_up_seconds=round(speed.warm_up_seconds, 1),
        outputs_agree=speed.outputs_agree,
        clock=speed.clock,
    )


def _latency(timed: Latency) -> Latency:
    return Latency(
        p50_ms=significant(timed.p50_ms),
        p90_ms=significant(timed.p90_ms),
        p99_ms=significant(timed.p99_ms),
        throughput_per_s=significant(timed.throughput_per_s),
        queries=timed.queries,
        peak_memory_bytes=memory(timed.peak_memory_bytes),
    )


def memory(count: int) -> int:
    """Bytes rounded to steps of 50 MB."""
    return round(count / _MEMORY_STEP) * _MEMORY_STEP


def rounded(value: float | None, digits: int) -> float | None:
    """The value, if there is one."""
    return None if value is None else round(value, digits)


def _interval(interval: Interval, digits: int = 3) -> Interval:
    low, high = interval
    return round(low, digits), round(high, digits)


def rounded_interval(interval: Interval | None, digits: int = 3) -> Interval | None:
    """The interval, if there is one."""
    return None if interval is None else _interval(interval, digits)
