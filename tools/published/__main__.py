"""`python -m tools.published`: write harness/inputs/weights/{torchvision,keras,jetson,datasets}.toml anew.

Needs the extra `torch`. `--tf-keras FOLDER`: an unpacked wheel of tf-keras, for the models that Keras 3 lacks;
`--jetson FILE`: data/networks/models.json of jetson-inference. A part without a given source is not changed.
`--check` writes nothing, and fails if a file would change.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools.published import datasets, jetson, keras_weights, torchvision_weights
from tools.published.toml import Entry, document

_FOLDER = Path(__file__).parents[2] / "harness" / "inputs" / "weights"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.published", description=__doc__)
    parser.add_argument("parts", nargs="*", help="of torchvision, datasets, keras, tf_keras, jetson; default: all")
    parser.add_argument("--tf-keras", type=Path)
    parser.add_argument("--jetson", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    read: dict[str, Callable[[], dict[str, Entry]]] = {
        "torchvision": torchvision_weights.entries,
        "datasets": datasets.entries,
        "keras": keras_weights.entries,
    }
    if given.tf_keras:
        read["tf_keras"] = partial(keras_weights.only_in_tf_keras, given.tf_keras)
    if given.jetson:
        read["jetson"] = partial(jetson.entries, given.jetson)
    changed = []
    for name in given.parts or read:
        entries = read[name]()
        file, text = _FOLDER / f"{name}.toml", document(entries)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            changed.append(file.name)
            if not given.check:
                file.write_text(text, encoding="utf-8")
        print(f"{file.name}: {len(entries)} files")
    print("changed:", ", ".join(changed) or "nothing")
    return 1 if given.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
