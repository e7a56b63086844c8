"""Lists jetson-inference's models for classification and detection, from data/networks/models.json.

It publishes neither hashes nor licences. Models without an address (NVIDIA's TAO, fetched by a script) are left out.
"""

from __future__ import annotations

import json
from pathlib import Path

from tools.published.toml import Entry

_KINDS = {"classification": "classification", "detection": "detection"}


def entries(models: Path) -> dict[str, Entry]:
    """Every model that has an address: an archive, with the model in Caffe's, UFF's or ONNX's format."""
    published = json.loads(models.read_text(encoding="utf-8"))
    return {
        f"jetson_{name.replace('-', '_')}": {
            "file": model["tar"],
            "no_hash": True,
            "licence": "not stated",
            "about": f"jetson-inference's {name}: {model['description']} ({model['model']} in the archive)",
            "kind": kind,
            "place": "download",
            "sources": [{"url": model["url"]}],
        }
        for section, kind in _KINDS.items()
        for name, model in published[section].items()
        if "url" in model
    }
