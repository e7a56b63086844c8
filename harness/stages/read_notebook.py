"""The stage `read`: reads the submission's notebook in the sandbox, as handed in, without running it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.findings import Finding, finding, sentence
from harness.inputs.assignment.sections import HandIn, NotebookParts
from harness.inputs.submission import Submission
from harness.stages.context import Rejected, StageContext, failed, read_reply, refusal, usage
from harness.stages.evidence.reading import NotebookReading, Question, Step
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult
from harness.stages.execute.notebook_reply import ReadingReply
from harness.stages.stage import Stage

_WALL_SECONDS = 60.0


def read(submission: Submission, parts: NotebookParts, context: StageContext) -> StageResult[NotebookReading]:
    """The content of the notebook's saved outputs, and where the assignment's steps and questions are."""
    if submission.notebook is None:
        return Skipped(reason=sentence("no-notebook"))
    request = {"notebook": str(submission.notebook), "steps": parts.steps, "questions": parts.questions}
    with tempfile.TemporaryDirectory(prefix="harness-read-") as folder:
        outputs = Path(folder)
        inputs = {"submission": submission.root}
        outcome = context.run("read_notebook", request, inputs, outputs, wall_seconds=_WALL_SECONDS)
        if outcome.status != "ok":
            limits = context.limits.model_copy(update={"wall_seconds": _WALL_SECONDS})
            return failed(outcome, "Reading the notebook", limits)
        try:
            if (reason := refusal(outputs)) is not None:
                refused = finding("notebook-unreadable", name=submission.notebook.name, reason=reason)
                return Failed(status="rejected", reason=refused.message, findings=(refused,), usage=usage(outcome))
            reply = read_reply(outputs, "reading.json", ReadingReply)
        except Rejected as rejected:
            reason = sentence("reading-unusable", why=rejected.whole)
            return Failed(status="rejected", reason=reason, usage=usage(outcome))
    reading = NotebookReading(
        code_cells=reply.code_cells,
        shown=reply.shown.evidence(),
        steps=reply.step_evidence(),
        questions=reply.question_evidence(),
    )
    return Done(
        value=reading,
        origin="self-reported",
        findings=tuple(_findings(reading, reply.half_characters)),
        usage=usage(outcome),
    )


def _findings(reading: NotebookReading, half_characters: int) -> list[Finding]:
    found = [finding("half-characters", count=half_characters)] if half_characters else []
    if reading.code_cells and not reading.shown.has_outputs:
        found.append(finding("no-saved-outputs"))
    found += [one for step in reading.steps if (one := _of_step(step)) is not None]
    return found + [one for question in reading.questions if (one := _of_question(question)) is not None]


def _of_step(step: Step) -> Finding | None:
    if step.cell is None:
        return finding("step-missing", name=step.name)
    if step.has_code and not step.has_words:
        return finding("step-uncommented", name=step.name, cell=step.cell)
    return None


def _of_question(question: Question) -> Finding | None:
    if question.cell is None:
        return finding("question-missing", name=question.name)
    return None if question.answered else finding("question-unanswered", name=question.name, cell=question.cell)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A submission's notebook, and the parts that the assignment asks for."""

    submission: Submission
    wanted: HandIn
    parts: NotebookParts


def _read(request: ReadRequest, context: StageContext) -> StageResult[NotebookReading]:
    if request.wanted.notebook == "ignored":
        return Skipped(reason=sentence("notebooks-not-asked"))
    return read(request.submission, request.parts, context)


READ = Stage("read", NotebookReading, _read, sees_no_secret=True)
