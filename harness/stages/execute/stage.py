"""The stage `execute`: the submission's notebook, run from top to bottom."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.findings import Finding, finding, sentence
from harness.inputs import weights
from harness.inputs.assignment.sections import Dataset, ExecutionRules
from harness.inputs.submission import Submission
from harness.inputs.submissions.companions import COMPANION_NAMES
from harness.inputs.submissions.file_kinds import recognised
from harness.inputs.submissions.parts import MODEL_SUFFIXES, SAVED_MODEL
from harness.sandbox.engine import Outcome
from harness.stages.context import Rejected, StageContext, failed, read_reply, refusal, usage
from harness.stages.evidence.execution import CellError, Execution, FailedExecution, Produced
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult, Usage, told_to_student
from harness.stages.execute.advice import for_cell
from harness.stages.execute.notebook_reply import ShownReply, TransformationReply

_MOST_MODELS, _MOST_COMPANIONS = 6, 12  # that a run's result holds
_MODELS_SHARE = 0.5  # of what a sandbox may send, for models after the first
# Addresses that may be image sets of the manifest are noted whole; for others the host is enough.
_ARCHIVE = re.compile(r"://.*\.(gz|tgz|zip|tar|bz2|mat)$")
_NOTEBOOK_BYTES = 64 * 2**20
# The agent stops the notebook this long before the sandbox's limit, to send its results.
_MARGIN_SHARE, _MARGIN_SECONDS = 0.05, 10.0

_Short = Annotated[str, Field(max_length=4000)]
_FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]  # as in frames: no folders
_Path = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^/\x00]")]
_Produced = tuple[_FileName, _Path, Annotated[float, Field(allow_inf_nan=False)]]  # name, student's path, when changed
_Cell = Annotated[int, Field(ge=1, le=100_000)]
_Noticed = tuple[int, Annotated[str, Field(max_length=200)]]


class _Error(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cell: int = Field(ge=1, le=100_000)
    kind: Literal["error", "timeout", "died"]
    name: _Short
    message: _Short
    said: str = Field("", max_length=300)  # the message as one sentence
    traceback: _Short
    trains: bool = False  # whether a cell that was stopped trains a model


class _Reply(BaseModel):
    """execution.json, as `harness/agent/phases/execute.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    code_cells: int = Field(ge=0, le=100_000)
    executed_cells: int = Field(ge=0, le=100_000)
    errors: tuple[_Error, ...] = Field(max_length=1000)
    produced: tuple[_Produced, ...] = Field(max_length=_MOST_MODELS + _MOST_COMPANIONS)
    network_attempts: tuple[_Noticed, ...] = Field(max_length=50)
    outside_reads: tuple[_Noticed, ...] = Field(max_length=50)
    harness_writes: tuple[_Noticed, ...] = Field((), max_length=50)
    missing_images: tuple[_Noticed, ...] = Field((), max_length=50)
    floods: tuple[_Cell, ...] = Field((), max_length=50)  # cells that wrote more than is passed on
    python_assumed: str = Field("", max_length=100)
    truncated: str = Field(max_length=1000)
    transformation: TransformationReply
    shown: ShownReply


def execute(
    submission: Submission,
    dataset: Dataset | None,
    rules: ExecutionRules,
    weights_folder: Path | None,
    context: StageContext,
) -> StageResult[Execution]:
    """Run the notebook; `Skipped` when none was handed in.

    `Done` only when every code cell ran to its end. Otherwise a `FailedExecution`, with what the run
    did until it stopped. `weights_folder`: mounted for torch and Keras (`harness/agent/notebook/pretrained.py`).
    """
    if submission.notebook is None:
        return Skipped(reason=sentence("no-notebook"))
    limits = context.limits
    inputs = {"submission": submission.root}
    images = None
    if dataset is not None and dataset.path is not None:
        inputs["dataset"] = dataset.path
        images = dataset.model_dump(include={"mounted_as", "names", "layout"})
    if weights_folder is not None:
        inputs["weights"] = weights_folder
    margin = min(_MARGIN_SECONDS, _MARGIN_SHARE * limits.wall_seconds)
    total_seconds = limits.wall_seconds - margin
    request = {
        "notebook": str(submission.notebook),
        "dataset": images,
        "rules": rules.rules,
        "cell_seconds": limits.cell_seconds,
        "idle_seconds": limits.idle_seconds,
        "total_seconds": total_seconds,
        "on_cell_error": rules.on_cell_error,
        "wanted": {
            "suffixes": MODEL_SUFFIXES,
            "saved_model": SAVED_MODEL,
            "companions": COMPANION_NAMES,
            "most_models": _MOST_MODELS,
            "most_companions": _MOST_COMPANIONS,
            "most_bytes": int(_MODELS_SHARE * limits.output),
        },
    }
    with tempfile.TemporaryDirectory(prefix="harness-execute-") as folder:
        outputs = Path(folder)
        outcome = context.run("execute", request, inputs, outputs)
        if outcome.status != "ok":
            return _broken(outcome, context)
        try:
            if (reason := refusal(outputs)) is not None:
                unreadable = finding("notebook-unreadable", name=submission.notebook.name, reason=reason)
                return Failed(
                    status="rejected",
                    reason=unreadable.message,
                    findings=(unreadable,),
                    usage=usage(outcome),
                )
            reply = read_reply(outputs, "execution.json", _Reply)
            execution = _execution(reply, outputs, context)
        except Rejected as rejected:
            reason = sentence("job-unusable", what="The notebook's run", why=rejected.whole)
            killed = finding("notebook-runner-killed", reason=rejected.whole)
            return Failed(status="rejected", reason=reason, findings=(killed,), usage=usage(outcome))
    noticed = [*reply.transformation.findings(), *_noticed(execution), *_missing_images(reply)]
    return _result(execution, reply, noticed, outcome, context, total_seconds)


def _execution(reply: _Reply, outputs: Path, context: StageContext) -> Execution:
    """The reply as evidence, with files in the store. Raises `Rejected`."""
    notebook = outputs / "executed.ipynb"
    names = ("executed.ipynb", *(name for name, _, _ in reply.produced))
    if missing := [name for name in names if not (outputs / name).is_file()]:
        raise Rejected(sentence("reply-not-sent", name=missing[0]))
    if notebook.stat().st_size > _NOTEBOOK_BYTES:
        raise Rejected(sentence("reply-too-large", name="executed.ipynb", most=_NOTEBOOK_BYTES))
    if reply.executed_cells > reply.code_cells:
        raise Rejected(sentence("more-cells-ran"))
    blobs: dict[str, Blob] = {name: context.store.put(outputs / name, name) for name in names}
    return Execution(
        notebook=blobs["executed.ipynb"],
        code_cells=reply.code_cells,
        executed_cells=reply.executed_cells,
        errors=tuple(CellError(**error.model_dump(exclude={"said", "trains"})) for error in reply.errors),
        produced=_produced(reply, outputs, blobs),
        network_attempts=reply.network_attempts,
        outside_reads=reply.outside_reads,
        harness_writes=reply.harness_writes,
        python_assumed=reply.python_assumed,
        truncated=reply.truncated,
        environment=context.software.name,
        changes=reply.transformation.evidence(),
        changes_left_out=reply.transformation.changes_left_out,
        given=reply.transformation.given,
        shown=reply.shown.evidence(),
    )


def _produced(reply: _Reply, outputs: Path, blobs: Mapping[str, Blob]) -> tuple[Produced, ...]:
    first = min((changed for _, _, changed in reply.produced), default=0.0)
    kinds = recognised(outputs, [Path(name) for name, _, _ in reply.produced])
    return tuple(
        Produced(
            **blobs[name].model_dump(),
            path=path,
            kind="saved-model" if name.startswith("saved_model-") else kind.kind,
            changed=round(changed - first, 3),
        )
        for (name, path, changed), kind in zip(reply.produced, kinds, strict=True)
    )


def _result(
    execution: Execution,
    reply: _Reply,
    findings: list[Finding],
    outcome: Outcome,
    context: StageContext,
    total_seconds: float,
) -> StageResult[Execution]:
    limits = context.limits
    cost: Usage = usage(outcome)
    if execution.complete:
        return Done(value=execution, origin="measured-inside", findings=tuple(findings), usage=cost)
    error = reply.errors[0] if reply.errors else None
    floods = error is not None and error.cell in reply.floods
    if error is None:
        wrong = finding("notebook-runner-killed", reason=sentence("run-before-last-cell"))
        status: Literal["failed", "timeout", "memory", "killed"] = "killed"
    elif error.kind == "timeout" and error.name == "NotebookTimeout":
        wrong, status = finding("notebook-timeout", seconds=total_seconds), "timeout"
    elif error.kind == "timeout" and error.name == "CellIdle":
        wrong, status = finding("cell-timeout-idle", cell=error.cell, seconds=limits.idle_seconds), "timeout"
    elif error.kind == "timeout":
        kind = "cell-timeout-flood" if floods else "cell-timeout" if error.trains else "cell-timeout-loop"
        wrong, status = finding(kind, cell=error.cell, seconds=limits.cell_seconds), "timeout"
    elif error.kind == "died" and outcome.memory_limit_hit:
        kind = "notebook-memory-flood" if floods else "notebook-memory"
        wrong, status = finding(kind, cell=error.cell, limit=f"{limits.memory / 1e9:.1f} GB"), "memory"
    elif error.kind == "died":
        wrong, status = finding("kernel-ended", cell=error.cell), "killed"
    else:
        wrong, status = finding("cell-error", cell=error.cell, error=_said(error, execution.errors[0])), "failed"
    missing = next((one for one in findings if one.code == "weights-missing"), wrong)
    return FailedExecution(
        status=status,
        reason=missing.message,
        findings=(wrong, *findings),
        usage=cost,
        execution=execution,
    )


def _said(error: _Error, evidence: CellError) -> str:
    """The error's message as one sentence, and what to do if that is known."""
    said = f"{error.name}: {error.said}" if error.said else error.name
    what_to_do = for_cell(evidence)
    return f"{said}. {what_to_do}" if what_to_do else said


def _missing_images(reply: _Reply) -> list[Finding]:
    """One finding for each image that was to be shown, at most ten."""
    paths = {path: cell for cell, path in reversed(reply.missing_images)}
    return [finding("image-missing", cell=cell, path=path) for path, cell in sorted(paths.items())[:10]]


def _noticed(execution: Execution) -> list[Finding]:
    """One finding for each host and each path, at most ten of a kind."""
    found = []
    attempts = {what: cell for cell, what in reversed(execution.network_attempts)}
    known = {what: entry for what in attempts if (entry := _of_the_manifest(what))}
    found += [
        finding("weights-missing", cell=attempts[what], what=_called(entry), name=entry.part_of or entry.name)
        for what, entry in sorted(known.items(), key=lambda one: attempts[one[0]])
    ]
    hosts = {what: cell for what, cell in attempts.items() if what not in known and not _ARCHIVE.search(what)}
    found += [finding("network-attempt", cell=cell, what=what) for what, cell in sorted(hosts.items())[:10]]
    paths = {path: cell for cell, path in reversed(execution.outside_reads)}
    found += [finding("outside-read", cell=cell, path=path) for path, cell in sorted(paths.items())[:10]]
    paths = {path: cell for cell, path in reversed(execution.harness_writes)}
    found += [finding("harness-path-write", cell=cell, path=path) for path, cell in sorted(paths.items())[:10]]
    if execution.python_assumed:
        found.append(finding("python-assumed", why=execution.python_assumed))
    if execution.truncated:
        found.append(finding("output-truncated", reason=execution.truncated))
    return found


def _of_the_manifest(what: str) -> weights.WeightsEntry | None:
    """The manifest's entry for a download: by its address or, for weights, by file name at any address."""
    return weights.by_address(what) or weights.by_file(what.rpartition("/")[2])


def _called(entry: weights.WeightsEntry) -> str:
    return f"the images of {entry.file}" if entry.kind == "dataset" else f"the pre-trained weights {entry.file}"


def _broken(outcome: Outcome, context: StageContext) -> FailedExecution:
    """The failure when the runner itself did not finish, whatever it sent before."""
    limits = context.limits
    broken = told_to_student(failed(outcome, "The notebook's run", limits))
    match broken.status:
        case "timeout":
            found = finding("notebook-timeout", seconds=limits.wall_seconds)
        case "memory":
            found = finding("notebook-memory", limit=f"{limits.memory / 1e9:.1f} GB")
        case _:
            found = finding("notebook-runner-killed", reason=broken.reason)
    return FailedExecution(
        status=broken.status, reason=broken.reason, findings=(found,), usage=broken.usage, execution=None
    )
