"""The stage `benchmark_detector`: a detector's latency beside the reference's, timed as `benchmark` times classifiers.

A query begins with an image in memory and ends with the boxes that a board would show. What is compared with the
reference is the time from the graph's input to these boxes: a graph that suppresses by itself does then the same work
as one that leaves it to the caller. The graph alone and the whole query are timed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from harness.findings import sentence
from harness.inputs.assignment.sections import BenchmarkRules
from harness.inputs.images import StagedImages
from harness.stages.benchmark import Subjects, beside_the_reference, check_inputs
from harness.stages.benchmark_reply import BenchmarkReply, BoxGroups, Role
from harness.stages.context import Rejected, StageContext, read_array, read_whole_numbers
from harness.stages.detection.reply import Rows
from harness.stages.detection.timed_boxes import counted, differing, far, sure_from
from harness.stages.evidence.benchmark import Benchmark, CheckedAnswers, TimedPartName
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.stage_result import NO_MODEL, Skipped, StageResult
from harness.stages.paired_ratio import Anchors
from harness.stages.stage import Stage
from harness.stages.timing_replies import TimedImages, model_request

# What a detector that was exported for this is read as.
_FAMILY = {"ssd_checkpoint": "ssd_onnx", "torch_module": "torchvision_onnx"}


@dataclass(frozen=True, slots=True)
class TimedDetector:
    """A detector as a graph, and its boxes for the held-out images."""

    conversion: Conversion
    answers: DetectorAnswers

    def request(self) -> dict[str, Any]:
        """The detector's part of the phase's request."""
        family = self.answers.description.family
        declared, measured = self.answers.preprocess, self.answers.scaling
        said = {
            "family": _FAMILY.get(family, family),
            "rule": declared.model_dump() if declared else None,
            "scaling": measured.model_dump() if measured else None,
            "void": list(self.answers.void),
            "named": self.answers.named,
            "counted": list(_counted(self.answers)),
        }
        return {**model_request(self.conversion), "detector": said}


@dataclass(frozen=True, slots=True)
class BenchmarkDetectorRequest:
    """A detector, the reference timed beside it, and the images of the queries. `anchors`: as for `benchmark`."""

    model: TimedDetector | None
    reference: TimedDetector | None
    staged: StagedImages
    rules: BenchmarkRules
    anchors: tuple[tuple[float, float], ...] = ()


def benchmark_detector(
    model: TimedDetector,
    reference: TimedDetector | None,
    staged: StagedImages,
    rules: BenchmarkRules,
    context: StageContext,
    anchors: Anchors = (),
) -> StageResult[Benchmark]:
    """The detector's timing beside the reference's. All timed boxes are compared with those of the stage `detect`."""
    if model.conversion.native:
        return Skipped(reason=sentence("native-not-timed"))
    timed: dict[Role, TimedDetector] = {"model": model}
    if reference is not None and not reference.conversion.native:
        timed["reference"] = reference
    subjects = Subjects(
        {role: one.conversion for role, one in timed.items()},
        {role: one.request() for role, one in timed.items()},
        partial(_checked, model.answers),
        staged,
        rules,
        context,
        cast(tuple[TimedPartName, ...], get_args(TimedPartName)),
    )
    return beside_the_reference(subjects, anchors)


def _checked(
    answers: DetectorAnswers, images: TimedImages, reply: BenchmarkReply, outputs: Path, context: StageContext
) -> CheckedAnswers:
    """The timed boxes, compared with those of the stage `detect`. Raises `Rejected`."""
    groups = reply.answers["model"]
    if not isinstance(groups, BoxGroups):
        raise Rejected(sentence("timed-other-queries"))
    check_inputs(groups, images, reply)
    if sum(groups.counts) + groups.others != sum(reply.processes["model"]):
        raise Rejected(sentence("timed-other-queries"))
    asked = [position for (position,) in images.asked([[place] for place in range(reply.images)])]
    timed = _timed_rows(groups, outputs)
    before = counted(_rows(answers, context), _counted(answers))
    return checked_boxes(groups, timed, [before.of(asked[image]) for image in groups.inputs])


def checked_boxes(groups: BoxGroups, timed: list[Rows], before: list[Rows]) -> CheckedAnswers:
    """Compare each group's boxes, `timed`, with what `detect` found in its image, `before`.

    Answers in no group differ.
    """
    sure = sure_from(list(dict(zip(groups.inputs, before, strict=True)).values()))  # of each image once
    apart = [far(one, other, sure) for one, other in zip(timed, before, strict=True)]
    differs = differing(groups.counts, apart)
    return CheckedAnswers(
        checked=sum(groups.counts) + groups.others,
        different=sum(count for count, off in zip(groups.counts, differs, strict=True) if off) + groups.others,
        largest_difference=1.0
        if groups.others
        else max(one.first if off else one.most for one, off in zip(apart, differs, strict=True)),
    )


def _counted(answers: DetectorAnswers) -> tuple[int, ...]:
    """The labels that stand for a class; boxes of others are in no score."""
    return tuple(label for label, index in enumerate(answers.meaning.taken) if index >= 0)


def _timed_rows(groups: BoxGroups, outputs: Path) -> list[Rows]:
    count = sum(groups.rows)
    boxes = read_array(outputs, "answers-boxes-model.npy", (count, 4))
    scores = read_array(outputs, "answers-scores-model.npy", (count,))
    labels = read_whole_numbers(outputs, "answers-labels-model.npy", (count,))
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise Rejected(sentence("boxes-no-boxes"))
    numbers = np.repeat(np.arange(len(groups.rows), dtype=np.int32), groups.rows)
    every = Rows(boxes, scores, labels, numbers)
    return [every.of(number) for number in range(len(groups.rows))]


def _rows(answers: DetectorAnswers, context: StageContext) -> Rows:
    """The boxes of the stage `detect`."""
    kept: Mapping[str, Any] = {
        part: np.load(context.store.path(getattr(answers.every, part)), allow_pickle=False)
        for part in ("boxes", "scores", "labels", "images")
    }
    return Rows(**kept)


def _benchmark_detector(request: BenchmarkDetectorRequest, context: StageContext) -> StageResult[Benchmark]:
    if request.model is None:
        return NO_MODEL
    return benchmark_detector(request.model, request.reference, request.staged, request.rules, context, request.anchors)


BENCHMARK_DETECTOR = Stage("benchmark", Benchmark, _benchmark_detector)
