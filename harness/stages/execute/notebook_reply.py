"""Schemas, with bounds, of what the agent sends about a notebook besides its run, and their evidence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.findings import Finding, finding
from harness.stages.evidence.execution import CellChange, DifferenceLine
from harness.stages.evidence.reading import Claim, Curve, PrecisionClaim, Question, Shown, Step

_MOST_CELLS = 100_000
_Cell = Annotated[int, Field(ge=1, le=_MOST_CELLS)]
_Name = Annotated[str, Field(max_length=100)]
_Line = Annotated[str, Field(max_length=300)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=10**13)]
_Epochs = Annotated[tuple[_Number | None, ...], Field(max_length=1000)]
# The agent's note -> the finding.
_Noted = Literal[
    "package-missing",
    "download-left-out",
    "archive-not-there",
    "colab-stand-in",
    "empty-answer",
    "restart-left-out",
    "rule-failed",
]
_MOST_OF_A_KIND = 10


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Change(_Part):
    cell: _Cell
    rules: tuple[_Name, ...] = Field(max_length=50)
    diff: tuple[tuple[Literal["removed", "added", "kept"], _Line], ...] = Field(max_length=80)

    def evidence(self) -> CellChange:
        lines = tuple(DifferenceLine(kind=kind, text=text) for kind, text in self.diff)
        return CellChange(cell=self.cell, rules=self.rules, difference=lines)


class TransformationReply(_Part):
    """The changes, as `harness/agent/notebook/transform.py` sends them."""

    changes: tuple[_Change, ...] = Field(max_length=100)
    changes_left_out: int = Field(ge=0, le=_MOST_CELLS)
    notes: tuple[tuple[_Noted, Annotated[str, Field(max_length=200)]], ...] = Field(max_length=50)
    given: tuple[_Line, ...] = Field(max_length=100)

    def evidence(self) -> tuple[CellChange, ...]:
        return tuple(one.evidence() for one in self.changes)

    def findings(self) -> list[Finding]:
        """Findings about changed cells, and the rules' notes; at most ten of a kind."""
        found = []
        if self.changes:
            rules = ", ".join(sorted({rule.replace("_", " ") for one in self.changes for rule in one.rules}))
            found.append(finding("notebook-changed", cells=len(self.changes) + self.changes_left_out, rules=rules))
        counts: dict[str, int] = {}
        for code, what in self.notes:
            counts[code] = counts.get(code, 0) + 1
            if counts[code] <= _MOST_OF_A_KIND:
                found.append(finding(code, what=what))
        return found


class _Run(_Part):
    cell: _Cell
    epochs: int = Field(ge=0, le=1000)
    planned: int | None = Field(ge=0, le=10**6)
    curves: dict[Literal["loss", "accuracy", "val_loss", "val_accuracy"], _Epochs]


class _Claim(_Part):
    kind: Literal["test", "validation", "training", "unsaid"]
    accuracy: float = Field(ge=0, le=1)
    cell: _Cell
    words: str = Field(max_length=200)


class _PrecisionClaim(_Part):
    measure: Literal["voc", "ap50", "ap"]
    value: float = Field(ge=0, le=1)
    cell: _Cell
    words: str = Field(max_length=200)


class ShownReply(_Part):
    """The parsed outputs, as `harness/agent/notebook/output_parsing.py` sends them."""

    has_outputs: bool
    runs: tuple[_Run, ...] = Field(max_length=12)
    batch_size: int | None = Field(ge=1, le=10**6)
    parameters: _Count | None
    trainable_parameters: _Count | None
    frozen_parameters: _Count | None
    claim: _Claim | None
    average_precision: _PrecisionClaim | None = None

    def evidence(self) -> Shown:
        return Shown(
            has_outputs=self.has_outputs,
            curves=tuple(
                Curve(cell=run.cell, epochs=run.epochs, planned=run.planned, metrics=run.curves) for run in self.runs
            ),
            batch_size=self.batch_size,
            parameters=self.parameters,
            trainable_parameters=self.trainable_parameters,
            frozen_parameters=self.frozen_parameters,
            claim=Claim(**self.claim.model_dump()) if self.claim else None,
            average_precision=(
                PrecisionClaim(**self.average_precision.model_dump()) if self.average_precision else None
            ),
        )


class _Step(_Part):
    name: str = Field(max_length=1000)
    cell: _Cell | None
    title: str = Field(max_length=200)
    has_code: bool
    has_words: bool


class _Question(_Part):
    name: str = Field(max_length=1000)
    cell: _Cell | None
    title: str = Field(max_length=200)
    answered: bool
    answer: str = Field(max_length=1500)


class ReadingReply(_Part):
    """reading.json, as `harness/agent/phases/read_notebook.py` sends it."""

    code_cells: int = Field(ge=0, le=_MOST_CELLS)
    half_characters: int = Field(0, ge=0, le=10**6)
    shown: ShownReply
    steps: tuple[_Step, ...] = Field(max_length=60)
    questions: tuple[_Question, ...] = Field(max_length=400)

    def step_evidence(self) -> tuple[Step, ...]:
        return tuple(Step(**step.model_dump()) for step in self.steps)

    def question_evidence(self) -> tuple[Question, ...]:
        return tuple(Question(**question.model_dump()) for question in self.questions)
