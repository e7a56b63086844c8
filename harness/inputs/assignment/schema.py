"""assignment.toml as a whole: its tables, the rubric, and what they ask of each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.inputs.assignment.deadline import Deadline
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import (
    BenchmarkRules,
    Dataset,
    ExecutionRules,
    Feedback,
    GradedOn,
    HandIn,
    HeldOut,
    NotebookParts,
    OwnDataset,
    ReferenceSolution,
    Robustness,
    Section,
    Unseen,
)


class CriterionSpec(BaseModel):
    """One line of the rubric. Keys beside these belong to the criterion and are checked by it."""

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
    task: Literal["classification"] = "classification"
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
    held_out: HeldOut | None = None
    heldout: GradedOn = Field("shared", description="the images that a submission is graded on")
    own_dataset: OwnDataset = OwnDataset()
    reference: ReferenceSolution
    benchmark: BenchmarkRules = BenchmarkRules()
    robustness: Robustness = Robustness()
    unseen: Unseen | None = None
    feedback: Feedback = Feedback()
    deadline: Deadline | None = None
    criteria: Annotated[tuple[CriterionSpec, ...], Field(min_length=1), AfterValidator(_unique_kinds)]
    file: Path = Field(Path(), exclude=True, description="set by `load`")

    @property
    def max_points(self) -> float:
        return sum(c.points for c in self.criteria)

    @property
    def withholds(self) -> bool:
        """Whether a part of each student's own data set is withheld to grade on."""
        return self.heldout != "shared"

    @property
    def has_shared_set(self) -> bool:
        return self.heldout != "withhold"

    @field_validator("heldout", mode="before")
    @classmethod
    def _both_as_a_list(cls, value: object) -> object:
        if isinstance(value, dict):
            raise ValueError("is a word: 'shared', 'withhold' or 'both'; did you mean the section [held_out]?")
        return "both" if isinstance(value, list) and sorted(map(str, value)) == ["shared", "withhold"] else value

    @model_validator(mode="after")
    def _has_what_it_grades_on(self) -> Assignment:
        if self.withholds and self.handin.dataset == "ignored":
            raise ValueError(f'heldout = "{self.heldout}" needs a data set, and handin.dataset is "ignored"')
        if self.withholds and self.handin.notebook == "ignored":
            raise ValueError(f'heldout = "{self.heldout}" needs notebooks to run, and handin.notebook is "ignored"')
        if self.withholds and self.execution.mode == "as-handed-in":
            raise ValueError(
                f'heldout = "{self.heldout}" needs notebooks to run, and execution.mode is "as-handed-in": '
                "a model that was handed in has seen the images that are withheld"
            )
        if self.has_shared_set and self.held_out is None:
            raise ValueError(f'heldout = "{self.heldout}" needs the section [held_out] with the images')
        return self

    @model_validator(mode="after")
    def _points_add_up(self) -> Assignment:
        if self.points is not None and abs(self.points - self.max_points) > 1e-9:
            raise ValueError(f"points is {self.points:g}, but the criteria sum to {self.max_points:g}")
        return self
