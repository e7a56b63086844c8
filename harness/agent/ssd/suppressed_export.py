"""An SSD's ONNX file with the suppression inside, as detectors of other tools have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from ..detectors.suppression import TRAINERS


def write_suppressed(plain: Path, file: Path) -> None:
    """The graph of one image that `export` wrote, ending in what `suppressed` gives by the trainer's settings.

    Outputs: `found_boxes` (objects, 4) corners relative to the image, `found_labels` (objects,) int64 from 1, and
    `found_scores` (objects,).
    """
    model = onnx.load(plain)
    _append_suppression(model)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def _append_suppression(model: ModelProto) -> None:
    graph = model.graph
    constants: dict[str, NDArray[Any]] = {
        "first_class": np.array([1], np.int64),
        "last_class": np.array([np.iinfo(np.int64).max], np.int64),
        "class_axis": np.array([2], np.int64),
        "candidates": np.array([TRAINERS.candidates], np.int64),
        "none": np.array(0, np.float32),
        "most_overlap": np.array([TRAINERS.overlap], np.float32),
        "least_score": np.array([TRAINERS.score], np.float32),
        "one": np.array(1, np.int64),
        "label_column": np.array(1, np.int64),
        "label_and_prior": np.array([1, 2], np.int64),
        "prior_column": np.array(2, np.int64),
        "first_image": np.array([0], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.extend(_suppression())
    del graph.output[:]
    make = helper.make_tensor_value_info
    graph.output.append(make("found_boxes", TensorProto.FLOAT, ["objects", 4]))
    graph.output.append(make("found_labels", TensorProto.INT64, ["objects"]))
    graph.output.append(make("found_scores", TensorProto.FLOAT, ["objects"]))


def _suppression() -> list[NodeProto]:
    """All but the 200 highest scores of a class become 0: the operator limits what it keeps, not what it compares."""
    node = helper.make_node
    return [
        node("Slice", ["scores", "first_class", "last_class", "class_axis"], ["class_scores"]),
        node("Transpose", ["class_scores"], ["by_class"], perm=[0, 2, 1]),
        node("TopK", ["by_class", "candidates"], ["surest", "surest_priors"], axis=2),
        node("Mul", ["by_class", "none"], ["zeros"]),
        node("ScatterElements", ["zeros", "surest_priors", "surest"], ["candidate_scores"], axis=2),
        node(
            "NonMaxSuppression",
            ["boxes", "candidate_scores", "candidates", "most_overlap", "least_score"],
            ["kept"],
        ),
        node("Gather", ["kept", "label_column"], ["kept_class"], axis=1),
        node("Add", ["kept_class", "one"], ["found_labels"]),
        node("Gather", ["kept", "prior_column"], ["kept_prior"], axis=1),
        node("Squeeze", ["boxes", "first_image"], ["image_boxes"]),
        node("Gather", ["image_boxes", "kept_prior"], ["found_boxes"], axis=0),
        node("Squeeze", ["by_class", "first_image"], ["image_scores"]),
        node("Gather", ["kept", "label_and_prior"], ["place"], axis=1),
        node("GatherND", ["image_scores", "place"], ["found_scores"]),
    ]
