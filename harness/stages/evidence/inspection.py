"""The stage `inspect`: a model's layers, and how its pre-trained layers changed."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Blob, Record

# What became of the pre-trained layers, by the weights and by whether the answers follow them.
WeightsSay = Literal["feature-extraction", "fine-tuned", "little-reused", "mixed", "from-scratch", "unknown"]

# How a layer's numbers were rounded: in half precision (float16, bfloat16), or to the steps of fewer bits.
Rounding = Literal["", "half", "quantised"]

# Evidence against the use of a backbone, from `harness/agent/graph/backbone_use.py`.
UseDoubt = Literal[
    "", "read-as-data", "not-carried", "no-effect", "activations-differ", "unusual-graph", "same-answers", "not-run",
    "shared",
]  # fmt: skip

# Adam moves a weight by at most about its learning rate in each step, and a backbone's weights are
# about 0.02 to 0.1 in size. Fine-tuning at 1e-5, which the course asks for, moves them in some hundred
# steps by 2 % or less; training at 1e-3 without freezing moves them by tens of percent.
LARGEST_FINE_TUNING = 0.05  # median relative change of the layers

# Share of a backbone's layers below which the rest of the model is more than a head. Half of a MobileNetV2, or VGG16
# without its last block, is feature extraction; the first blocks alone see edges and colours.
LEAST_REUSED = 0.25

FEWEST_BESIDE = 3  # layers that make another network; one or two are an adapter or a gate
FEWEST_ZEROS = 0.005  # share of a backbone's frozen weights that are zero, to be called pruned


class LayerComparison(Record):
    """One pre-trained layer compared with the model's."""

    name: str
    identical: bool  # as it was, apart from its `rounding` and what was set to zero
    relative_change: float | None  # |w - w0| / |w0|; None when no tensor of its size was found
    rounding: Rounding = ""
    zeros: float = 0.0  # share of its numbers that were set to zero
    clear: bool = True  # whether enough is left of its numbers to tell


class Inspection(Record):
    """A model's layers, and how its pre-trained layers changed.

    A layer with weights is frozen (its numbers are the backbone's up to layout, name, BatchNorm folding, rounding and
    zeros), moved, or new.
    """

    total_parameters: int
    trainable_parameters: int  # all but those of frozen layers
    multiply_adds: int | None  # for one image; 1 multiply-add = 2 operations; None for a model that is not ONNX
    file_bytes: int
    uncounted_operators: tuple[str, ...]
    weights_say: WeightsSay
    self_reported: bool = False  # the file's format runs the student's code, which could report anything
    backbone: str | None
    frozen_layers: int = 0
    moved_layers: int = 0
    new_layers: int = 0
    first_moved_layer: int | None = None  # 1-based, in the backbone's order
    layers: tuple[LayerComparison, ...] = ()
    weights_used: bool | None = None  # whether the answers depend on the backbone; None when not known
    why_unused: UseDoubt = ""  # evidence against use
    outputs: int = 0  # of the output layer
    outputs_fit: bool | None = None  # whether they are as many as the classes
    head_initialised_as: str = ""  # the usual initialisation that the output layer cannot be distinguished from
    scales_its_input: bool = False  # the graph begins with arithmetic on the pixels
    preprocessing_matches: bool | None = None  # with the backbone's; None if not declared, or in the graph
    weights_fingerprint: str = ""  # equal for equal numbers, whatever the tensors' names; empty without weights
    final_layer: Blob | None = None  # .npy float32, (outputs, inputs): from the last activations to the scores
    median_change: float | None = None  # of the layers' relative changes; None without a backbone
    reused_layers: int = 0  # of the backbone's, frozen or moved
    quantised_layers: int = 0  # of the frozen ones
    half_layers: int = 0  # of the frozen ones
    zeros: float = 0.0  # share of the frozen layers' weights that were set to zero
    new_parameters: int | None = None  # of no backbone; None where it is not known
    beside_layers: int = 0  # of another network, that sees the image and not through the backbone
    beside_parameters: int = 0
    normalisations: int = 0  # BatchNorms of frozen layers, folded or not
    moved_normalisations: int = 0  # of these, whose statistics are not the backbone's
