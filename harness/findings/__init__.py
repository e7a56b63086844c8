"""Every finding, and every sentence that a person reads about a submission: the catalogue.

A finding is something noticed about a submission. It never raises; it stands in the evidence and in the
report. The catalogue holds each wording once; a stage fills in the particulars. The message is read by the student: its
particulars are the harness's own words, numbers, and names that the student gave himself before any held-out image was
there. What only the instructor can do comes last, after "For the instructor: "; `said_to_student` takes it off. What is
not the student's to read (another student's name, the text of an exception) is the `detail`.

    at_intake       what was handed in          on_stages   why a stage has no result
    on_notebooks    the notebook and its runs   on_marks    why a criterion gives its points
    on_models       the model                   on_grading  times, the machine, the harness
    on_data_sets    the student's own data set  on_replies  what is wrong with what the sandbox sent
    on_detections   a detector, its labels and its mistakes
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from harness.findings import (
    at_intake,
    on_data_sets,
    on_detections,
    on_grading,
    on_marks,
    on_models,
    on_notebooks,
    on_replies,
    on_stages,
)
from harness.findings.kind import Kind, Severity
from harness.findings.on_marks import preprocessing_fix
from harness.findings.text import one_line, said_on_ones_own_machine, said_to_student, with_detail

__all__ = [
    "Finding",
    "Severity",
    "advice",
    "backbone_doubt",
    "finding",
    "one_line",
    "preprocessing_fix",
    "said_on_ones_own_machine",
    "said_to_student",
    "sentence",
    "with_detail",
]

KINDS: dict[str, Kind] = {
    **at_intake.KINDS,
    **on_notebooks.KINDS,
    **on_models.KINDS,
    **on_detections.KINDS,
    **on_data_sets.KINDS,
    **on_grading.KINDS,
}
SENTENCES: dict[str, str] = {
    **on_stages.SENTENCES,
    **on_replies.SENTENCES,
    **on_notebooks.SENTENCES,
    **on_models.SENTENCES,
    **on_data_sets.SENTENCES,
    **on_detections.SENTENCES,
    **on_marks.SENTENCES,
}


class Finding(BaseModel):
    """One thing noticed about one submission."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    message: str
    detail: str = ""  # for the instructor only

    @property
    def whole_message(self) -> str:
        """The message with its detail, for an instructor."""
        return with_detail(self.message, self.detail)

    def told_to_student(self) -> Finding:
        """The same with its detail in the message: only where it can hold nothing that is secret."""
        return self.model_copy(update={"message": self.whole_message, "detail": ""})


def backbone_doubt(kind: str) -> str:
    """What speaks against the use of a backbone. Raises `KeyError` for a kind that is not there: our mistake."""
    return on_models.BACKBONE_DOUBTS[kind]


def advice(kind: str, **particulars: str) -> str:
    """What to do, without a full stop at its end. Raises `KeyError` for a kind that is not there: our mistake."""
    return on_notebooks.ADVICE[kind].format(**{key: one_line(value, 100) for key, value in particulars.items()})


def finding(code: str, *, detail: str = "", **particulars: object) -> Finding:
    """The finding `code` with its wording filled in. `detail`: foreign text, for the instructor only.

    Raises `KeyError` for a code, or a particular, that the catalogue does not have: our mistake.
    """
    kind = KINDS[code]
    plain = {key: one_line(value) if isinstance(value, str) else value for key, value in particulars.items()}
    message = kind.wording.format(**plain)
    return Finding(code=kind.code or code, severity=kind.severity, message=message, detail=one_line(detail))


def sentence(code: str, **particulars: object) -> str:
    """The sentence `code`, or the part of one, with its particulars filled in.

    Raises `KeyError` for a code, or a particular, that the catalogue does not have: our mistake.
    """
    return SENTENCES[code].format(**particulars)
