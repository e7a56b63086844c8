"""Which of torchvision's detectors a state dict belongs to, by its tensors' names and shapes, and for how many classes.

torchvision's own builders (torchvision/models/detection, BSD-3-Clause) make the network; no code of the student's does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..models.loaded_model import Unusable

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Network:
    """A builder in torchvision.models.detection, and what its state dicts hold."""

    builder: str
    marks: tuple[str, ...]  # tensors that it has
    lacks: tuple[str, ...]  # tensors that others with the same marks have
    head: str  # the tensor whose first side is the number of classes, background included, times the boxes of a cell
    boxes_a_cell: int

    def labels(self, shapes: Shapes) -> int | None:
        """The number of labels, background included, in a state dict of this network; None for any other."""
        if self.head not in shapes or any(mark not in shapes for mark in self.marks):
            return None
        if any(other in shapes for other in self.lacks):
            return None
        labels, left = divmod(shapes[self.head][0], self.boxes_a_cell)
        return labels if left == 0 and labels > 0 else None


_BOX, _CLASSES = "roi_heads.box_predictor.cls_score.weight", "head.classification_head.cls_logits.weight"
_RESNET, _MOBILENET = "backbone.body.layer1.0.conv1.weight", "backbone.body.0.0.weight"
_DEEPER_BOX_HEAD = "roi_heads.box_head.0.0.weight"  # of the second version
_NORMALISED = "head.classification_head.conv.0.1.weight"  # likewise
NETWORKS = (
    Network(
        "ssdlite320_mobilenet_v3_large",
        ("backbone.features.0.0.0.weight",),
        (),
        "head.classification_head.module_list.0.1.weight",
        6,
    ),
    Network(
        "ssd300_vgg16",
        ("backbone.scale_weight", "backbone.features.0.weight"),
        (),
        "head.classification_head.module_list.0.weight",
        4,
    ),
    Network("fasterrcnn_resnet50_fpn", (_RESNET,), (_DEEPER_BOX_HEAD,), _BOX, 1),
    Network("fasterrcnn_resnet50_fpn_v2", (_RESNET, _DEEPER_BOX_HEAD), (), _BOX, 1),
    # Its sibling for 320 pixels has the same tensors; this one sees more, and is the usual one.
    Network("fasterrcnn_mobilenet_v3_large_fpn", (_MOBILENET,), (), _BOX, 1),
    Network("retinanet_resnet50_fpn", (_RESNET,), (_NORMALISED,), _CLASSES, 9),
    Network("retinanet_resnet50_fpn_v2", (_RESNET, _NORMALISED), (), _CLASSES, 9),
)


def recognised(shapes: Shapes) -> tuple[Network, int] | None:
    """The network with such tensors, and its number of labels, background included; None where it is none of these."""
    for network in NETWORKS:
        if (labels := network.labels(shapes)) is not None:
            return network, labels
    return None


def built(state: Mapping[str, Any]) -> tuple[Any, int]:
    """The network of a state dict with the weights loaded, and its number of labels. Raises `Unusable`."""
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    found = recognised(shapes)
    if found is None:
        raise Unusable(
            "its weights are of no detector that is known here (torchvision's SSD300, SSDlite320, Faster R-CNN and "
            "RetinaNet); export it as ONNX, or hand in predict.py with predict(images)"
        )
    import torchvision

    network, labels = found
    build: Callable[..., Any] = getattr(torchvision.models.detection, network.builder)
    module = build(weights=None, weights_backbone=None, num_classes=labels)
    try:
        module.load_state_dict(dict(state))
    except RuntimeError as error:
        raise Unusable(
            f"its weights look like torchvision's {network.builder} for {labels} labels, but do not fit it; export it "
            "as ONNX, or hand in predict.py with predict(images)"
        ) from error
    return module.float().eval(), labels
