"""Converts a model file to ONNX, with its labels and pre-processing."""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import EnvironmentMissing
from harness.files.hashing import file_sha256
from harness.findings import Finding, finding, one_line, sentence
from harness.findings.file_kinds import FILE_KINDS
from harness.findings.on_models import ASSUMED
from harness.inputs.images import Material, drawn
from harness.inputs.submissions.external_data import external_data_of
from harness.sandbox import KERAS
from harness.sandbox.engine import Outcome
from harness.stages.context import Rejected, StageContext, failed, read_reply, refusal, usage
from harness.stages.conversion_reply import MOST_CHECKED, ConversionReply, NeedsReply, about_outputs, names_inside
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.handin_files import HandIn, declared_by, labels_of_data_set
from harness.stages.measuring import guesses
from harness.stages.one_file import as_one_file, plain_files

# tf2onnx took 3.7 GB for a VGG16 without its top, so conversions run one at a time and never with less.
_TENSORFLOW_BYTES = 5 * 10**9
_WITH_CODE = ("torch-module", "torchscript", "keras", "hdf5-model", "saved-model", "unpacked-keras", "unpacked-torch")
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class HandedModel:
    """A model file, and its companions: labels.txt, handin.json, model.py, the files with its external data."""

    file: Path  # or the folder of a SavedModel
    companions: Mapping[str, Path] = field(default_factory=dict)
    name: str = ""  # as the student calls it; the file's own by default
    kind: str = ""  # what its content says it is: a key of `FILE_KINDS`; empty where nobody looked
    findings: tuple[Finding, ...] = ()  # about its companions
    by_the_run: bool = False  # made by the notebook's run, not handed in

    @property
    def shown(self) -> str:
        """What the student calls it."""
        return self.name or self.file.name

    @property
    def is_refused(self) -> bool:
        """Whether its content says that it is none of the accepted formats."""
        return self.kind in FILE_KINDS and FILE_KINDS[self.kind].use in ("foreign", "broken")

    def key(self) -> str:
        """The SHA-256 of the contents, and of what is said of them."""
        parts = {"model": self.file, **self.companions}
        if self.file.is_dir():
            inside = {f"model/{path.relative_to(self.file)}": path for path in plain_files(self.file)}
            parts = {**inside, **self.companions}
        listed = "\n".join(f"{name} {file_sha256(parts[name])}" for name in sorted(parts))
        said = [self.name, self.kind, self.by_the_run, [one.model_dump(mode="json") for one in self.findings]]
        listed += f"\n{json.dumps(said)}"
        return hashlib.sha256(listed.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the companions declare, and the findings about them."""

    labels: tuple[str, ...]
    handin: HandIn | None
    findings: tuple[Finding, ...]
    classes: tuple[str, ...] | None  # the assignment's, where no file names the labels' order


def convert(
    model: HandedModel,
    class_names: tuple[str, ...] | None,
    check_images: Sequence[Path],
    weights: Path | None,
    context: StageContext,
) -> StageResult[Conversion]:
    """The model as ONNX, or unconverted if that fails, with labels and pre-processing.

    Messages from loading it are the detail; a caller whose `check_images` are not secret calls `told_to_student`.

    `class_names`: the assignment's; None: if the submission does not name the classes, they are numbered.
    `check_images`: images on which ONNX and original are compared; noise is added if there are fewer than eight.
    `weights`: a folder shaped like TORCH_HOME for a model.py that loads its backbone by reference.
    """
    declared = _declared(model, class_names)
    inputs = {"model": model.file}
    data = external_data_of(model.companions)
    mounted = {location: f"data-{number}" for number, location in enumerate(data)}
    inputs |= {mounted[location]: file for location, file in data.items()}
    if factory := model.companions.get("model.py"):
        inputs["model.py"] = factory
    if weights is not None:
        inputs["weights"] = weights
    preprocess = declared.handin.preprocess if declared.handin else None
    request = {
        "labels": len(declared.labels),
        "rule": preprocess.model_dump() if preprocess else None,
        "size": [preprocess.height, preprocess.width] if preprocess else None,
        "output": declared.handin.output if declared.handin else None,
        "factory": factory is not None,
        "data": mounted,
        "onnx": True,
        "cpus": context.limits.cpus,
    }
    with tempfile.TemporaryDirectory(prefix="harness-convert-") as folder:
        whole = replace(model, file=as_one_file(model.file, Path(folder)), name=model.shown)
        inputs["model"] = whole.file
        outputs, place = Path(folder) / "sent", context
        outputs.mkdir()
        outcome = context.run("convert", request, inputs, outputs, images=_checks(check_images))
        try:
            if outcome.status == "ok" and (outputs / "needs.json").is_file():
                needs = read_reply(outputs, "needs.json", NeedsReply)
                outputs, place = Path(folder) / "sent-again", _with_tensorflow(context)
                outputs.mkdir()
                outcome = _run_with_tensorflow(request, inputs, check_images, outputs, place, needs)
            if outcome.status != "ok":
                ended = _with_advice(failed(outcome, "Loading the model", place.limits), whole)
                unreadable = finding("model-unreadable", name=whole.shown, detail=ended.whole_reason)
                return ended.model_copy(update={"findings": (*declared.findings, unreadable)})
            return _result(whole, declared, outputs, outcome, place)
        except Rejected as rejected:
            unreadable = finding("model-unreadable", name=model.shown, detail=rejected.whole)
            return Failed(
                status="rejected",
                reason=sentence("job-unusable", what="The model's conversion", why=rejected),
                detail=rejected.detail,
                findings=(*declared.findings, unreadable),
                usage=usage(outcome),
            )


def _with_advice(ended: Failed, model: HandedModel) -> Failed:
    """The same with what to do, where the submission's own code may have been the cause."""
    if ended.detail or ended.status == "rejected":
        return ended
    if "model.py" in model.companions:
        advice = sentence("advice-model-py")
    elif model.kind in _WITH_CODE:
        advice = sentence("advice-onnx")
    else:
        return ended
    return ended.model_copy(update={"reason": f"{ended.reason}; {advice}"})


def _with_tensorflow(context: StageContext) -> StageContext:
    limits = context.limits
    more = limits.model_copy(update={"memory": max(limits.memory, _TENSORFLOW_BYTES)})
    return replace(context.using(KERAS), limits=more)


def _checks(check_images: Sequence[Path]) -> dict[str, Material]:
    return {"check": drawn(check_images[:MOST_CHECKED])}


def _run_with_tensorflow(
    request: Mapping[str, object],
    inputs: Mapping[str, Path],
    check_images: Sequence[Path],
    outputs: Path,
    place: StageContext,
    needs: NeedsReply,
) -> Outcome:
    """Run the phase in the environment `keras`; a model too large to convert is kept as it is.

    Raises `EnvironmentMissing` when that environment is not built.
    """
    if place.software_id is None:
        raise EnvironmentMissing(f"the model needs the environment {KERAS.name}: {needs.why}", KERAS.build_command)
    with _ONE_AT_A_TIME:
        outcome = place.run("convert", request, inputs, outputs, images=_checks(check_images))
        if outcome.status == "memory":
            as_it_is = {**request, "onnx": False}
            outcome = place.run("convert", as_it_is, inputs, outputs, images=_checks(check_images))
    return outcome


def _declared(model: HandedModel, class_names: tuple[str, ...] | None) -> _Declared:
    """The declarations; labels come from labels.txt, else handin.json, else the assignment's sorted names."""
    said = declared_by(model.companions)
    if said.labels:
        return _Declared(said.labels, said.handin, said.findings, None)
    if of_data_set := labels_of_data_set(model.companions):
        return _Declared(of_data_set, said.handin, said.findings, None)
    return _Declared(tuple(sorted(class_names or ())), said.handin, said.findings, class_names or ())


def _result(
    model: HandedModel, declared: _Declared, outputs: Path, outcome: Outcome, context: StageContext
) -> StageResult[Conversion]:
    if (reason := refusal(outputs)) is not None:
        unreadable = finding("model-unreadable", name=model.shown, detail=reason)
        return Failed(
            status="failed",
            reason=unreadable.message,
            detail=unreadable.detail,
            findings=(*declared.findings, unreadable),
            usage=usage(outcome),
        )
    reply = read_reply(outputs, "conversion.json", ConversionReply)
    labels, named = _labels(declared, reply)
    declared = replace(declared, findings=(*declared.findings, *named))
    if len(labels) != reply.outputs:
        names = ", ".join(labels[:10]) + (" …" if len(labels) > 10 else "")
        outputs_given = 1 if reply.one_unit else reply.outputs
        wrong = finding("labels-wrong-count", outputs=outputs_given, labels=len(labels), names=names)
        return Failed(
            status="rejected",
            reason=wrong.message,
            findings=(*declared.findings, wrong),
            usage=usage(outcome),
        )
    blob, factory = _kept(model, reply, outputs, context)
    declared_rule = declared.handin.preprocess if declared.handin else None
    rule = declared_rule or reply.rule
    default = "" if declared_rule else reply.default
    conversion = Conversion(
        model=blob,
        factory=factory,
        native=bool(reply.native),
        environment=context.software.name,
        source_format=reply.source_format,
        layout=reply.layout,
        input_dtype=reply.input_dtype,
        dynamic_batch=reply.dynamic_batch,
        outputs=reply.outputs,
        output_kind=reply.output_kind,
        labels=labels,
        preprocess=rule,
        assumed=ASSUMED[default].format(width=rule.width, height=rule.height) if default else "",
        by_the_run=model.by_the_run,
        guessed=guesses(declared_rule, declared.findings, reply.input_dtype),
        max_abs_difference=None if reply.native else reply.max_abs_difference,
        images_compared=reply.images_compared,
        opset=reply.opset,
    )
    return Done(
        value=conversion,
        origin="measured-inside" if reply.source_format == "onnx" else "self-reported",  # others may run the student's
        findings=(*declared.findings, *_noticed(reply, conversion, declared)),
        usage=usage(outcome),
    )


def _labels(declared: _Declared, reply: ConversionReply) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The labels in the order of the outputs: declared, else the names inside the model, else the alphabet."""
    if declared.classes is None:
        return _without_background(declared.labels, reply.outputs), ()
    inside = names_inside(reply.names, declared.classes) if len(reply.names) == reply.outputs else ()
    if inside:
        return inside, (finding("labels-from-model", names=one_line(", ".join(inside))),)
    if not declared.classes:
        return _numbered(reply.outputs), ()
    return declared.labels, (finding("labels-missing"),)


def _numbered(outputs: int) -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(outputs))


def _without_background(labels: tuple[str, ...], outputs: int) -> tuple[str, ...]:
    """The labels without jetson-inference's first label BACKGROUND, for which a classifier has no output."""
    if len(labels) == outputs + 1 and labels[0].casefold() == "background":
        return labels[1:]
    return labels


def _kept(model: HandedModel, reply: ConversionReply, outputs: Path, context: StageContext) -> tuple[Blob, Blob | None]:
    """Store the model for later stages, and model.py if it needs that."""
    store = context.store
    if not reply.native:
        if not (outputs / "model.onnx").is_file():
            raise Rejected(sentence("reply-not-sent", name="model.onnx"))
        return store.put(outputs / "model.onnx", "model.onnx"), None
    factory = model.companions.get("model.py")
    return store.put(model.file, "model"), store.put(factory, "model.py") if factory else None


def _noticed(reply: ConversionReply, conversion: Conversion, declared: _Declared) -> list[Finding]:
    found = []
    if reply.native == "differs":
        found.append(finding("conversion-differs", difference=reply.max_abs_difference or 0.0))
    if reply.native == "not-converted":
        found.append(finding("model-not-converted", reason=sentence("no-onnx-equivalent", format=reply.source_format)))
    if conversion.assumed:
        found.append(finding("preprocessing-assumed", what=conversion.assumed))
    said = declared.handin.output if declared.handin else None
    if reply.output_kind == "logits" and (said == "probabilities" or (said is None and reply.within_unit)):
        found.append(finding("outputs-not-probabilities"))
    found += about_outputs(reply, conversion.labels)
    if reply.only_original_varies:
        found.append(finding("answers-vary"))
    return found
