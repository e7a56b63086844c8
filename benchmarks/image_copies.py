"""How many altered copies of photographs are found, and which other photographs are taken for copies.

    python benchmarks/image_copies.py [--every N] [write]

Reads ../shared/data (or HARNESS_SHARED): 51 photographs of fruit and 296 of playing cards. Each kind of alteration
(altered_images.py) is made of every photograph; the copies are looked for among all originals and all these copies.
With `write`, the table replaces the one in docs/dataset.md. It takes half an hour on one core.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from altered_images import ALTERATIONS, altered
from numpy.typing import NDArray
from PIL import Image

from harness.agent.dataset.keypoints import sift
from harness.stages.audit.matching import detail, match
from harness.stages.audit.parts import is_altered, look_alike

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "dataset.md"
DATA = Path(os.environ.get("HARNESS_SHARED", ROOT.parent / "shared")) / "data"
START, END = "<!-- benchmarks/image_copies.py -->", "<!-- end -->"
KINDS = {"fruit": "fruit/classification", "playing cards": "playing-cards/train"}

Numbers = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sandbox sends of images: small grey ones and keypoints."""

    greys: Numbers
    keypoints: Numbers

    def one(self, index: int) -> tuple[Numbers, Numbers]:
        return self.greys[index], self.keypoints[index]


def seen(images: Iterator[Image.Image]) -> Seen:
    """As harness/agent/dataset/describing.py describes them."""
    extractor = sift()
    assert extractor is not None, "install OpenCV"
    greys, keypoints = [], []
    for image in images:
        small = image.convert("L")
        small.thumbnail((512, 512), Image.Resampling.BOX)
        keypoints.append(extractor(np.asarray(small)))
        greys.append(np.asarray(image.convert("L").resize((128, 128), Image.Resampling.BOX)))
    return Seen(np.stack(greys), np.stack(keypoints))


def photographs(folder: str, every: int) -> list[Image.Image]:
    files = sorted(file for file in (DATA / folder).rglob("*") if file.suffix.lower() == ".jpg")
    return [Image.open(file).convert("RGB") for file in files[::every]]


def joined(one: Seen, other: Seen) -> Seen:
    return Seen(np.concatenate([one.greys, other.greys]), np.concatenate([one.keypoints, other.keypoints]))


def copies_in(images: Seen) -> tuple[set[tuple[int, int]], int, float]:
    """Pairs of altered copies, how many pairs were compared, and the seconds that took."""
    began = time.process_time()
    pairs = set(look_alike(images.keypoints, np.arange(len(images.greys))))
    found = {(i, j) for i, j, flipped in pairs if is_altered(images.one(i), images.one(j), flipped)}
    return found, len(pairs), time.process_time() - began


def same_photograph(pairs: set[tuple[int, int]], images: Seen) -> dict[int, int]:
    """For each original a representative: the first of those that are copies of each other already."""
    first = {index: index for index in range(len(images.greys))}
    for i, j in sorted(pairs):
        old, new = sorted((first[i], first[j]), reverse=True)
        first = {index: new if one == old else one for index, one in first.items()}
    return first


def table(every: int) -> list[str]:
    originals = {kind: photographs(folder, every) for kind, folder in KINDS.items()}
    plain = {kind: seen(iter(images)) for kind, images in originals.items()}
    already = {kind: copies_in(images)[0] for kind, images in plain.items()}
    lines = [
        "| copies | " + " | ".join(f"{kind}, found" for kind in KINDS) + " | other photographs |",
        "|---|---|---|---|",
    ]
    compared, spent = 0, 0.0
    for name in ALTERATIONS:
        cells, wrong = [], 0
        for kind, images in originals.items():
            count = len(images)
            changed = seen(altered(name, image, index) for index, image in enumerate(images))
            found, pairs, seconds = copies_in(joined(plain[kind], changed))
            compared, spent = compared + pairs, spent + seconds
            by_detail = {
                (i, i + count)
                for i in range(count)
                if match(detail(plain[kind].greys[i]), detail(changed.greys[i])).copy
            }
            good = sum((i, i + count) in found | by_detail for i in range(count))
            first = same_photograph(already[kind], plain[kind])
            wrong += sum(first[i % count] != first[j % count] for i, j in found)
            cells.append(f"{good} of {count}")
        lines.append(f"| {name} | {' | '.join(cells)} | {wrong} |")
        print(lines[-1], flush=True)
    scope = "Of all photographs." if every == 1 else f"Of one photograph in {every}."
    said = ", ".join(f"{len(already[kind])} pairs of {kind}" for kind in KINDS)
    return [
        *lines,
        "",
        f"{scope} Among the originals, {said} are found. A pair took {1000 * spent / compared:.1f} ms of processor "
        "time, its part of the proposing included.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph only")
    parser.add_argument("write", nargs="?", choices=["write"])
    options = parser.parse_args()
    lines = table(options.every)
    print(*lines, sep="\n")
    if options.write:
        before, rest = PAGE.read_text(encoding="utf-8").split(START)
        after = rest.split(END, 1)[1]
        whole = itertools.chain([before + START, ""], lines, ["", END + after])
        PAGE.write_text("\n".join(whole), encoding="utf-8")


if __name__ == "__main__":
    main()
