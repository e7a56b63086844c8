"""The tables of assignment.toml as frozen types: the only place of every limit's unit, default and bounds.

The table `deadline` is in `deadline.py`, the rubric in `schema.py`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from harness.errors import nearest

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_LARGE_SEED = 1000
_RULES = Path(__file__).parents[2] / "agent" / "notebook" / "rules"  # their names only; nothing is imported


def _to_bytes(value: object) -> object:
    """`"4 GB"`, `"512 MiB"` or a whole number of bytes -> bytes."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]i?B|B)\s*", value, re.IGNORECASE)
    if match is None:
        raise ValueError("a size is a number with B, KB, MB, GB, KiB, MiB or GiB, for example '4 GB'")
    return int(float(match[1]) * _UNITS[match[2].upper()])


Bytes = Annotated[int, BeforeValidator(_to_bytes)]


class Section(BaseModel):
    """Base of all tables: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Part = Literal["required", "optional", "ignored"]


class HandIn(Section):
    """The parts of a submission. A missing `required` part is an error finding; an `ignored` part is not read."""

    notebook: Part = "optional"
    model: Part = "optional"
    dataset: Part = "optional"


def _known_rules(switches: dict[str, bool]) -> dict[str, bool]:
    known = sorted(file.stem for file in _RULES.glob("[a-z]*.py"))
    for name in switches:
        if name not in known:
            raise ValueError(f"there is no rule {name!r}; {nearest(name, known)}")
    return switches


class ExecutionRules(Section):
    """How a notebook is graded: run again, read as it was handed in, or both and compared."""

    mode: Literal["rerun", "as-handed-in", "both"] = "rerun"
    on_cell_error: Literal["stop", "continue"] = "stop"
    environments: tuple[Literal["torch", "keras"], ...] = Field(
        ("torch", "keras"), min_length=1, description="in which a notebook may run; its imports decide"
    )
    requirements: Path | None = Field(None, description="a requirements.txt of the course: its own environment")
    rules: Annotated[dict[str, bool], AfterValidator(_known_rules)] = Field(
        {}, description="switches of the rules that change a notebook before it runs (docs/notebooks.md)"
    )


class NotebookParts(Section):
    """The parts that a notebook should have, found by heading or by nbgrader's cells."""

    steps: tuple[str, ...] = Field((), max_length=60)
    questions: tuple[str, ...] = Field((), max_length=60)


class Dataset(Section):
    """The training images that a notebook gets: in class folders, or with boxes as the tools write them."""

    path: Path | None = Field(None, description='not needed where held_out.mode is "withhold"')
    mounted_as: str = Field(
        "data/train", description="the path under which notebooks find these images, relative to the notebook"
    )
    names: tuple[str, ...] = Field((), max_length=60, description="other paths under which notebooks look for it")
    layout: Literal["auto", "classes", "split", "flat", "as-it-is"] = Field(
        "auto",
        description="how it lies at these places: class folders, below train and validation, in one folder, or as it "
        "is, which is the only one for detection",
    )

    @model_validator(mode="after")
    def _stays_inside(self) -> Dataset:
        parts = Path(self.mounted_as).parts
        if not parts or Path(self.mounted_as).is_absolute() or ".." in parts:
            raise ValueError("mounted_as is a relative path without '..'")
        return self


class OwnDataset(Section):
    """Requirements on a student's own data set, and how a part of it is withheld."""

    min_classes: int = Field(3, ge=1, le=1000)
    max_classes: int = Field(10, ge=1, le=1000)
    # 8 to grade on and at least as many to train on; a course usually asks for more.
    min_images_per_class: int = Field(16, ge=1, le=100_000, description="readable ones")
    withhold_fraction: float = Field(0.2, gt=0, le=0.5, description="of each class")
    withhold_per_class: int = Field(8, ge=1, le=10_000, description="at least, but never more than half")
    seed: int = Field(1, ge=0, description="of the split")
    allowed_files: tuple[str, ...] = Field((), description="files of the submission that the rerun may use too")
    too_slow: Literal["stop", "fewer-epochs"] = Field("stop", description="for a rerun that does not finish in time")
    rerun_seconds: float | None = Field(None, gt=0, le=86_400, description="in place of limits.wall_seconds")

    @model_validator(mode="after")
    def _in_order(self) -> OwnDataset:
        if self.min_classes > self.max_classes:
            raise ValueError("min_classes is more than max_classes")
        return self

    @property
    def can_be_guessed(self) -> bool:
        """Whether students can find out which images are withheld: the seed is the default, or one of few."""
        return self.seed < _LARGE_SEED


HeldOutMode = Literal["shared", "withhold", "both"]


class HeldOut(Section):
    """The images that a submission is graded on: the instructor's, or some withheld from the student's own."""

    mode: HeldOutMode = Field("shared", description="whose images: the instructor's, the student's own, or both")
    path: Path | None = Field(
        None, description='class folders, or for detection images with boxes; not needed where mode is "withhold"'
    )
    accept_repeated: tuple[str, ...] = Field(
        (), description="images in it that may repeat training images, which each grade then says: `class/image.jpg`"
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _both_as_a_list(cls, value: object) -> object:
        return "both" if isinstance(value, list) and sorted(map(str, value)) == ["shared", "withhold"] else value

    @model_validator(mode="after")
    def _has_shared_images(self) -> HeldOut:
        if self.mode != "withhold" and self.path is None:
            raise ValueError(f'path is missing: mode = "{self.mode}" grades on its images')
        return self


# Those of harness/agent/models/reference_training.py, which needs torch to be imported; a test compares them.
BACKBONES = ("efficientnet_b0", "mobilenet_v2", "resnet18", "resnet50", "vgg16", "vgg16_notop_caffe")
# Those of harness/agent/ssd/starts.py.
DETECTOR_BACKBONES = ("mobilenet_v2", "ssd_mobilenet", "vgg16", "vgg16_notop_caffe")


class ReferenceSolution(Section):
    """The solution that everyone is compared with."""

    code: Path | None = Field(
        None, description="your own: a Python file with train(train_dir, out_dir, *, backbone, weights, seed, ...)"
    )
    backbone: str = Field(
        "mobilenet_v2",
        description=f"without code one of {', '.join(BACKBONES)}; for detection of {', '.join(DETECTOR_BACKBONES)}",
    )
    weights: str = Field("", description="name in the weights manifest; the backbone's name by default")
    seed: int = 1
    fine_tune_epochs: int = Field(0, ge=0, le=1000)
    wall_seconds: float = Field(1800, gt=0, le=86_400, description="for its training")

    @model_validator(mode="after")
    def _knows_its_backbone(self) -> ReferenceSolution:
        known = dict.fromkeys((*BACKBONES, *DETECTOR_BACKBONES))
        if self.code is None and self.backbone not in known:
            hint = nearest(self.backbone, known)
            raise ValueError(f"the packaged reference has no backbone {self.backbone!r}; {hint}, or give code")
        return self

    @property
    def weights_name(self) -> str:
        return self.weights or self.backbone


class BenchmarkRules(Section):
    """How speed is measured."""

    queries: int = Field(64, ge=64, le=100_000, description="at least; 64 are the fewest for a p90 (MLPerf)")
    warm_up_seconds: float = Field(0.5, gt=0, le=60, description="for each model, at least, in all its processes")
    min_seconds: float = Field(1.0, ge=0, le=600, description="of timed queries for each model, in all its processes")


Corruption = Literal[
    "brightness", "contrast", "blur", "noise", "jpeg", "rotation", "distance", "occlusion", "colour-cast"
]
Severity = Annotated[int, Field(ge=1, le=5)]


class Robustness(Section):
    """How the model is tested on corrupted held-out images."""

    enabled: bool = Field(True, description="false: no images made worse, none of no class, none covered")
    images: int = Field(40, ge=4, le=1000, description="held-out images at most, as many of each class")
    severities: Annotated[tuple[Severity, ...], Field(min_length=1)] = (1, 3, 5)
    corruptions: Annotated[tuple[Corruption, ...], Field(min_length=1)] = get_args(Corruption)
    occlusion_maps: int = Field(3, ge=0, le=12, description="mistakes for which is measured where the model looks")


Boundary = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]


class Feedback(Section):
    """What the page that is given to a student shows."""

    show_held_out: bool = Field(
        False, description="held-out and withheld images: the surest mistakes, and where the model looks"
    )


class Grading(Section):
    """What happens to the total. The points themselves are the criteria's."""

    borderline: tuple[Boundary, ...] = Field(
        (),
        max_length=20,
        description="totals, in points, from which a better grade is given; a person decides near them",
    )

    @model_validator(mode="after")
    def _rise(self) -> Grading:
        if any(later <= earlier for earlier, later in zip(self.borderline, self.borderline[1:], strict=False)):
            raise ValueError("borderline must rise: the lowest boundary first, each one once")
        return self


class Unseen(Section):
    """Images that show none of the classes, in one folder."""

    path: Path


class Public(Section):
    """What `harness release` gives to students."""

    path: Path | None = Field(None, description="public images in class folders; dataset.path by default")
    notebook: Path | None = Field(None, description="the notebook that students start from")
    install: str = Field(
        "transfer-harness[torch]", min_length=1, max_length=300, description="what pip installs for `harness check`"
    )

    @field_validator("install")
    @classmethod
    def _is_one_requirement(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][\w.\-+\[\],@:/=<>~!% ;&#]*", value) or "\n" in value:
            raise ValueError("install is one requirement, as pip takes it, for example 'transfer-harness[torch]'")
        return value
