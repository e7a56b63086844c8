"""What is said of a model's weights by themselves; `transfer_verdict.py` adds what needs the score."""

from __future__ import annotations

from harness.findings import Finding, backbone_doubt, finding
from harness.stages.evidence.inspection import FEWEST_BESIDE, FEWEST_ZEROS, LARGEST_FINE_TUNING, Inspection


def noticed(value: Inspection) -> tuple[Finding, ...]:
    found = []
    if value.uncounted_operators:
        found.append(finding("unknown-operators", detail=", ".join(value.uncounted_operators)))
    if value.weights_used is False:
        found.append(finding("backbone-unused", backbone=value.backbone, why=backbone_doubt(value.why_unused)))
    elif value.weights_say == "from-scratch":
        found.append(finding("trained-from-scratch"))
    elif _is_unclear(value):
        found.append(finding("backbone-use-unclear", backbone=value.backbone, why=backbone_doubt(value.why_unused)))
    elif value.backbone is not None and value.weights_used and value.weights_say == "unknown":
        found.append(finding("backbone-compressed", backbone=value.backbone))
    moved = value.median_change
    fine_tuned = value.weights_say == "fine-tuned" and value.frozen_layers == 0
    if fine_tuned and moved is not None and moved > LARGEST_FINE_TUNING:
        found.append(finding("no-layer-frozen", layers=len(value.layers), backbone=value.backbone, moved=moved))
    return (*found, *_of_the_backbone(value))


def _is_unclear(value: Inspection) -> bool:
    """Whether there is a reason to doubt that the answers rest on the backbone that was recognised."""
    asked = value.backbone is not None and value.weights_used is None and value.weights_say != "mixed"
    return asked and value.why_unused not in ("", "same-answers")


def _of_the_backbone(value: Inspection) -> tuple[Finding, ...]:
    """What was done to a recognised backbone's layers, and what stands beside them."""
    if value.backbone is None or value.weights_used is False:
        return ()
    found, backbone = [], value.backbone
    if value.quantised_layers:
        found.append(finding("backbone-quantised", layers=value.quantised_layers, backbone=backbone))
    if value.half_layers:
        found.append(finding("backbone-in-half-precision", layers=value.half_layers, backbone=backbone))
    if value.zeros >= FEWEST_ZEROS:
        found.append(finding("backbone-pruned", zeros=value.zeros, backbone=backbone))
    if value.moved_normalisations:
        moved, count = value.moved_normalisations, value.normalisations
        found.append(finding("batchnorm-moved", moved=moved, count=count, backbone=backbone))
    if value.weights_say == "little-reused":
        found.append(
            finding("backbone-little-reused", reused=value.reused_layers, layers=len(value.layers), backbone=backbone)
        )
    if value.beside_layers >= FEWEST_BESIDE:
        new, total = value.new_parameters or 0, max(1, value.total_parameters)
        found.append(
            finding("network-beside", layers=value.beside_layers, backbone=backbone, share=new / total, new=new)
        )
    return tuple(found)
