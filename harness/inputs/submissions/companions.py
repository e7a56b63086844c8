"""Which files belong to a submission's model: the names of its classes, its declaration, the code that builds it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from harness.findings import Finding, finding
from harness.inputs.submission import Companion
from harness.inputs.submissions.parts import COMPANIONS, LABELS

OF_DATA_SET = "the data set's labels.txt"  # a role: it has the classes' order, but nothing of the model's labels
_PARTS_OF_VOC = ("Annotations", "ImageSets", "JPEGImages")
_EXACT, _ALMOST, _OTHER = range(3)  # as we ask for it; with another case or a suffix twice; as other tools call it
# What else people and tools call the names of classes: Keras' class_indices, torchvision's class_to_idx, Darknet's
# obj.names, Ultralytics' data.yaml.
_LABEL_STEMS = (
    "labels", "label", "classes", "class_names", "classnames", "class_labels", "class_indices", "class_to_idx",
    "idx_to_class", "label_names", "labelmap", "label_map", "categories",
)  # fmt: skip
_LABEL_SUFFIXES = (".txt", ".json", ".csv", ".names", ".yaml", ".yml")
_LABEL_NAMES = ("obj.names", "data.yaml", "data.yml")
COMPANION_NAMES = tuple(
    sorted({*COMPANIONS, *_LABEL_NAMES, *(f"{stem}{suffix}" for stem in _LABEL_STEMS for suffix in _LABEL_SUFFIXES)})
)
_HIDDEN_SUFFIX = re.compile(r"(\.(?:txt|json|py))\.(?:txt|json|py)$")  # Windows shows neither, so people add one
# What a browser adds to the second download, and Canvas to a file that comes again.
_COPY = re.compile(r"(?: ?\(\d+\)|-\d{1,2})(?=\.[a-z]+$)")


def belonging_to(model: Path, files: Sequence[Path]) -> tuple[tuple[Companion, ...], tuple[Finding, ...]]:
    """What belongs to the model at this path, of the submission's files, and findings where it is not beside it.

    Beside the model comes first; then the only file of its kind; then the only one a folder up or down.
    """
    found: list[Companion] = []
    findings: list[Finding] = []
    for role in COMPANIONS:
        candidates = [(how, file) for file in files if (how := called_like(file.name, role)) is not None]
        if role == LABELS and candidates:
            data_sets = {file.parent.parent for file in files if file.parent.name in _PARTS_OF_VOC}
            data_sets |= {file.parent.parent.parent for file in files if file.parent.parent.name in _PARTS_OF_VOC}
            of_data_set = [one for one in candidates if one[1].parent in data_sets - {model.parent}]
            candidates = [one for one in candidates if one not in of_data_set]
            if not candidates and (only := _only(of_data_set)):
                found.append(Companion(OF_DATA_SET, only))
        if not candidates:
            continue
        chosen = _chosen(model.parent, candidates)
        if chosen is None:
            names = ", ".join(sorted(str(file) for _, file in candidates))
            findings.append(finding("companion-unclear", what=role, names=names))
            continue
        found.append(Companion(role, chosen))
        if chosen != model.parent / role:
            findings.append(finding("companion-elsewhere", what=role, name=str(chosen)))
    return tuple(found), tuple(findings)


def is_called(name: str, role: str) -> bool:
    """Whether a file of this name may be the model's labels.txt, handin.json or model.py."""
    return called_like(name, role) is not None


def _chosen(folder: Path, candidates: list[tuple[int, Path]]) -> Path | None:
    beside = sorted((how, str(file), file) for how, file in candidates if file.parent == folder)
    if beside:
        return beside[0][2]
    near = [one for one in candidates if one[1].parent == folder.parent or one[1].parent.parent == folder]
    return _only(candidates) or _only(near)


def _only(candidates: list[tuple[int, Path]]) -> Path | None:
    """The one that is called best; None where several are."""
    best = min((how for how, _ in candidates), default=None)
    files = [file for how, file in candidates if how == best]
    return files[0] if len(files) == 1 else None


def called_like(name: str, role: str) -> int | None:
    """How well the name says that the file is this; None where it does not."""
    if name == role:
        return _EXACT
    plain = _COPY.sub("", _HIDDEN_SUFFIX.sub(r"\1", unicodedata.normalize("NFKC", name).strip().casefold()))
    if plain == role:
        return _ALMOST
    stem, dot, suffix = plain.rpartition(".")
    listed = stem.replace("-", "_").replace(" ", "_") in _LABEL_STEMS and dot + suffix in _LABEL_SUFFIXES
    return _OTHER if role == LABELS and (listed or plain in _LABEL_NAMES) else None
