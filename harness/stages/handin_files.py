"""Parses, strictly, a submission's declarations about its model: labels.txt and handin.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.boundary.bounded_json import Unbounded, check
from harness.findings import Finding, finding
from harness.inputs.submissions.child import Unreadable, ask_alone, path_text
from harness.inputs.submissions.companions import OF_DATA_SET
from harness.stages.evidence.conversion import Preprocess

_SAID = 200  # characters of a key that are repeated
_LIMIT = 256 * 1024  # bytes of handin.json
_MOST_LABELS = 10_000
_Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
_Std = Annotated[float, Field(allow_inf_nan=False, gt=1e-9, le=1e6)]
_IMAGE = ("width", "height", "colour", "scale", "mean", "std", "resize")


class Undeclared(Exception):
    """The file is not valid. The message says why."""


class HandIn(BaseModel):
    """handin.json, as `harness.handin.save` writes it. The pre-processing is complete or missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal[1] = Field(alias="schema")
    classes: tuple[Annotated[str, Field(max_length=200)], ...] = Field((), max_length=_MOST_LABELS)
    width: int | None = Field(None, ge=8, le=2048)
    height: int | None = Field(None, ge=8, le=2048)
    colour: Literal["RGB", "BGR"] | None = None
    scale: _Finite | None = None
    mean: tuple[_Finite, _Finite, _Finite] | None = None
    std: tuple[_Std, _Std, _Std] | None = None
    resize: Literal["stretch", "shorter-side-crop"] | None = None
    crop_fraction: float | None = Field(None, gt=0.1, le=1.0)
    layout: Literal["NCHW", "NHWC"] | None = None
    output: Literal["probabilities", "logits"] | None = None

    @model_validator(mode="after")
    def _whole_or_not_at_all(self) -> HandIn:
        given = [name for name in _IMAGE if getattr(self, name) is not None]
        if given and len(given) < len(_IMAGE):
            missing = [name for name in _IMAGE if name not in given]
            raise ValueError(f"{', '.join(missing)} missing: the pre-processing is declared whole")
        return self

    @property
    def preprocess(self) -> Preprocess | None:
        """The declared pre-processing; None when there is none."""
        values = {name: getattr(self, name) for name in _IMAGE}
        if None in values.values():
            return None
        crops = self.resize == "shorter-side-crop"
        return Preprocess(**values, crop_fraction=(self.crop_fraction or 0.875) if crops else 1.0)


@dataclass(frozen=True, slots=True)
class Declarations:
    """What a model's companions declare, and the findings about them."""

    labels: tuple[str, ...]  # of labels.txt, else of handin.json; empty where neither names any
    handin: HandIn | None
    findings: tuple[Finding, ...]
    labels_in: str = ""  # the file that names them

    @property
    def preprocess(self) -> Preprocess | None:
        """The declared pre-processing; None when there is none."""
        return self.handin.preprocess if self.handin else None


def declared_by(companions: Mapping[str, Path]) -> Declarations:
    """What labels.txt and handin.json of `companions` (role -> file) declare. What is not valid is a finding."""
    findings: list[Finding] = []
    handin: HandIn | None = None
    labels: tuple[str, ...] = ()
    if file := companions.get("handin.json"):
        try:
            handin = read_handin(file)
        except Undeclared as error:
            findings.append(finding("handin-json-invalid", reason=str(error)))
    if file := companions.get("labels.txt"):
        try:
            labels = read_labels(file)
        except Undeclared as error:
            findings.append(finding("labels-invalid", reason=str(error)))
    if not labels and handin:
        return Declarations(handin.classes, handin, tuple(findings), "handin.json")
    return Declarations(labels, handin, tuple(findings), "labels.txt")


def labels_of_data_set(companions: Mapping[str, Path]) -> tuple[str, ...]:
    """The classes of the data set's own labels.txt, in its order; none without one that can be read."""
    file = companions.get(OF_DATA_SET)
    try:
        return read_labels(file) if file else ()
    except Undeclared:
        return ()


def read_handin(file: Path) -> HandIn:
    """handin.json. Raises `Undeclared` when it is not valid."""
    content = _content(file)
    try:
        check(content)
        return HandIn.model_validate_json(content)
    except Unbounded as why:
        raise Undeclared(f"{file.name} {why}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:_SAID]
        raise Undeclared(f"{where}: {first['msg']}" if where else first["msg"]) from None


def read_labels(file: Path) -> tuple[str, ...]:
    """The class names that the file lists, in order of the model's outputs; none when it is blank.

    `harness/apart/submissions/label_lists.py` has the forms, and reads them. Raises `Undeclared`.
    """
    try:
        names = ask_alone("labels", file=path_text(file))
    except Unreadable as error:
        raise Undeclared(str(error)) from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Undeclared("it broke the program that reads it")
    return tuple(names)


def _content(file: Path) -> bytes:
    if file.stat().st_size > _LIMIT:
        raise Undeclared(f"{file.name} is larger than {_LIMIT // 1024} KiB")
    return file.read_bytes()
