"""The stage `detect`: a detector's boxes for the held-out images."""

from __future__ import annotations

from typing import Literal

from harness.inputs.environment_names import EnvironmentName
from harness.stages.evidence.conversion import Preprocess
from harness.stages.evidence.record import Blob, Interval, Record, Share


class DetectorDescription(Record):
    """What a detector takes and gives. Its input is (pixel * scale - mean) / std, channel by channel."""

    family: str  # the name of a module in harness/agent/detectors/families
    width: int | None  # of its input, in pixels; None: as large as the image
    height: int | None
    fit: Literal["stretch", "letterbox", "as-it-is"]
    colour: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    suppressed_inside: bool  # whether overlapping boxes are suppressed inside the model
    background_first: bool  # whether label 0 is the background
    labels: int | None  # how many the model counts, a background included; None where it does not say
    names: tuple[str, ...]  # of the labels, where the model's own metadata hold them
    scores: Literal["softmax-inside", "softmax-outside", "as-given"]
    boxes: Literal["corners", "offsets", "centre-size"]
    graph_agrees: bool  # whether the operators before the outputs say the same as the answers to images


class Scaling(Record):
    """How pixels become a detector's input, in place of what is declared or usual: (pixel * scale - mean) / std."""

    colour: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class ScalingFit(Record):
    """How many known objects a detector finds on training images, at its best score, as its pixels are scaled."""

    images: int
    objects: int  # that count
    ways: int  # other usual scalings that were tried
    own: str  # the scaling that is declared or usual, in words
    found: Share  # of the objects, with it
    ap50: Share | None
    best: str  # of all, the one with which most are found
    best_found: Share
    best_ap50: Share | None
    gain: Interval  # of the share found with the best over that found with its own, 95 %
    verdict: Literal["kept", "taken", "unclear"]  # `taken`: surely the best, so it is graded unless another is declared
    highest_ap50: Share | None  # of all ways, whatever the labels mean


class Suppression(Record):
    """How overlapping boxes were suppressed where the model does not do it."""

    score: float  # a box needs a higher one
    overlap: float  # intersection over union above which two boxes of a class count as one
    candidates: int  # of a class in an image


class Boxes(Record):
    """Boxes of some images, of each image the surest first. The rows of all files belong together."""

    count: int
    boxes: Blob  # .npy float32, shape (count, 4): left, top, right, bottom as shares of the image's sides
    scores: Blob  # .npy float32, shape (count,)
    labels: Blob  # .npy int32, shape (count,): as the model counts them
    images: Blob  # .npy int32, shape (count,), ascending: positions in the held-out set


class BoxFaults(Record):
    """How many boxes had a fault, over all images."""

    no_score: int = 0  # NaN or infinite; left out
    no_class: int = 0  # a label that the model does not have; left out
    too_many: int = 0  # less sure than the most that are kept of an image; left out
    no_box: int = 0  # became an empty box, which is a false alarm


class LabelMeaning(Record):
    """What a detector's labels mean: for each label an index of the course's classes, -1 for none and background."""

    as_named: tuple[int, ...]  # by labels.txt or the model's own names, as a board reads them
    taken: tuple[int, ...]  # what is graded
    measured: tuple[int, ...] | None = None  # what fits best on training images, where that is surely another
    seen: int = 0  # objects of training images that the detector found, by which was measured
    unsettled: bool = False  # nothing was declared, and training images do not show what is meant


class DetectorAnswers(Record):
    """A detector's boxes for the held-out images, at two operating points.

    `name` is the file as the student calls it, `model` its bytes; None where predict.py answers by itself.
    `harness/stages/detection/handed_in.py` makes the same detector of the fields up to `named`.
    """

    name: str = ""
    by_the_run: bool = False  # made by the notebook's run, not handed in
    model: Blob | None = None
    own: tuple[tuple[str, Blob], ...] = ()  # predict.py and what lies beside it, by the path from its folder
    data: tuple[tuple[str, Blob], ...] = ()  # an ONNX file's external data, by the location that it names
    preprocess: Preprocess | None = None  # as declared in handin.json
    scaling: Scaling | None = None  # as training images show it, where nothing is declared
    void: tuple[int, ...] = ()  # labels of the name `void`, which the board leaves out
    named: int = 0  # classes in labels.txt
    meaning: LabelMeaning = LabelMeaning(as_named=(), taken=())
    fit: ScalingFit | None = None  # None where other scalings were not tried
    scaling_unsettled: bool = False  # it is neither declared nor shown by training images, and could matter
    other: Boxes | None = None  # all boxes with a scaling that surely fits better than the declared one
    description: DetectorDescription
    environment: EnvironmentName
    suppression: Suppression
    every: Boxes  # all boxes, for average precision
    board: Boxes  # what jetson-inference's detectNet shows: sure ones, merged
    images: int
    seconds_per_image: float
    faults: BoxFaults
    asked_twice: int  # images that were repeated, at other positions
    largest_difference: float  # of a score or a corner, between the answers to one image; 1 where a box has no partner
    depends_on_order: bool
