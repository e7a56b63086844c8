"""assignment.toml as a whole: its tables, the rubric, and the checks across tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from harness.errors import nearest
from harness.inputs.assignment.deadline import Deadline
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.points import total
from harness.inputs.assignment.sections import (
    BACKBONES,
    DETECTOR_BACKBONES,
    BenchmarkRules,
    Dataset,
    ExecutionRules,
    Feedback,
    Grading,
    HandIn,
    HeldOut,
    NotebookParts,
    OwnDataset,
    Public,
    ReferenceSolution,
    Robustness,
    Section,
    Unseen,
)

Task = Literal["classification", "detection"]


class CriterionSpec(BaseModel):
    """One line of the rubric. All other keys belong to the criterion, which checks them."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    points: float = Field(gt=0, le=1000)
    title: str = ""

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def _unique_kinds(criteria: tuple[CriterionSpec, ...]) -> tuple[CriterionSpec, ...]:
    names = [(c.kind, c.title) for c in criteria]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two criteria of kind {name[0]!r} need different titles")
    return criteria


class Assignment(Section):
    """A whole assignment. All paths are absolute once it is loaded."""

    schema_: Literal[1] = Field(1, alias="schema")
    title: str = Field(min_length=1, max_length=200)
    task: Task = "classification"
    points: float | None = Field(None, gt=0, description="the sum of the criteria's points, as a check")
    weights: tuple[str, ...] | None = Field(
        None, description="pre-trained weights that notebooks may load; all that are here, if the key is left out"
    )
    boards: tuple[str, ...] = Field((), description="Jetson-class boards to report on")
    handin: HandIn = HandIn()
    limits: ResourceLimits = ResourceLimits()
    execution: ExecutionRules = ExecutionRules()
    notebook: NotebookParts = NotebookParts()
    dataset: Dataset | None = None
    held_out: HeldOut
    own_dataset: OwnDataset = OwnDataset()
    reference: ReferenceSolution = ReferenceSolution()
    benchmark: BenchmarkRules = BenchmarkRules()
    robustness: Robustness = Robustness()
    unseen: Unseen | None = None
    public: Public = Public()
    feedback: Feedback = Feedback()
    grading: Grading = Grading()
    deadline: Deadline | None = None
    criteria: Annotated[tuple[CriterionSpec, ...], Field(min_length=1), AfterValidator(_unique_kinds)]
    file: Path = Field(Path(), exclude=True, description="set by `load`")
    outdated: tuple[str, ...] = Field((), exclude=True, description="set by `load`: old keys, a sentence for each")
    remarks: tuple[str, ...] = Field((), exclude=True, description="set by `load`: images that are not used")

    @property
    def max_points(self) -> float:
        return total(c.points for c in self.criteria)

    @property
    def withholds(self) -> bool:
        """Whether a part of each student's own data set is withheld for grading."""
        return self.held_out.mode != "shared"

    @property
    def has_shared_set(self) -> bool:
        """Whether the instructor has held-out images that every submission is graded on."""
        return self.held_out.mode != "withhold"

    @model_validator(mode="after")
    def _has_what_it_grades_on(self) -> Assignment:
        if not self.withholds:
            return self
        mode = f'held_out.mode = "{self.held_out.mode}"'
        if self.handin.dataset == "ignored":
            raise ValueError(f'{mode} needs a data set, and handin.dataset is "ignored"')
        if self.handin.notebook == "ignored":
            raise ValueError(f'{mode} needs notebooks to run, and handin.notebook is "ignored"')
        if self.execution.mode == "as-handed-in":
            raise ValueError(
                f'{mode} needs notebooks to run, and execution.mode is "as-handed-in": '
                "a model that was handed in has seen the images that are withheld"
            )
        return self

    @model_validator(mode="after")
    def _has_a_reference_of_its_task(self) -> Assignment:
        given = self.reference
        if given.code is not None:
            return self
        detects = self.task == "detection"
        known, what = (DETECTOR_BACKBONES, "detector") if detects else (BACKBONES, "classifier")
        if given.backbone not in known:
            raise ValueError(
                f"the packaged reference {what} has no backbone {given.backbone!r}; "
                f"{nearest(given.backbone, known)}, or give reference.code"
            )
        if detects and given.fine_tune_epochs:
            raise ValueError(
                "reference.fine_tune_epochs is for classification: the packaged reference detector trains as docs/"
                "reference.md says; take the key out, or give reference.code"
            )
        return self

    @model_validator(mode="after")
    def _layout_fits_the_task(self) -> Assignment:
        layout = "auto" if self.dataset is None else self.dataset.layout
        if self.task == "detection" and layout not in ("auto", "as-it-is"):
            raise ValueError(
                f'dataset.layout = "{layout}" is for images in class folders; with task = "detection" a notebook gets '
                "the images and their annotations as they lie: leave the key out"
            )
        if self.task == "classification" and layout == "as-it-is":
            raise ValueError('dataset.layout = "as-it-is" is for task = "detection"')
        return self

    @model_validator(mode="after")
    def _boundaries_can_be_reached(self) -> Assignment:
        for boundary in self.grading.borderline:
            if boundary > self.max_points:
                raise ValueError(f"grading.borderline has {boundary:g}, but the criteria sum to {self.max_points:g}")
        return self

    @model_validator(mode="after")
    def _points_add_up(self) -> Assignment:
        if self.points is not None and abs(self.points - self.max_points) > 1e-9:
            raise ValueError(f"points is {self.points:g}, but the criteria sum to {self.max_points:g}")
        return self
