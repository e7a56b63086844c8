"""A class of twelve submissions, each with another fate, made from a seed: what the report's tests show."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from harness.findings import finding
from harness.gradebook.results import (
    AssignmentResult,
    ReferenceResult,
    Results,
    RunInfo,
    SubmissionResult,
    submission_result,
)
from harness.inputs.images import HeldOutSet, load
from harness.report import Sources
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.benchmark import Benchmark, CheckedAnswers, Latency
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.evaluation import CalibrationBin, ClassScore, Evaluation, Mistake
from harness.stages.evidence.execution import (
    CellChange,
    CellError,
    DifferenceLine,
    Execution,
    FailedExecution,
)
from harness.stages.evidence.grade import Grade, Mark
from harness.stages.evidence.inspection import Inspection, LayerComparison
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.reading import Claim, Curve, NotebookReading, Question, Shown, Step
from harness.stages.evidence.record import Blob, Interval
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.robustness import Look
from harness.stages.evidence.stage_result import Done, Failed, Skipped, Usage
from harness.stages.evidence.submission import Evidence
from harness.stages.store import Store

CLASSES = ("ball", "book", "bottle", "mug", "plant")
PER_CLASS = 30
HOSTILE_NAME = '<img src=x onerror="window.pwned=1">\u202egnp.exe'
_PREPROCESS = Preprocess(
    width=224,
    height=224,
    colour="RGB",
    scale=1 / 255,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    resize="shorter-side-crop",
    crop_fraction=0.875,
)


@dataclass(frozen=True, slots=True)
class SyntheticClass:
    results: Results
    sources: Sources


def build(folder: Path) -> SyntheticClass:
    """The class; its images and notebooks lie under `folder`."""
    rng = np.random.default_rng(7)
    held_out = _images(folder / "heldout", rng)
    store = Store(folder / "store")
    reference_right = _answers(rng, 0.927)
    reference = _reference(reference_right)
    hand_ins = list(_hand_ins(rng, reference_right, store, folder))
    results = Results(
        schema=1,
        assignment=AssignmentResult(
            title="Recognise five objects by transfer learning",
            task="classification",
            file="/srv/courses/ml4/assignment.toml",
            max_points=100,
        ),
        reference=ReferenceResult(
            backbone=reference.backbone,
            accuracy=reference.evaluation.accuracy,
            accuracy_interval=reference.evaluation.accuracy_interval,
            images=reference.evaluation.images,
            training_seconds=reference.training_seconds,
            latency=reference.latency,
        ),
        run=RunInfo(
            harness="0.1.0",
            sandbox="bubblewrap",
            sandbox_reason="no Docker Engine answers here",
            not_enforced=("memory is limited for each process, not for all of them together",),
            finished="2026-11-24T13:59:11+00:00",
        ),
        submissions=tuple(result for result, _ in hand_ins),
    )
    evidence = {result.id: found for result, found in hand_ins}
    return SyntheticClass(results, Sources(evidence, reference, held_out, store))


# --- images -----------------------------------------------------------------------------------


def _images(folder: Path, rng: np.random.Generator) -> HeldOutSet:
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(PER_CLASS):
            _image(name, rng).save(folder / name / f"{i:02}.jpg", quality=85)
    return load(folder)


def _image(name: str, rng: np.random.Generator) -> Image.Image:
    def colour(low: int, high: int) -> tuple[int, int, int]:
        red, green, blue = rng.integers(low, high, 3)
        return int(red), int(green), int(blue)

    ramp = np.linspace(0.7, 1.0, 200)[:, None, None] * np.array(colour(120, 235))[None, None, :]
    noise = rng.normal(0, 6, (200, 240, 3))
    image = Image.fromarray(np.clip(np.broadcast_to(ramp, (200, 240, 3)) + noise, 0, 255).astype("uint8"))
    draw = ImageDraw.Draw(image)
    x, y, size = int(rng.integers(85, 155)), int(rng.integers(85, 115)), int(rng.integers(38, 62))
    body, dark = colour(40, 210), colour(20, 80)
    match name:
        case "ball":
            draw.ellipse((x - size, y - size, x + size, y + size), fill=body)
            draw.ellipse((x - size // 2, y - size * 2 // 3, x - size // 6, y - size // 3), fill=colour(220, 255))
        case "book":
            draw.rectangle((x - size, y - size * 3 // 4, x + size, y + size * 3 // 4), fill=body)
            draw.rectangle((x - size, y - size * 3 // 4, x - size + 9, y + size * 3 // 4), fill=dark)
        case "bottle":
            draw.rounded_rectangle((x - size // 3, y - size // 2, x + size // 3, y + size), 8, fill=body)
            draw.rectangle((x - size // 8, y - size, x + size // 8, y - size // 2), fill=dark)
        case "mug":
            draw.ellipse((x + size // 4, y - size // 2, x + size, y + size // 2), outline=body, width=9)
            draw.rounded_rectangle((x - size * 2 // 3, y - size, x + size // 2, y + size), 9, fill=body)
        case "plant":
            for angle in np.linspace(-2.6, -0.5, 7):
                tip = (x + size * 1.4 * math.cos(angle), y + size * 1.4 * math.sin(angle))
                draw.line([(x, y + size // 3), tip], fill=(30, 120, 50), width=8)
            draw.rectangle((x - size // 2, y + size // 3, x + size // 2, y + size), fill=dark)
    return image


# --- scores -------------------------------------------------------------------------------------


def _answers(rng: np.random.Generator, accuracy: float, swapped: bool = False) -> np.ndarray[Any, Any]:
    """A predicted class for each image, wrong more often for neighbours in the alphabet."""
    truth = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
    wrong = rng.random(len(truth)) > accuracy
    answers = np.where(wrong, (truth + rng.choice([1, 1, 2, 4], len(truth))) % len(CLASSES), truth)
    if swapped:
        answers = np.array([1, 0, 2, 4, 3])[answers]
    return answers


def _wilson(right: int, total: int) -> Interval:
    z, share = 1.96, right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def _failures(accuracy: float, wrong: list[int]) -> dict[str, Any]:
    """What the stress stage and calibration add to a score."""
    costs = {"brightness": 0.04, "blur": 0.12, "noise": 0.2, "rotation": 0.16, "occlusion": 0.1, "colour-cast": 0.01}
    grid = np.exp(-((np.indices((8, 8)) - np.array([[[2.5]], [[4.0]]])) ** 2).sum(axis=0) / 6)
    return {
        "robustness": {n: {s: max(0.0, accuracy - c * s**0.5) for s in (1, 3, 5)} for n, c in costs.items()},
        "robustness_images": 40,
        "robustness_clean": accuracy,
        "unseen_auroc": 0.91,
        "unseen_images": 30,
        "unseen_confidence": 0.44,
        "unseen_source": "patterns",
        "calibration": tuple(
            CalibrationBin(images=8 * i, confidence=0.1 * i + 0.05, accuracy=max(0.0, 0.1 * i - 0.06))
            for i in range(4, 10)
        ),
        "looks": tuple(
            Look(
                image=image,
                label=CLASSES[2],
                confidence=0.93,
                least=0.41,
                seen_part=(0.06, 0.06, 0.94, 0.94),
                drops=tuple(tuple(round(0.5 * float(v), 4) for v in row) for row in grid),
            )
            for image in wrong[:3]
        ),
    }


def _evaluation(
    answers: np.ndarray[Any, Any], reference: np.ndarray[Any, Any] | None, rng: np.random.Generator
) -> Evaluation:
    truth = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
    right = answers == truth
    confusion = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(confusion, (truth, answers), 1)
    wrong = [int(i) for i in np.flatnonzero(~right)]
    sure = sorted((float(rng.uniform(0.4, 0.999)) for _ in wrong), reverse=True)
    accuracy = float(right.mean())
    interval = _wilson(int(right.sum()), len(truth))
    compared: dict[str, Any] = {}
    if reference is not None:
        gain = right.astype(float) - (reference == truth)
        half = 1.96 * float(gain.std()) / math.sqrt(len(truth))
        difference = float(gain.mean())
        compared = {
            "reference_accuracy": float((reference == truth).mean()),
            "difference": difference,
            "difference_interval": (difference - half, difference + half),
            "mcnemar_p": min(1.0, 2 * math.exp(-abs(difference) * 60)),
        }
    return Evaluation(
        images=len(truth),
        classes=CLASSES,
        accuracy=accuracy,
        accuracy_interval=interval,
        balanced_accuracy=accuracy,
        balanced_accuracy_interval=interval,
        macro_f1=max(accuracy - 0.004, 0.0),
        macro_f1_interval=interval,
        log_loss=float(1.6 * (1 - accuracy) + 0.08),
        calibration_error=float(0.03 + 0.2 * (1 - accuracy)),
        per_class=tuple(
            ClassScore(
                name=name,
                images=PER_CLASS,
                precision=float(confusion[i, i] / confusion[:, i].sum()) if confusion[:, i].sum() else None,
                recall=float(confusion[i, i] / PER_CLASS),
            )
            for i, name in enumerate(CLASSES)
        ),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        confusion_other=(0,) * len(CLASSES),
        mistakes=tuple(
            Mistake(image=i, truth=CLASSES[truth[i]], predicted=CLASSES[answers[i]], confidence=c)
            for i, c in list(zip(wrong, sure, strict=True))[:12]
        ),
        **compared,
        **_failures(accuracy, wrong),
    )


def _latency(samples: np.ndarray[Any, Any], megabytes: float) -> Latency:
    p50, p90, p99 = (float(p) for p in np.percentile(samples, [50, 90, 99]))
    return Latency(
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        throughput_per_s=1000 / float(samples.mean()),
        queries=len(samples),
        peak_memory_bytes=int(megabytes * 1e6),
    )


def _timings(rng: np.random.Generator, milliseconds: float) -> np.ndarray[Any, Any]:
    return milliseconds * (1 + rng.gamma(2.0, 0.025, 256))


def _benchmark(rng: np.random.Generator, milliseconds: float) -> Benchmark:
    samples, other = _timings(rng, milliseconds), _timings(rng, 11.8)
    model, reference = _latency(samples, 60 + milliseconds * 4), _latency(other, 96)
    ratio = model.p50_ms / reference.p50_ms
    return Benchmark(
        engine="onnxruntime 1.30.0 CPU",
        model=model,
        reference=reference,
        ratio=ratio,
        ratio_interval=(ratio * 0.97, ratio * 1.03),
        cpus=2,
        threads=2,
        warm_up_seconds=1,
        outputs_agree=True,
        answers=CheckedAnswers(checked=len(samples), different=0, largest_difference=3e-7),
        latencies_ms=tuple(float(s) for s in samples),
    )


def _conversion(source_format: str, assumed: str = "") -> Conversion:
    return Conversion(
        model=Blob(name="model.onnx", sha256="0" * 64, bytes=9_100_000),
        native=False,
        source_format=source_format,
        layout="NCHW",
        input_dtype="float32",
        dynamic_batch=True,
        outputs=len(CLASSES),
        output_kind="logits",
        labels=CLASSES,
        preprocess=_PREPROCESS,
        assumed=assumed,
        max_abs_difference=3.1e-7,
        images_compared=16,
        opset=18,
    )


def _inspection(verdict: str, rng: np.random.Generator) -> Inspection:
    if verdict == "from-scratch":
        return Inspection(
            total_parameters=1_240_325,
            trainable_parameters=1_240_325,
            new_layers=12,
            multiply_adds=84_000_000,
            file_bytes=4_980_112,
            uncounted_operators=(),
            weights_say="from-scratch",
            backbone=None,
        )
    frozen = 52 if verdict == "feature-extraction" else 0
    layers = tuple(
        LayerComparison(
            name=f"features.{i}.conv.{i % 3}.weight",
            identical=i < frozen,
            relative_change=0.0 if i < frozen else float(rng.uniform(0.02, 0.1) * (0.4 + i / 40)),
        )
        for i in range(52)
    )
    return Inspection(
        total_parameters=2_230_277,
        trainable_parameters=6_405 if frozen else 2_230_277,
        frozen_layers=frozen,
        moved_layers=52 - frozen,
        new_layers=1,
        first_moved_layer=None if frozen else 1,
        weights_used=True,
        outputs=5,
        outputs_fit=True,
        preprocessing_matches=True,
        multiply_adds=300_774_272,
        file_bytes=9_104_233,
        uncounted_operators=("NonMaxSuppression",) if verdict == "fine-tuned" else (),
        weights_say="feature-extraction" if frozen else "fine-tuned",
        backbone="mobilenet_v2",
        layers=layers,
        median_change=0.0 if frozen else 0.058,
    )


def _reference(answers: np.ndarray[Any, Any]) -> Reference:
    rng = np.random.default_rng(1)
    return Reference(
        backbone="mobilenet_v2",
        conversion=_conversion("exported"),
        predictions=_predictions(),
        evaluation=_evaluation(answers, None, rng),
        latency=_latency(_timings(rng, 11.8), 96),
        training_seconds=41.2,
        seed=1,
    )


def _predictions() -> Predictions:
    return Predictions(
        probabilities=Blob(name="probabilities.npy", sha256="1" * 64, bytes=3_128),
        labels=CLASSES,
        images=PER_CLASS * len(CLASSES),
        seconds_per_image=0.014,
    )


# --- notebooks ----------------------------------------------------------------------------------


def learning_curve() -> str:
    """A plot as a notebook holds it: PNG in base64."""
    image = Image.new("RGB", (520, 260), "white")
    draw = ImageDraw.Draw(image)
    draw.line([(40, 20), (40, 230), (500, 230)], fill="black")
    for shift, ink in ((0, "#1f77b4"), (26, "#ff7f0e")):
        curve = [(40 + 46 * i, 225 - shift - 150 * (1 - math.exp(-i / 2.5))) for i in range(11)]
        draw.line(curve, fill=ink, width=3)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}}


def _stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


NOTEBOOK_CELLS: list[dict[str, Any]] = [
    {
        "cell_type": "markdown",
        "source": "# Recognising five objects\n\nNames: *A. Student*, *B. Student*\n\n"
        "We **freeze** the base of MobileNetV2 and train a new head:\n\n- 60 photographs per class\n"
        "- 12 epochs, batch size `32`\n\n| class | photographs |\n|---|---|\n| mug | 60 |\n| ball | 60 |\n",
    },
    _code("import torch\nfrom torchvision import models\n\ntorch.manual_seed(1)  # the same each time\n"),
    _code(
        'model = models.mobilenet_v2(weights="DEFAULT")\nfor p in model.features.parameters():\n'
        "    p.requires_grad = False\nmodel.classifier[1] = torch.nn.Linear(1280, 5)\n"
        "sum(p.numel() for p in model.parameters() if p.requires_grad)",
        {"output_type": "execute_result", "data": {"text/plain": ["6405"], "text/html": "<b>6405</b>"}},
    ),
    _code(
        "for epoch in range(12):\n    loss, accuracy = fit_one_epoch(model, train)\n"
        '    print(f"epoch {epoch + 1:2d}  loss {loss:.3f}  accuracy {accuracy:.3f}")',
        _stream("\r 10%|#   |\r100%|####| 9/9\n", "stderr"),
        _stream("\n".join(f"epoch {i:2d}  loss {1.4 / i:.3f}  accuracy {1 - 0.5 / i:.3f}" for i in range(1, 13))),
    ),
    _code(
        "plot(history)",
        {"output_type": "display_data", "data": {"image/png": learning_curve(), "text/plain": "<Figure>"}},
    ),
    {
        "cell_type": "markdown",
        "source": "## Questions\n\n**Where does it fail?** A white mug from above looks like a ball: "
        "4 of our 10 new images of it were named *ball*.",
    },
]
_STOPPED = _code(
    "accuracy = evaluate(modle, test)",
    {
        "output_type": "error",
        "ename": "NameError",
        "evalue": "name 'modle' is not defined",
        "traceback": [
            "\x1b[31m---------------------------------------------------------------------------\x1b[39m",
            "\x1b[31mNameError\x1b[39m                                 Traceback (most recent call last)",
            "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[5]\x1b[39m\x1b[32m, line 1\x1b[39m\n"
            "\x1b[32m----> \x1b[39m\x1b[32m1\x1b[39m accuracy = evaluate(\x1b[43mmodle\x1b[49m, test)",
            "\x1b[31mNameError\x1b[39m: name 'modle' is not defined",
        ],
    },
)


CHANGES = (
    CellChange(
        cell=1,
        rules=("pip_install", "paths"),
        difference=(
            DifferenceLine(kind="removed", text="!pip install -q torchinfo"),
            DifferenceLine(kind="added", text="pass  # not run: !pip install -q torchinfo"),
            DifferenceLine(kind="kept", text="import torch"),
            DifferenceLine(kind="removed", text="ROOT = '/content/drive/MyDrive/flowers'"),
            DifferenceLine(kind="added", text="ROOT = '/work/handin/flowers'"),
        ),
    ),
    CellChange(
        cell=3,
        rules=("no_gpu",),
        difference=(
            DifferenceLine(kind="removed", text="model = model.cuda()"),
            DifferenceLine(kind="added", text="model = model"),
            DifferenceLine(kind="kept", text=""),
        ),
    ),
)

READING = Done[NotebookReading](
    value=NotebookReading(
        code_cells=4,
        shown=Shown(
            has_outputs=True,
            curves=(
                Curve(
                    cell=3,
                    epochs=8,
                    planned=10,
                    metrics={
                        "loss": (1.61, 1.12, 0.83, 0.61, 0.48, 0.39, 0.31, 0.26),
                        "val_loss": (1.40, 1.05, 0.88, 0.74, 0.69, 0.66, 0.67, 0.70),
                        "accuracy": (0.31, 0.55, 0.68, 0.77, 0.83, 0.87, 0.91, 0.93),
                        "val_accuracy": (0.42, 0.58, 0.66, 0.72, 0.75, 0.77, 0.77, 0.76),
                    },
                ),
                Curve(cell=4, epochs=2, planned=2, metrics={"loss": (0.4, 0.3), "val_accuracy": (None, 0.8)}),
            ),
            batch_size=16,
            parameters=14_739_269,
            trainable_parameters=24_581,
            frozen_parameters=14_714_688,
            claim=Claim(kind="test", accuracy=0.98, cell=4, words="Test accuracy: 0.98"),
        ),
        steps=(
            Step(name="Load and plot the data", cell=2, title="2. Loading the data", has_code=True, has_words=True),
            Step(name="Define the model", cell=4, title="The network", has_code=True, has_words=False),
            Step(name="Save the model", cell=None, title="", has_code=False, has_words=False),
        ),
        questions=(
            Question(
                name="Where does it fail?",
                cell=6,
                title="Where does it fail?",
                answered=True,
                answer="A white mug from above looks like a ball: 4 of our 10 new images of it were named ball.",
            ),
            Question(name="Why is it built this way?", cell=7, title="Why?", answered=False, answer=""),
        ),
    )
)


def keep_notebook(store: Store, folder: Path, content: bytes) -> Blob:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "executed.ipynb"
    file.write_bytes(content)
    return store.put(file, "notebook.ipynb")


def _complete_run(store: Store, folder: Path) -> Done[Execution]:
    content = json.dumps({"cells": NOTEBOOK_CELLS, "nbformat": 4}).encode()
    execution = Execution(
        notebook=keep_notebook(store, folder, content),
        code_cells=4,
        executed_cells=4,
        errors=(),
        produced=(),
        changes=CHANGES,
        given=("flowers/train: 240 images", "flowers/validation: 60 images"),
    )
    return Done[Execution](value=execution, usage=_NOTEBOOK_USAGE)


def _half_way(store: Store, folder: Path, kind: Any, name: str, message: str) -> Execution:
    cells = [*NOTEBOOK_CELLS[:5], _STOPPED, NOTEBOOK_CELLS[5]]
    blob = keep_notebook(store, folder, json.dumps({"cells": cells, "nbformat": 4}).encode())
    error = CellError(cell=5, kind=kind, name=name, message=message, traceback="")
    return Execution(notebook=blob, code_cells=6, executed_cells=5, errors=(error,), produced=())


def _stopped_run(store: Store, folder: Path) -> FailedExecution:
    why = "NameError: name 'modle' is not defined"
    return FailedExecution(
        status="failed",
        reason=f"Cell 5 stopped with {why}.",
        findings=(finding("cell-error", cell=5, error=why),),
        usage=_NOTEBOOK_USAGE,
        execution=_half_way(store, folder, "error", *why.split(": ")),
    )


_NOTEBOOK_USAGE = Usage(
    seconds=48.3,
    peak_memory_bytes=1_420_000_000,
    log="[agent] kernel started\n[agent] \x1b[32mdone\x1b[0m\n",
)


# --- submissions -----------------------------------------------------------------------------------


def _hand_ins(
    rng: np.random.Generator, reference: np.ndarray[Any, Any], store: Store, folder: Path
) -> Iterable[tuple[SubmissionResult, Evidence]]:
    good = _complete_run(store, folder)
    stopped = _stopped_run(store, folder)
    no_notebook = Skipped(reason="There is no notebook.")

    def scored(
        id: str,
        student: str,
        accuracy: float,
        milliseconds: float,
        verdict: str = "feature-extraction",
        *,
        execute: Done[Execution] | FailedExecution | Skipped = good,
        swapped: bool = False,
        findings: Iterable[Any] = (),
        manual: bool = False,
        source_format: str = "state_dict",
        dataset: bool = True,
    ) -> tuple[SubmissionResult, Evidence]:
        answers = _answers(rng, accuracy, swapped)
        score = _evaluation(answers, reference, rng)
        assumed = "ImageNet mean and std" if source_format == "onnx" else ""
        audit = DatasetAudit(
            classes={name: int(rng.integers(41, 75)) for name in CLASSES},
            unreadable=("mug/IMG_0042.HEIC",) if milliseconds > 30 else (),
        )
        evidence = Evidence(
            read=READING if isinstance(execute, Done) else Skipped(reason="There is no notebook."),
            execute=execute,
            audit=Done(value=audit, usage=Usage(seconds=1.9, peak_memory_bytes=88_000_000))
            if dataset
            else Skipped(reason="There is no data set."),
            convert=Done(
                value=_conversion(source_format, assumed),
                findings=(finding("preprocessing-assumed", what=assumed),) if assumed else (),
                usage=Usage(seconds=11.2, peak_memory_bytes=910_000_000),
            ),
            predict=Done(value=_predictions(), usage=Usage(seconds=5.3, peak_memory_bytes=310_000_000)),
            inspect=Done(value=_inspection(verdict, rng), usage=Usage(seconds=2.2, peak_memory_bytes=260_000_000)),
            evaluate=Done(value=score, findings=tuple(findings), usage=Usage(seconds=0.6)),
            benchmark=Done(
                value=_benchmark(rng, milliseconds), usage=Usage(seconds=9.4, peak_memory_bytes=120_000_000)
            ),
        )
        ran = isinstance(execute, Done) and execute.value.complete
        marks = _marks(score, milliseconds / 11.8, ran, manual)
        return _result(id, student, evidence, marks, "needs-review" if manual else "graded")

    def unscored(id: str, student: str, evidence: dict[str, Any], why: str) -> tuple[SubmissionResult, Evidence]:
        nothing = Skipped(reason="There is no usable model.")
        stages: dict[str, Any] = dict.fromkeys(
            ("audit", "convert", "predict", "inspect", "evaluate", "benchmark"), nothing
        )
        found = Evidence(**{**stages, **evidence})
        marks = tuple(
            Mark(criterion=criterion, title=title, points=0, max_points=max_points, reason=reason)
            for criterion, title, max_points, reason in (
                ("notebook_runs", "The notebook runs", 15, why),
                ("model_predicts", "The model predicts", 10, "There is no usable model."),
                ("accuracy_vs_reference", "Accuracy against the reference", 45, "There is no score."),
                ("latency_vs_reference", "Latency against the reference", 10, "No latency was measured."),
                ("manual", "Open questions", 20, "No answers were handed in."),
            )
        )
        return _result(id, student, found, marks, "failed")

    yield scored("team-01", "Anna de Vries, Bram Jansen", 0.92, 11.6)
    yield scored("team-02", "Chidi Okafor", 0.945, 12.1, "fine-tuned")
    yield scored("team-03", "Zoë Ångström", 0.88, 44.0, source_format="keras", manual=True)
    yield scored(
        "team-04",
        "Dana Levi",
        0.86,
        11.9,
        "fine-tuned",
        findings=[finding("no-layer-frozen", layers=52, backbone="mobilenet_v2", moved=0.058)],
    )
    yield scored(
        "team-05",
        "Emil Novák",
        0.91,
        11.7,
        swapped=True,
        findings=[finding("labels-swapped", swaps="ball ↔ book, mug ↔ plant", would=0.913, is_=0.187)],
    )
    yield scored(
        "team-06",
        "Fatima al-Fihri",
        0.55,
        12.0,
        execute=no_notebook,
        source_format="onnx",
        dataset=False,
        findings=[finding("preprocessing-mismatch", is_=0.55, images=50, other="BGR, caffe means", would=0.9)],
    )
    yield scored("team-07", "Gustav Holm", 0.63, 3.1, "from-scratch", findings=[finding("trained-from-scratch")])
    yield scored("team-08", "Hana Suzuki 鈴木花", 0.9, 11.8, execute=stopped, manual=True)
    yield unscored(
        "team-09",
        "Ivan Petrov",
        {
            "execute": FailedExecution(
                status="timeout",
                execution=_half_way(store, folder, "timeout", "CellTimeoutError", "120 s are over"),
                reason="The notebook was still running after 300 s and was stopped.",
                findings=(finding("cell-timeout", cell=3, seconds=120),),
                usage=Usage(seconds=300.2, peak_memory_bytes=2_100_000_000, log="epoch 1 ...\n" * 40),
            )
        },
        "The notebook was still running after 300 s and was stopped.",
    )
    yield unscored(
        "team-10",
        "Julia Rossi",
        {
            "execute": no_notebook,
            "convert": Failed(
                status="failed",
                reason="model.pt cannot be loaded: the file ends in the middle.",
                findings=(finding("model-unreadable", name="model.pt", reason="the file ends in the middle"),),
                usage=Usage(seconds=3.4, log="EOFError: Ran out of input\n"),
            ),
        },
        "There is no notebook.",
    )
    hostile_cell = _code(
        "<script>window.pwned=1</script>",
        {"output_type": "display_data", "data": {"text/html": "<script>window.pwned=1</script>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='window.pwned=1'/>"}},
        {"output_type": "display_data", "data": {"image/png": "bm90IGEgcG5n"}},
        _stream("\x1b]8;;javascript:window.pwned=1\x07<img src=x onerror=window.pwned=1>\x1b]8;;\x07"),
    )
    hostile_text = {"cell_type": "markdown", "source": "# <img src=x onerror=window.pwned=1>\n[a](javascript:pwn)"}
    blob = keep_notebook(store, folder, json.dumps({"cells": [hostile_text, hostile_cell]}).encode())
    hostile = Execution(notebook=blob, code_cells=1, executed_cells=1, errors=(), produced=())
    yield scored(
        "team-11",
        HOSTILE_NAME,
        0.84,
        13.0,
        execute=Done[Execution](
            value=hostile,
            findings=(
                finding("network-attempt", cell=1, what="<script>fetch('http://evil.example')</script>"),
                finding("outside-read", cell=1, path="/etc/passwd"),
            ),
        ),
        source_format="whole_module",
    )
    yield scored("team-12", "Karim Benali", 0.935, 11.7, source_format="exported")


def _marks(score: Evaluation, ratio: float, ran: bool, manual: bool) -> tuple[Mark, ...]:
    assert score.difference is not None
    share = min(max((score.difference + 0.45) / 0.42, 0), 1)
    speed = min(max((10 - ratio) / 8.5, 0), 1)
    return (
        Mark(
            criterion="notebook_runs",
            title="The notebook runs",
            points=15 if ran else 5,
            max_points=15,
            reason="Every code cell ran to its end." if ran else "Not every code cell ran to its end.",
        ),
        Mark(
            criterion="model_predicts",
            title="The model predicts",
            points=10,
            max_points=10,
            reason="The model gave probabilities for all 150 held-out images.",
        ),
        Mark(
            criterion="accuracy_vs_reference",
            title="Accuracy against the reference",
            points=round(45 * share, 2),
            max_points=45,
            reason=f"The accuracy is {score.difference:+.1%} from the reference's; −3% gives all points, −45% none.",
        ),
        Mark(
            criterion="latency_vs_reference",
            title="Latency against the reference",
            points=round(10 * speed, 2),
            max_points=10,
            reason=f"One image takes {ratio:.2f} times as long as with the reference; 1.5 times gives all points.",
        ),
        Mark(
            criterion="manual",
            title="Open questions",
            points=None if manual else 16,
            max_points=20,
            reason="A person reads the answers."
            if manual
            else "Good measurements; the choice of batch size is not explained.",
        ),
    )


def _result(
    id: str, student: str, evidence: Evidence, marks: tuple[Mark, ...], status: Any
) -> tuple[SubmissionResult, Evidence]:
    grade = Grade(
        status=status,
        marks=marks,
        points=round(sum(mark.points or 0 for mark in marks), 2),
        max_points=sum(mark.max_points for mark in marks),
    )
    return submission_result(id, student, evidence, grade, frozenset({"audit"})), evidence
