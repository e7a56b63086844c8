"""Figures about the model's failures: the values of `templates/failures.html.j2`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from harness.report.charts import Scale, Tick
from harness.report.thumbnails import Thumbnails
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.robustness import OcclusionMap

_HEIGHT = 130.0
_LEFT, _RIGHT, _TOP = 17.0, 95.0, 10.0
_HIGHEST_SEVERITY = 5
_LEAST_SHADED = 0.02  # of a probability; less would not be visible


@dataclass(frozen=True, slots=True)
class WorseImages:
    """A score (accuracy or AP50) on unchanged images, and on the same made worse: corruption -> severity -> score."""

    clean: float | None
    by_corruption: Mapping[str, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    severity: int  # 0: the unchanged image
    score: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The score against severity for one corruption, and the reference's curve, empty if it has none."""

    corruption: str
    model: tuple[Dot, ...]
    reference: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    height: float
    base: float


@dataclass(frozen=True, slots=True)
class Fall:
    """How much the score drops under one corruption at its highest severity."""

    corruption: str
    severity: int
    score: float
    by: float  # from the score on the unchanged images


@dataclass(frozen=True, slots=True)
class Sure:
    """One bin of the reliability diagram."""

    x: float
    y: float
    right: float  # height of the diagonal
    images: int
    confidence: float
    accuracy: float
    size: float  # radius, pixels; the area is proportional to the images


@dataclass(frozen=True, slots=True)
class Reliability:
    bins: tuple[Sure, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    height: float
    base: float
    top: float


@dataclass(frozen=True, slots=True)
class Run:
    """Cells of the occlusion map beside each other that matter equally: `heat`, 1 to 5."""

    column: int  # of the first
    row: int
    cells: int
    heat: int


@dataclass(frozen=True, slots=True)
class Overlay:
    image: int
    thumbnail: str | None
    truth: str
    label: str
    confidence: float
    least: float
    right: bool
    view: tuple[float, float, float, float]  # the image's left, top, width and height in cells, rows at whole numbers
    runs: tuple[Run, ...]


def worse_images(score: Evaluation) -> WorseImages:
    """The accuracies of a classifier."""
    return WorseImages(score.robustness_clean, score.robustness)


def curves(model: WorseImages, reference: WorseImages | None) -> tuple[Curve, ...]:
    """One small chart for each corruption, all on the same axes."""
    base = _HEIGHT - 24.0
    across, up = Scale(0.0, _HIGHEST_SEVERITY, _LEFT, _RIGHT), Scale(0.0, 1.0, base, _TOP)

    def dots(of: WorseImages | None, corruption: str) -> tuple[Dot, ...]:
        if of is None or of.clean is None or corruption not in of.by_corruption:
            return ()
        whole = {0: of.clean, **of.by_corruption[corruption]}
        return tuple(
            Dot(across.at(severity), up.at(score), severity, score) for severity, score in sorted(whole.items())
        )

    return tuple(
        Curve(
            name,
            dots(model, name),
            dots(reference, name),
            tuple(Tick(across.at(v), v) for v in (0, 1, 3, 5)),
            tuple(Tick(up.at(v), v) for v in (0.0, 0.5, 1.0)),
            _HEIGHT,
            base,
        )
        for name in model.by_corruption
    )


def falls(model: WorseImages) -> list[Fall]:
    """The corruptions at their highest severity, the one that costs most first."""
    clean = model.clean
    if clean is None:
        return []
    worst = [(name, max(values), values[max(values)]) for name, values in model.by_corruption.items() if values]
    found = [Fall(name, severity, score, clean - score) for name, severity, score in worst]
    return sorted(found, key=lambda fall: -fall.by)


def reliability(score: Evaluation, height: float = 240.0) -> Reliability | None:
    """A reliability diagram: confidence on x, share of right answers on y; on the diagonal they agree."""
    if not score.calibration:
        return None
    base, top = height - 40.0, 12.0
    across, up = Scale(0.0, 1.0, 11.0, 97.0), Scale(0.0, 1.0, base, top)
    most = max(one.images for one in score.calibration)
    bins = tuple(
        Sure(
            across.at(one.confidence),
            up.at(one.accuracy),
            up.at(one.confidence),
            one.images,
            one.confidence,
            one.accuracy,
            round(3 + 6 * (one.images / most) ** 0.5, 1),
        )
        for one in score.calibration
    )
    return Reliability(bins, across.ticks(5), up.ticks(4), height, base, top)


def confidence_gap(score: Evaluation) -> float:
    """Mean confidence minus accuracy; above 0 the model is overconfident."""
    images = sum(one.images for one in score.calibration)
    return sum(one.images * (one.confidence - one.accuracy) for one in score.calibration) / images if images else 0.0


def confusion(score: Evaluation) -> tuple[str, str, int, int] | None:
    """The most frequent confusion: the class, the predicted class, how often, of how many images."""
    pairs = [
        (count, truth, predicted)
        for truth, row in enumerate(score.confusion)
        for predicted, count in enumerate(row)
        if truth != predicted and count
    ]
    if not pairs:
        return None
    count, truth, predicted = max(pairs, key=lambda pair: pair[0])
    images = sum(score.confusion[truth]) + score.confusion_other[truth]
    return score.classes[truth], score.classes[predicted], count, images


def overlays(score: Evaluation, truth: Mapping[int, str], thumbnail: Thumbnails) -> list[Overlay]:
    """The images with an occlusion map. `truth`: the classes of the misclassified ones; the others are right."""
    return [
        Overlay(
            look.image,
            thumbnail(look.image),
            truth.get(look.image, look.label),
            look.label,
            look.confidence,
            look.least,
            look.image not in truth,
            _view(look),
            _runs(look),
        )
        for look in score.occlusion_maps
    ]


def _view(look: OcclusionMap) -> tuple[float, float, float, float]:
    left, top, right, bottom = look.seen_part
    if not (look.drops and right > left and bottom > top):
        return 0.0, 0.0, 1.0, 1.0  # nothing is drawn
    width, height = len(look.drops[0]) / (right - left), len(look.drops) / (bottom - top)
    return -left * width, -top * height - 0.5, width, height


def _runs(look: OcclusionMap) -> tuple[Run, ...]:
    strongest = max((drop for row in look.drops for drop in row), default=0.0)
    if strongest < _LEAST_SHADED:
        return ()
    found = []
    for row, drops in enumerate(look.drops):
        column = 0
        for heat, cells in groupby(
            max(1, round(5 * drop / strongest)) if drop > 0.1 * strongest else 0 for drop in drops
        ):
            length = len(list(cells))
            if heat:
                found.append(Run(column, row, length, heat))
            column += length
    return tuple(found)
