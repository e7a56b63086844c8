"""A class of twelve submissions, each with another fate, made from a seed: what the report's tests show."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_images import CLASSES, held_out_images
from synthetic_models import (
    benchmark_of,
    conversion_of,
    drawn_answers,
    evaluation_of,
    inspection_of,
    reference_of,
    some_predictions,
)
from synthetic_notebooks import READING, code_cell, complete_run, half_way, keep_notebook, stopped_run, stream_output

from harness.findings import finding
from harness.gradebook.results import (
    AssignmentResult,
    ReferenceResult,
    Results,
    RunInfo,
    SubmissionResult,
    submission_result,
)
from harness.report import Sources
from harness.stages.evidence.alike import AlikePair, AlikeTexts, Passage
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.execution import (
    Execution,
    FailedExecution,
)
from harness.stages.evidence.grade import Grade, Mark
from harness.stages.evidence.stage_result import Done, Failed, Skipped, Usage
from harness.stages.evidence.submission import Evidence
from harness.stages.store import Store

HOSTILE_NAME = '<img src=x onerror="window.pwned=1">\u202egnp.exe'


@dataclass(frozen=True, slots=True)
class SyntheticClass:
    results: Results
    sources: Sources


def build(folder: Path) -> SyntheticClass:
    """The class; its images and notebooks lie under `folder`."""
    rng = np.random.default_rng(7)
    held_out = held_out_images(folder / "heldout", rng)
    store = Store(folder / "store")
    reference_right = drawn_answers(rng, 0.927)
    reference = reference_of(reference_right)
    submissions = list(_submissions(rng, reference_right, store, folder))
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
        submissions=tuple(result for result, _ in submissions),
        texts=_alike("team-03", "team-08"),
    )
    evidence = {result.id: found for result, found in submissions}
    return SyntheticClass(results, Sources(evidence, reference, held_out, store))


def _alike(one: str, other: str) -> AlikeTexts:
    answer = "The loss on unseen images rises after epoch 12, so from there on the network learns its images by heart."
    passages = (
        Passage(is_code=False, cell=7, text=answer, other_cell=9, other_text=f"{answer} <b>", characters=103),
        Passage(is_code=True, cell=8, text="plt.plot(x)", other_cell=10, other_text="plt.plot(y)", characters=90),
    )
    pair = AlikePair(
        id=one, other_id=other, characters=193, share=0.12, passages=passages, more_passages=2, say_one_group=True
    )
    return AlikeTexts(compared=10, pairs=(pair,), more_pairs=1, cut=("team-09",), without_starter=True)


def _submissions(
    rng: np.random.Generator, reference: np.ndarray[Any, Any], store: Store, folder: Path
) -> Iterable[tuple[SubmissionResult, Evidence]]:
    good = complete_run(store, folder)
    stopped = stopped_run(store, folder)
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
        answers = drawn_answers(rng, accuracy, swapped)
        score = evaluation_of(answers, reference, rng)
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
                value=conversion_of(source_format, assumed),
                findings=(finding("preprocessing-assumed", what=assumed),) if assumed else (),
                usage=Usage(seconds=11.2, peak_memory_bytes=910_000_000),
            ),
            predict=Done(value=some_predictions(), usage=Usage(seconds=5.3, peak_memory_bytes=310_000_000)),
            inspect=Done(value=inspection_of(verdict, rng), usage=Usage(seconds=2.2, peak_memory_bytes=260_000_000)),
            evaluate=Done(value=score, findings=tuple(findings), usage=Usage(seconds=0.6)),
            benchmark=Done(
                value=benchmark_of(rng, milliseconds), usage=Usage(seconds=9.4, peak_memory_bytes=120_000_000)
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
                execution=half_way(store, folder, "timeout", "CellTimeoutError", "120 s are over"),
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
    hostile_cell = code_cell(
        "<script>window.pwned=1</script>",
        {"output_type": "display_data", "data": {"text/html": "<script>window.pwned=1</script>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='window.pwned=1'/>"}},
        {"output_type": "display_data", "data": {"image/png": "bm90IGEgcG5n"}},
        stream_output("\x1b]8;;javascript:window.pwned=1\x07<img src=x onerror=window.pwned=1>\x1b]8;;\x07"),
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
            more="" if share == 1 else 'Use the pixel scaling of preprocess="zero-one": 55.0% -> 90.0% of 50 images.',
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
