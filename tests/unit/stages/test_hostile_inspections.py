"""What `inspect` gets out of a sandbox is bounded and checked; and what the verdict follows from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import LABELS, context, conversion, staged

from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.inspect import inspect


def layers(*changes: float | None, used: bool | None = True, why: str = "") -> dict[str, Any]:
    compared = [
        {
            "name": f"features.{i}",
            "elements": 100,
            "identical": change == 0,
            "relative_change": change,
            "form": "",
            "zeros": 0.0,
            "clear": True,
        }
        for i, change in enumerate(changes)
    ]
    return {
        "layers": compared,
        "untouched_parameters": 100 * changes.count(0),
        "new_parameters": 50,
        "new_layers": 1,
        "beside_layers": 0,
        "beside_parameters": 0,
        "normalisations": 0,
        "moved_normalisations": 0,
        "used": used,
        "why_unused": why,
    }


def inspected(tmp_path: Path, backbones: dict[str, Any], model: dict[str, Any] | None = None, **changes: Any) -> Any:
    reply = {
        "parameters": 1000,
        "multiply_adds": 20,
        "uncounted": [],
        "weight_tensors": 5,
        "convolutions": 4,
        "structure": 1.0,
        "head_initialised_as": "",
        "scales_its_input": False,
        "backbones": backbones,
    } | changes
    place = context(tmp_path, {"inspection.json": json.dumps(reply).encode()})
    given = {name: tmp_path / f"{name}.pth" for name in ("vgg16", "mobilenet_v2")}
    return inspect(conversion(place.store, tmp_path, **(model or {})), given, staged(tmp_path), len(LABELS), place)


@pytest.mark.parametrize(
    ("changes", "verdict", "codes"),
    [
        ((0, 0, 0, 0), "feature-extraction", []),
        ((0, 0, 0, None), "feature-extraction", []),
        ((0, 0, 0, 0.2), "fine-tuned", []),
        ((0.01, 0.02, 0.01, 0.02), "fine-tuned", []),
        ((0.2, 0.3, 0.4, 0.3), "fine-tuned", ["no-layer-frozen"]),
        ((None, None, None, None), "from-scratch", ["trained-from-scratch"]),
    ],
)
def test_the_verdict_follows_from_the_layers(
    changes: tuple[float | None, ...], verdict: str, codes: list[str], tmp_path: Path
) -> None:
    result = inspected(tmp_path, {"vgg16": layers(*changes), "mobilenet_v2": layers(None, None, None)})
    assert isinstance(result, Done)
    assert result.value.weights_say == verdict
    assert result.value.backbone == (None if verdict == "from-scratch" else "vgg16")
    assert [f.code for f in result.findings] == codes


def test_layers_are_counted_as_frozen_moved_and_new(tmp_path: Path) -> None:
    value = inspected(tmp_path, {"vgg16": layers(0, 0, 0.01, 0.2, None)}).value
    assert (value.frozen_layers, value.moved_layers, value.new_layers) == (2, 2, 1)
    assert (value.first_moved_layer, value.total_parameters, value.trainable_parameters) == (3, 1000, 800)


def test_weights_that_the_answers_do_not_rest_on_are_no_transfer_learning(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"vgg16": layers(0, 0, 0, 0, used=False, why="not-carried")})
    value = result.value
    assert (value.weights_say, value.frozen_layers, value.trainable_parameters) == ("from-scratch", 0, 1000)
    assert [f.code for f in result.findings] == ["backbone-unused"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, False),
        ({"native": True}, True),
        ({"source_format": "whole_module"}, True),
        ({"source_format": "keras"}, False),
    ],
)
def test_what_a_format_that_runs_code_says_is_self_reported(
    changes: dict[str, Any], said: bool, tmp_path: Path
) -> None:
    value = inspected(tmp_path, {"vgg16": layers(0, 0, 0, used=None)}, model=changes).value
    assert value.self_reported is said


def test_a_backbone_whose_use_cannot_be_shown_is_named(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"vgg16": layers(0, 0, 0, 0, used=None, why="unusual-graph")})
    assert (result.value.weights_say, result.value.why_unused) == ("unknown", "unusual-graph")
    assert [f.code for f in result.findings] == ["backbone-use-unclear"]
    assert result.origin == "measured-inside"


def test_what_a_native_model_says_of_its_weights_is_self_reported(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"vgg16": layers(0, 0, 0, used=None)}, model={"native": True})
    assert result.origin == "self-reported"


def test_a_model_that_says_the_same_to_every_image_proves_nothing(tmp_path: Path) -> None:
    assert inspected(tmp_path, {"vgg16": layers(0, 0, 0, 0, used=None)}).value.weights_say == "unknown"


@pytest.mark.parametrize(
    ("convolutions", "structure", "verdict"),
    [(52, 1.9, "unknown"), (52, 1.02, "from-scratch"), (4, 3.0, "from-scratch")],
)
def test_a_backbone_that_is_not_known_here_is_not_called_trained_from_scratch(
    convolutions: int, structure: float, verdict: str, tmp_path: Path
) -> None:
    result = inspected(tmp_path, {"vgg16": layers(None, None, None)}, convolutions=convolutions, structure=structure)
    assert result.value.weights_say == verdict
    assert [f.code for f in result.findings] == (["trained-from-scratch"] if verdict == "from-scratch" else [])


@pytest.mark.parametrize(
    "changes",
    [{"parameters": -1}, {"multiply_adds": 2**60}, {"uncounted": ["x" * 100]}, {"layers": []}],
)
def test_an_inspection_that_is_not_as_agreed(changes: dict[str, Any], tmp_path: Path) -> None:
    assert isinstance(inspected(tmp_path, {}, **changes), Failed)


def changed(found: dict[str, Any], each: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The comparison with `changes`, and with `each` in every layer."""
    return found | {"layers": [layer | (each or {}) for layer in found["layers"]]} | changes


SAID: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "quantised": (changed(layers(0, 0, 0, 0), {"form": "quantised"}), "feature-extraction", ["backbone-quantised"]),
    "half": (changed(layers(0, 0, 0, 0), {"form": "half"}), "feature-extraction", ["backbone-in-half-precision"]),
    "pruned": (changed(layers(0, 0, 0, 0), {"zeros": 0.3}), "feature-extraction", ["backbone-pruned"]),
    "pruned to nothing": (
        changed(layers(0, 0, 0, 0), {"zeros": 0.95}), "unknown", ["backbone-compressed", "backbone-pruned"],
    ),
    "rounded beyond recognition": (
        changed(layers(0, 0, 0, 0), {"identical": False, "clear": False}), "unknown", ["backbone-compressed"],
    ),
    "statistics": (
        changed(layers(0, 0, 0, 0), normalisations=4, moved_normalisations=3), "feature-extraction",
        ["batchnorm-moved"],
    ),
    "the first layers only": (layers(0, 0, 0, *[None] * 10), "little-reused", ["backbone-little-reused"]),
    "a gate beside it": (changed(layers(0, 0, 0, 0), beside_layers=2), "feature-extraction", []),
    "a network beside it": (changed(layers(0, 0, 0, 0), beside_layers=3), "mixed", ["network-beside"]),
    "a network that decides as much": (
        changed(layers(0, 0, 0, 0, used=None, why="shared"), beside_layers=20), "mixed", ["network-beside"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_was_done_to_a_backbone_is_said(name: str, tmp_path: Path) -> None:
    found, verdict, codes = SAID[name]
    result = inspected(tmp_path, {"vgg16": found})
    assert isinstance(result, Done), result
    assert result.value.weights_say == verdict
    assert [f.code for f in result.findings] == codes


def test_weights_that_cannot_be_read_are_not_called_trained_from_scratch(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"vgg16": layers(None, None, None)}, convolutions=0, structure=None, unread_layers=52)
    assert result.value.weights_say == "unknown" and not result.findings


def test_a_backbone_that_nobody_asked_about_does_not_count(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"resnet": layers(0, 0, 0, 0)})
    assert isinstance(result, Done) and result.value.backbone is None


def test_a_backbone_in_use_comes_before_a_nearer_one_that_is_not(tmp_path: Path) -> None:
    """The other's layers are all there, unchanged, and the answers do not rest on them."""
    both = {"vgg16": layers(0, 0, 0, 0, used=False, why="no-effect"), "mobilenet_v2": layers(0.1, 0.2, 0.1, 0.1)}
    value = inspected(tmp_path, both).value
    assert (value.backbone, value.weights_say, value.weights_used) == ("mobilenet_v2", "fine-tuned", True)
    value = inspected(tmp_path, both | {"mobilenet_v2": layers(0.1, 0.2, 0.1, 0.1, used=None)}).value
    assert value.backbone == "mobilenet_v2"
    of_none = {"vgg16": (0.3, 0, 0, 0), "mobilenet_v2": (0, 0, 0, 0)}
    found = {name: layers(*moved, used=False, why="not-carried") for name, moved in of_none.items()}
    value = inspected(tmp_path, found).value
    assert (value.backbone, value.weights_used, value.frozen_layers) == ("mobilenet_v2", False, 0)


@pytest.mark.parametrize(
    ("changes", "recognised"),
    [
        ((0, 0, 0, *[None] * 20), True),  # three identical ones
        ((0, 0, *[None] * 20), False),
        ((0.1, 0.1, 0.1, *[None] * 9), True),  # a quarter of twelve
        ((0.1, 0.1, 0.1, *[None] * 13), False),  # three of sixteen
        ((0.1, 0.1, *[None] * 2), False),
    ],
)
def test_from_how_many_layers_on_a_backbone_is_recognised(changes, recognised: bool, tmp_path: Path) -> None:
    assert (inspected(tmp_path, {"vgg16": layers(*changes)}).value.backbone == "vgg16") == recognised


def test_layers_count_by_their_elements(tmp_path: Path) -> None:
    """One large layer that is near outweighs three small ones that are not."""
    small, large = layers(0.9, 0.9, 0.9, 0.0), layers(0.5, 0.5, 0.5, 0.5)
    for layer in small["layers"][:3]:
        layer["elements"] = 1
    assert inspected(tmp_path, {"vgg16": large, "mobilenet_v2": small}).value.backbone == "mobilenet_v2"


@pytest.mark.parametrize(
    ("convolutions", "structure", "verdict"),
    [(8, 1.4, "unknown"), (7, 9.0, "from-scratch"), (8, 1.39, "from-scratch"), (8, None, "unknown")],
)
def test_weights_that_look_pretrained_exactly(convolutions, structure, verdict: str, tmp_path: Path) -> None:
    found = {"vgg16": layers(None, None, None)}
    value = inspected(tmp_path, found, convolutions=convolutions, structure=structure).value
    assert value.weights_say == verdict


def test_layers_that_moved_are_counted_from_the_first(tmp_path: Path) -> None:
    value = inspected(tmp_path, {"vgg16": layers(0, 0, 0.2, 0, 0.4, None)}).value
    assert (value.frozen_layers, value.moved_layers, value.first_moved_layer) == (3, 2, 3)
    assert value.median_change == 0 and value.trainable_parameters == 1000 - 300
    assert (value.new_layers, value.total_parameters, value.multiply_adds) == (1, 1000, 20)


@pytest.mark.parametrize(("outputs", "fit"), [(3, True), (2, False), (4, False)])
def test_as_many_outputs_as_classes_fit(outputs: int, fit: bool, tmp_path: Path) -> None:
    assert inspected(tmp_path, {}, {"outputs": outputs}).value.outputs_fit is fit


def test_a_backbone_that_is_not_used_for_no_reason_is_not_as_agreed(tmp_path: Path) -> None:
    assert isinstance(inspected(tmp_path, {"vgg16": layers(0, 0, 0, used=False)}), Failed)


@pytest.mark.parametrize(
    ("model", "origin"),
    [
        ({"source_format": "torch_module", "detects": True}, "self-reported"),
        ({"source_format": "ssd_checkpoint", "detects": True}, "measured-inside"),
        ({"source_format": "ssd_onnx", "detects": True}, "measured-inside"),
        ({"source_format": "whole_module"}, "measured-inside"),
    ],
)
def test_a_graph_that_is_not_what_is_graded_earns_nothing_by_itself(
    model: dict[str, Any], origin: str, tmp_path: Path
) -> None:
    """A torch detector answers by its own code, which can write any graph: one with an untouched backbone, say."""
    result = inspected(tmp_path, {"vgg16": layers(0, 0, 0, 0)}, model)
    assert isinstance(result, Done) and result.origin == origin
