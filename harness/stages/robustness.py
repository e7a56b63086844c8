"""The stage `stress`, robustness: answers to corrupted images, to images of no class, and with parts covered.

The sandbox corrupts the images, so a student's withheld images are never decoded outside. Labels stay outside. The
number of covered images is the same for every model, whatever its mistakes are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from harness.findings import sentence
from harness.inputs.assignment.sections import Robustness
from harness.inputs.images import HeldOutSet, Material, StagedImages, drawn_from
from harness.stages.context import (
    Rejected,
    StageContext,
    failed,
    read_array,
    read_reply,
    reject_refusal,
    usage,
)
from harness.stages.evaluate.failures import chosen, worst
from harness.stages.evaluate.labels import answered_right
from harness.stages.evaluate.stage import answers_of, truth_of
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob, Share
from harness.stages.evidence.robustness import OcclusionMap, RobustnessAnswers
from harness.stages.evidence.stage_result import NO_MODEL, Done, Skipped, StageResult
from harness.stages.predict import checked, model_request
from harness.stages.stage import Stage
from harness.stages.store import Store

_CELLS = 8  # per side of the grid of covered parts
_WINDOWS = (_CELLS - 1) ** 2
_PATTERNS = 30  # drawn patterns, if the assignment has no images of no class
_MULTIPLY_ADDS = 1e13  # for the corrupted images; MobileNetV2 takes 0.3e9 for each, VGG16 15.5e9
_FEWEST = 20  # images, however large the model
_SHARE = 0.8  # of the wall time; a slow model stops itself then


class _Reply(BaseModel):
    """robustness.json, as `harness/agent/phases/robustness.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    seen_parts: tuple[tuple[Share, Share, Share, Share], ...] = Field(max_length=12)


@dataclass(frozen=True, slots=True)
class Trial:
    """The images for the trial: `images` to corrupt, and `covered`, both as indices in the held-out set."""

    rules: Robustness
    images: tuple[int, ...]
    covered: tuple[int, ...]
    unseen: StagedImages | None

    @property
    def versions(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, severity) for name in self.rules.corruptions for severity in self.rules.severities)


def affordable(rules: Robustness, multiply_adds: int | None) -> int:
    """How many images are corrupted: fewer for a large model, the same in every run."""
    versions = 1 + len(rules.corruptions) * len(rules.severities)
    if not multiply_adds:
        return min(rules.images, _FEWEST)
    return min(rules.images, max(_FEWEST, int(_MULTIPLY_ADDS / (versions * multiply_adds))))


def trial(
    predictions: Predictions,
    held_out: HeldOutSet,
    rules: Robustness,
    images: int,
    unseen: StagedImages | None,
    store: Store,
) -> Trial:
    """The trial for a model: at most `images` images to corrupt, and its worst mistakes for occlusion maps."""
    answers, truth = answers_of(predictions, store), truth_of(held_out)
    right = answered_right(answers.probabilities, answers.labels, truth)
    covered = worst(answers.probabilities, right, rules.occlusion_maps)
    return Trial(rules, chosen(held_out.truth, images), covered, unseen)


def run_robustness(
    conversion: Conversion, trial: Trial, staged: StagedImages, context: StageContext
) -> StageResult[RobustnessAnswers]:
    """The model's answers, all from one sandbox. `Skipped` for a model that gives none in time."""
    request, inputs = model_request(conversion, context)
    material = {"images": drawn_from(staged, trial.images)}
    if trial.unseen is not None:
        material["unseen"] = drawn_from(trial.unseen)
    material["covered"] = drawn_from(staged, trial.covered)
    request |= {
        "versions": trial.versions,
        "patterns": 0 if trial.unseen else _PATTERNS,
        "cells": _CELLS,
        "seconds": context.limits.wall_seconds * _SHARE,
    }
    with tempfile.TemporaryDirectory(prefix="harness-robustness-") as folder:
        outputs = Path(folder)
        outcome = context.run("robustness", request, inputs, outputs, images=material)
        if outcome.status != "ok":
            return failed(outcome, "Trying the model on worse images", context.limits)
        try:
            reject_refusal(outputs)
            value = _result(conversion, trial, material, outputs, context)
        except Rejected as rejected:
            return Skipped(
                reason=sentence("not-tried-on-worse", why=rejected),
                detail=rejected.detail,
                usage=usage(outcome),
            )
    return Done(value=value, origin="measured-inside", usage=usage(outcome))


def _result(
    conversion: Conversion, trial: Trial, material: Mapping[str, Material], outputs: Path, context: StageContext
) -> RobustnessAnswers:
    labels = conversion.outputs
    reply = read_reply(outputs, "robustness.json", _Reply)
    if len(reply.seen_parts) != len(trial.covered):
        raise Rejected(sentence("answers-other-images"))
    unseen = len(trial.unseen.names) if trial.unseen else _PATTERNS
    shape = (1 + len(trial.versions), len(trial.images), labels)
    worse = (material["images"].restored(rows) for rows in _read(outputs, "corrupted.npy", shape))
    covered = material["covered"].restored(_read(outputs, "covered.npy", (len(trial.covered), 1 + _WINDOWS, labels)))
    seen_parts = material["covered"].restored(np.asarray(reply.seen_parts, np.float64).reshape(-1, 4))
    unseen_rows = _read(outputs, "unseen.npy", (unseen, labels))
    if "unseen" in material:
        unseen_rows = material["unseen"].restored(unseen_rows)
    return RobustnessAnswers(
        images=trial.images,
        versions=trial.versions,
        corrupted=_stored(worse, shape, "corrupted", outputs, context),
        unseen=_stored([unseen_rows], unseen_rows.shape, "unseen", outputs, context),
        unseen_source="folder" if trial.unseen else "patterns",
        labels=conversion.labels,
        occlusion_maps=_occlusion_maps(trial.covered, covered, seen_parts.tolist(), conversion.labels),
    )


def _read(outputs: Path, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    rows = read_array(outputs, name, shape)
    return checked(rows.reshape(-1, shape[-1])).reshape(shape)


def _occlusion_maps(
    images: Sequence[int],
    answers: NDArray[np.float32],
    seen_parts: Sequence[Sequence[float]],
    labels: Sequence[str],
) -> tuple[OcclusionMap, ...]:
    maps = []
    for image, rows, part in zip(images, answers, seen_parts, strict=True):
        label = int(rows[0].argmax())
        confidence = rows[:, label].astype(np.float64)
        drops = cell_drops(confidence[0] - confidence[1:], _CELLS)
        maps.append(
            OcclusionMap(
                image=image,
                label=labels[label],
                confidence=float(confidence[0]),
                least=float(confidence[1:].min()),
                seen_part=(part[0], part[1], part[2], part[3]),
                drops=tuple(tuple(round(float(v), 4) for v in row) for row in drops),
            )
        )
    return tuple(maps)


def cell_drops(drops: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """From the drop under each window of two by two cells to the mean drop over each cell.

    `drops`: shape ((cells - 1)²,), row by row. Shape of the result: (cells, cells).
    """
    windows = drops.reshape(cells - 1, cells - 1)
    total, count = np.zeros((cells, cells)), np.zeros((cells, cells))
    for down in (0, 1):
        for across in (0, 1):
            total[down : down + cells - 1, across : across + cells - 1] += windows
            count[down : down + cells - 1, across : across + cells - 1] += 1
    shares: NDArray[np.float64] = total / count
    return shares


def _stored(
    parts: Iterable[NDArray[np.float32]], shape: tuple[int, ...], name: str, outputs: Path, context: StageContext
) -> Blob:
    """Store an array part by part, so that with very many labels it is never whole in memory."""
    file = outputs / f"kept-{name}.npy"
    with file.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for part in parts:
            stream.write(np.ascontiguousarray(part, dtype="<f4").data)
    return context.store.put(file, f"{name}.npy")


@dataclass(frozen=True, slots=True)
class RobustnessRequest:
    """A model with its answers, the images to corrupt or cover, and images of none of its classes."""

    conversion: Conversion | None
    answers: Predictions | None
    held_out: HeldOutSet
    staged: StagedImages
    unseen: StagedImages | None
    rules: Robustness
    images: int  # at most this many are corrupted


def _robustness(request: RobustnessRequest, context: StageContext) -> StageResult[RobustnessAnswers]:
    if not request.rules.enabled:
        return Skipped(reason=sentence("not-asked"))
    if request.conversion is None or request.answers is None:
        return NO_MODEL
    tried = trial(request.answers, request.held_out, request.rules, request.images, request.unseen, context.store)
    return run_robustness(request.conversion, tried, request.staged, context)


ROBUSTNESS = Stage("stress", RobustnessAnswers, _robustness)  # results.json calls it so
