"""The stage `read_boxes`: reads an instructor's data set with boxes, in the sandbox and beside nothing else.

Annotations come from many tools and people, so XML, JSON, CSV and YAML are not parsed in the harness's own process.
The sandbox holds the instructor's images and boxes and no code but the agent's; it ends before any submission starts.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.findings import finding, sentence
from harness.stages.audit.images import Split
from harness.stages.audit.reply import MOST_IMAGES, BoxFaultKind, Name, of_all_parts
from harness.stages.context import Rejected, StageContext, failed, read_reply, usage
from harness.stages.evidence.audit import BoxFault, Layout
from harness.stages.evidence.box_reading import AnnotatedImage, BoxReading, ReadBox
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.stage import Stage

_MOST_PARTS = 50
_MOST_FAULTS = 1000  # of boxes, in all

_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Class = Annotated[int, Field(ge=0, lt=500)]
_Pixels = Annotated[int, Field(ge=1, le=1_000_000)]


class _Seen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    width: _Pixels
    height: _Pixels
    boxes: tuple[tuple[_Class, _Share, _Share, _Share, _Share, bool], ...] = Field(max_length=1000)
    left_out: int = Field(ge=0, le=10**9)


class _Row(BaseModel):
    """An image file; `seen` is None for one whose head cannot be read."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=1000)
    split: Split
    box_faults: tuple[tuple[BoxFaultKind, Name], ...] = Field(max_length=100)
    seen: _Seen | None


class _Part(BaseModel):
    """images-0.json and those that follow."""

    model_config = ConfigDict(extra="forbid")

    images: tuple[_Row, ...] = Field(max_length=MOST_IMAGES)


class _Said(BaseModel):
    """boxes.json, as `harness/agent/phases/read_boxes.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    layout: Layout = "class-folders"
    classes: tuple[Name, ...] = Field((), max_length=500)
    labels: tuple[Name, ...] | None = Field(None, max_length=500)
    parts: int = Field(0, ge=0, le=_MOST_PARTS)
    left_out: int = Field(0, ge=0)
    in_several: int = Field(0, ge=0)
    faults: tuple[Name, ...] = Field((), max_length=100)
    refused: str = Field("", max_length=1000)


def read_boxes(folder: Path, context: StageContext) -> StageResult[BoxReading]:
    """What is on the images in `folder`, which every user can read."""
    with tempfile.TemporaryDirectory(prefix="harness-boxes-") as made:
        outputs = Path(made)
        outcome = context.run("read_boxes", {}, {"dataset": folder}, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Reading the boxes", context.limits)
        try:
            said = read_reply(outputs, "boxes.json", _Said)
            if said.refused:
                unusable = finding("dataset-unusable", reason=said.refused)
                return Failed(status="rejected", reason=unusable.message, findings=(unusable,), usage=usage(outcome))
            value = _reading(said, outputs)
        except Rejected as rejected:
            reason = sentence("job-unusable", what="Reading the boxes", why=rejected.whole)
            return Failed(status="rejected", reason=reason, usage=usage(outcome))
    return Done(value=value, origin="measured-inside", usage=usage(outcome))


def _reading(said: _Said, outputs: Path) -> BoxReading:
    """The complete reply. Raises `Rejected` for one that does not hold together."""
    rows = of_all_parts(said.parts, lambda name: read_reply(outputs, name, _Part).images)
    names = [row.name for row in rows]
    for name in names:
        if not _is_below(name):
            raise Rejected(sentence("reply-no-name", path=name))
    if len(set(names)) != len(names):
        raise Rejected(sentence("reply-malformed", name="images-0.json"))
    return BoxReading(
        layout=said.layout,
        images=tuple(_image(row, row.seen, said.classes) for row in rows if row.seen is not None),
        unreadable=tuple(row.name for row in rows if row.seen is None),
        labels=said.labels,
        faults=said.faults,
        box_faults=tuple(
            BoxFault(picture=row.name, kind=kind, label=label) for row in rows for kind, label in row.box_faults
        )[:_MOST_FAULTS],
        in_several=said.in_several,
        left_out=said.left_out,
    )


def _image(row: _Row, seen: _Seen, classes: tuple[str, ...]) -> AnnotatedImage:
    boxes = []
    for label, left, top, right, bottom, ignored in seen.boxes:
        if label >= len(classes) or not (left < right and top < bottom):
            raise Rejected(sentence("boxes-no-boxes"))
        boxes.append(ReadBox(label=classes[label], left=left, top=top, right=right, bottom=bottom, ignored=ignored))
    return AnnotatedImage(
        name=row.name,
        width=seen.width,
        height=seen.height,
        split=row.split,
        boxes=tuple(boxes),
        left_out=seen.left_out,
    )


def _is_below(name: str) -> bool:
    """Whether the name is a path that leads to something below a folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name and path.parts != ()


@dataclass(frozen=True, slots=True)
class ReadBoxesRequest:
    """A data set's folder, and the hash of the names and contents of its files."""

    folder: Path
    sha256: str

    def key(self) -> str:
        """The content's identity, independent of its path."""
        return self.sha256


def _work(request: ReadBoxesRequest, context: StageContext) -> StageResult[BoxReading]:
    return read_boxes(request.folder, context)


READ_BOXES = Stage("read_boxes", BoxReading, _work)
