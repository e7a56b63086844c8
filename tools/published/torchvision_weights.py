"""Lists torchvision's weights from its enumerations, and which of them each builder loads."""

from __future__ import annotations

import inspect
import re
from typing import Any

from harness.agent.torchvision_ops import declare_missing
from tools.published.toml import Entry

_MEBIBYTE = 1 << 20  # of meta["_file_size"]
_LICENCE = "BSD-3-Clause"  # the library's own; where weights have another, meta["license"] says so
_KINDS = {"detection": "detection", "quantization": "quantised", "": "classification"}
_TITLES = {"IMAGENET1K_V1": "", "COCO_V1": "", "IMAGENET1K_FBGEMM_V1": "", "IMAGENET1K_QNNPACK_V1": ""}


def entries() -> dict[str, Entry]:
    """Every weight for classification, quantised or not, and for detection."""
    declare_missing()
    from torchvision.models import get_model_builder, get_model_weights, list_models

    found: dict[str, Entry] = {}
    builders = [(name, get_model_builder(name)) for name in list_models()]
    known: dict[Any, str] = {}
    for name, builder in builders:
        group = _group(builder)
        if group not in _KINDS:
            continue  # segmentation, video, optical flow
        for member in get_model_weights(name):
            if member in known:
                continue
            known[member] = _name(name, member.name)
            found[known[member]] = _entry(name, member, _KINDS[group])
    asked: dict[str, list[str]] = {name: [] for name in found}
    for name, builder in builders:
        group = _group(builder)
        if group in _KINDS:
            for ask, member in _asks(name, group, builder, get_model_weights(name)):
                asked[known[member]].append(ask)
    for name, entry in found.items():
        entry["asked_as"] = list(dict.fromkeys(asked[name]))
    return found


def _group(builder: Any) -> str:
    parts = builder.__module__.removeprefix("torchvision.models.").split(".")
    return parts[0] if len(parts) > 1 else ""


def _name(builder: str, member: str) -> str:
    """The entry's name: `resnet50` for the first weights, `resnet50_v2` for the second, else with another suffix."""
    if member in _TITLES:
        return builder
    return f"{builder}_{re.sub(r'^(IMAGENET1K|COCO)_', '', member).lower()}"


def _entry(builder: str, member: Any, kind: str) -> Entry:
    meta = member.meta
    file = member.url.rpartition("/")[2]
    entry: Entry = {"file": file} | _hash(file)
    if size := meta.get("_file_size"):
        entry["bytes"] = round(size * _MEBIBYTE)
    entry["licence"] = meta.get("license", _LICENCE)
    entry["about"] = f"torchvision's {builder}, {member.name}"
    if kind != "classification":
        entry["kind"] = kind
    if kind != "detection":
        preset = member.transforms()
        entry["trained_on"] = {"colour": "RGB", "scale": 1 / 255, "mean": list(preset.mean), "std": list(preset.std)}
    return entry | {"sources": [{"url": member.url}], "asked_as": []}


def _hash(file: str) -> Entry:
    """The hash digits in the file name that torch checks (torch.hub's pattern); a name without them has no hash."""
    from torch.hub import HASH_REGEX

    found = HASH_REGEX.search(file)
    return {"sha256_prefix": found[1]} if found else {"no_hash": True}


def _asks(name: str, group: str, builder: Any, weights: Any) -> list[tuple[str, Any]]:
    """Pairs of a call, in the form of `asked.py`, and the member of the enumeration that it loads."""
    model = ".".join(filter(None, ["torchvision.models", group, name.removeprefix("quantized_")]))
    asks = [(f"{model}({alias})", member) for alias, member in weights.__members__.items()]
    asks += [(f"{model}(pretrained)", member) for member in _of_pretrained(builder)]
    backbone = inspect.signature(builder).parameters.get("weights_backbone")
    if backbone is not None and backbone.default is not None:
        asks.append((f"{model}(backbone)", backbone.default))
    return asks


def _of_pretrained(builder: Any) -> list[Any]:
    """What `pretrained=True` loads, by torchvision's decorator; with and without `quantize` if that matters."""
    decorated = builder.__wrapped__
    legacy = inspect.getclosurevars(decorated).nonlocals["weights"]["weights"][1]
    chosen = [legacy({"pretrained": True, "quantize": on}) for on in (True, False)] if callable(legacy) else [legacy]
    return [member for member in chosen if member is not None]
