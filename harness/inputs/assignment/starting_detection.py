"""What a new assignment has whose task is detection: its rubric, its limits, and folders in Pascal VOC's layout."""

from __future__ import annotations

from pathlib import Path

# Criterion -> its share of the points, and further keys.
RUBRIC = {
    "model_predicts": (0.10, ""),
    "ap_vs_reference": (
        0.45,
        "full_at = -0.05  # 5 points of 100 of AP50 below the reference\nzero_at = -0.60\n",
    ),
    "counts_right": (0.15, ""),
    "latency_vs_reference": (0.10, "full_at = 1.5      # times as long as the reference\nzero_at = 10\n"),
    "manual": (0.20, 'title = "Open questions"    # marked by a person: harness mark\n'),
}
FOLDERS = ("Annotations", "ImageSets/Main", "JPEGImages")  # of a data set, as camera-capture and CVAT write it
LABELS = "labels.txt"


def label_lists(classes: tuple[str, ...], *, has_held_out: bool) -> dict[Path, str]:
    """Relative path -> content of the lists of classes, without BACKGROUND, as `camera-capture` reads them."""
    parts = ["train"] if has_held_out else ["train", "heldout"]
    return {Path("data", part, LABELS): "".join(f"{name}\n" for name in classes) for part in parts if classes}


def parts(has_classes: bool) -> str:
    """What is handed in, and what it may take. A course's own notebook was run on a Jetson, and is read as it is."""
    execution = """\
[execution]
mode = "as-handed-in"          # training needs a Jetson's container; the report is read as it is

"""
    return f"""\
[handin]                       # required, optional or ignored
notebook = "{"optional" if has_classes else "required"}"
model = "required"             # ssd-mobilenet.onnx with its labels.txt, or another kind: docs/detection.md
dataset = "{"optional" if has_classes else "required"}"

[limits]                       # of one submission
wall_seconds = 600
memory = "4 GB"
cpus = 2

{execution if has_classes else ""}"""


def folders_in_words(*, has_held_out: bool) -> list[str]:
    """The beginning of the README's table of folders, and what lies in them."""
    what = "images that only you have, of other scenes, with their boxes: at least 30 objects of each class"
    held_out = [] if has_held_out else [f"| `data/heldout/` | {what} |"]
    return [
        'Both sets of images lie as `camera-capture` of jetson-inference and CVAT ("Pascal VOC 1.1") write them:',
        "",
        "- `JPEGImages/<id>.jpg`, and `Annotations/<id>.xml` with the boxes on it;",
        "- `labels.txt`: a class a line, without BACKGROUND. It is here already;",
        "- `ImageSets/Main/`: lists of ids, which training reads. The held-out folder needs none: all of it counts.",
        "",
        "COCO's JSON, YOLO's text files and Open Images' CSV are read as well.",
        "",
        "| folder | what to put there |",
        "|---|---|",
        "| `data/train/` | images with boxes that students train on: 25 to 50 of each class |",
        *held_out,
    ]
