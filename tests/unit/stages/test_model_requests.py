"""What stages that run a model send into the sandbox: the whole request, the inputs, and what the job may use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asked import JOB, LIMITS, Place, but_seconds, kept, model_of, place_in
from hostile import Sends, conversion, npy, predictions

from harness.inputs.assignment.sections import (
    BenchmarkRules,
    Robustness,
)
from harness.inputs.images import StagedImages
from harness.sandbox import KERAS
from harness.sandbox.engine import Job, Limits
from harness.stages.benchmark import benchmark
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.detection.detector import open_detector
from harness.stages.inspect import inspect
from harness.stages.kernels import kernels
from harness.stages.precision import in_precision
from harness.stages.predict import predict
from harness.stages.robustness import Trial, run_robustness
from harness.stages.timing import Budget, Setting, Subject, time_round

RULE = {
    "width": 32, "height": 32, "colour": "RGB", "scale": 1.0, "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0],
    "resize": "stretch", "crop_fraction": 1.0,
}  # fmt: skip
MODEL = {"layout": "NCHW", "input_dtype": "float32", "rule": RULE, "output_kind": "probabilities"}
ANSWERING = MODEL | {"native": False, "factory": False, "dynamic_batch": True, "labels": 3, "cpus": 3}
ANSWERS = np.asarray([[1, 0, 0]] * 70, np.float32)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


def test_convert(place: Place):
    handin = {"schema": 1, "classes": ["mug", "ball"]} | RULE | {"height": 48}
    (place.folder / "handin.json").write_text(json.dumps(handin))
    companions = {"handin.json": place.folder / "handin.json", "model.py": place.file("model.py")}
    model = HandedModel(place.file("model.pth"), companions)
    images = [place.folder / name for name in place.staged.names]
    convert(model, None, images, place.folder / "weights", place.context)
    assert place.request == {
        "labels": 2, "rule": RULE | {"height": 48}, "size": [48, 32], "factory": True, "onnx": True, "cpus": 3,
        "output": None, "data": {},
    }  # fmt: skip
    assert place.job.inputs == {
        "model": model.file, "model.py": place.folder / "model.py", "weights": place.folder / "weights",
    }  # fmt: skip
    assert sorted(place.job.images["check"]) == sorted(images[:16]) and place.job.limits == JOB


def test_convert_without_companions(place: Place):
    convert(HandedModel(place.file("model.onnx")), ("mug", "ball", "lamp"), [], None, place.context)
    assert place.request == {
        "labels": 3, "rule": None, "size": None, "factory": False, "onnx": True, "cpus": 3, "output": None, "data": {},
    }  # fmt: skip
    assert place.job.inputs == {"model": place.folder / "model.onnx"}


def test_external_data_is_mounted_under_a_name_of_ours(place: Place):
    """The location is the student's word, and no place in the sandbox's file system."""
    beside = {"external data: ../parts/w.bin": place.file("w.bin"), "external data: model": place.file("other.bin")}
    convert(HandedModel(place.file("model.onnx"), beside), ("mug", "ball"), [], None, place.context)
    assert place.request["data"] == {"../parts/w.bin": "data-0", "model": "data-1"}
    assert place.job.inputs == {
        "model": place.folder / "model.onnx", "data-0": place.folder / "w.bin", "data-1": place.folder / "other.bin",
    }  # fmt: skip


@pytest.mark.parametrize(("memory", "given"), [(3 * 10**9, 5 * 10**9), (7 * 10**9, 7 * 10**9)])
def test_a_keras_model_is_converted_in_its_environment_with_enough_memory(place: Place, memory: int, given: int):
    place.engine.files = {"needs.json": b'{"environment": "keras", "why": "x"}'}
    limits = LIMITS.model_copy(update={"memory": memory})
    context = StageContext(place.engine, place.context.store, limits)
    convert(HandedModel(place.file("model.h5")), ("a", "b"), [], None, context)
    first, second = place.engine.jobs
    assert (first.limits.memory_bytes, second.limits.memory_bytes) == (memory, given)
    assert second.software == KERAS != first.software and first.request == second.request


def test_a_keras_model_that_is_too_large_to_convert_is_taken_as_it_is(place: Place):
    place.engine.files = {"needs.json": b'{"environment": "keras", "why": "x"}'}

    class TooLarge(Sends):
        def run(self, job: Job, outputs: Path) -> Any:
            self.status = "memory" if job.software == KERAS else "ok"
            return super().run(job, outputs)

    engine = TooLarge(place.engine.files)
    convert(HandedModel(place.file("model.h5")), None, [], None, StageContext(engine, place.context.store, LIMITS))
    assert [json.loads(job.request)["onnx"] for job in engine.jobs] == [True, True, False]


def test_predict(place: Place):
    model = model_of(place)
    predict(model, place.staged, place.context)
    request = place.request
    again, probes = request.pop("again"), request.pop("probes")
    assert request == ANSWERING | {"probe_seconds": 400}
    assert len(again) == 16 and again == sorted(set(again)) and len(probes) == 40 and probes == sorted(set(probes))
    assert (place.job.inputs, len(place.job.images["images"]), place.job.limits) == (kept(place, model), 70, JOB)


def test_predict_with_a_models_own_code(place: Place):
    store = place.context.store
    code = store.put(place.file("model.py"), "model.py")
    model = model_of(place, native=True, factory=code, environment="keras", dynamic_batch=False, outputs=5)
    predict(model, place.staged, place.context)
    assert {key: place.request[key] for key in ("native", "factory", "dynamic_batch", "labels")} == {
        "native": True, "factory": True, "dynamic_batch": False, "labels": 5,
    }  # fmt: skip
    assert place.job.inputs == kept(place, model) | {"model.py": store.path(code)}
    assert place.job.software == KERAS


def test_a_models_own_code_is_asked_again_in_a_sandbox_of_its_own(place: Place):
    def sent(job: Job) -> dict[str, bytes]:
        request, images = json.loads(job.request), len(job.images["images"])
        rows = [[[1, 0, 0]] * count for count in (images, len(request["again"]))]
        return {
            "predictions.json": b'{"seconds_per_image": 1, "probed": 0, "probes": []}',
            "probabilities.npy": npy(np.asarray(rows[0], np.float32)),
            "again.npy": npy(np.asarray(rows[1], np.float32).reshape(-1, 3)),
        }

    place.engine.files = sent
    predict(model_of(place, native=True), place.staged, place.context)
    first, second = place.engine.jobs
    assert (len(first.images["images"]), len(second.images["images"])) == (70, 16)
    assert json.loads(second.request)["again"] == [] and json.loads(second.request)["probes"] == []


def test_inspect(place: Place):
    model = model_of(place)
    backbones = {"vgg16": place.file("a.pth"), "resnet18": place.file("b.safetensors")}
    inspect(model, backbones, place.staged, 3, place.context)
    assert place.request == ANSWERING | {
        "backbones": {"vgg16": "backbone-0.pth", "resnet18": "backbone-1.safetensors"},
        "detects": False,
    }  # fmt: skip
    assert place.job.inputs == kept(place, model) | {
        "backbone-0.pth": place.folder / "a.pth", "backbone-1.safetensors": place.folder / "b.safetensors",
    }  # fmt: skip
    assert (len(place.job.images["images"]), place.job.limits) == (6, JOB)


def test_a_model_that_runs_as_it_is_gets_no_images_to_inspect(place: Place):
    inspect(model_of(place, native=True), {}, place.staged, 3, place.context)
    assert len(place.job.images["images"]) == 0


@pytest.mark.parametrize("has_unseen", [True, False])
def test_robustness(place: Place, has_unseen: bool):
    rules = Robustness(severities=(2, 4), corruptions=("noise", "blur"))
    unseen = StagedImages(place.folder, place.staged.names[:5], "5eed") if has_unseen else None
    run_robustness(model_of(place), Trial(rules, (3, 1, 2), (9, 8), unseen), place.staged, place.context)
    assert place.request == ANSWERING | {
        "versions": [["noise", 2], ["noise", 4], ["blur", 2], ["blur", 4]],
        "patterns": 0 if has_unseen else 30,
        "cells": 8,
        "seconds": 800,
    }
    counts = {name: len(files) for name, files in place.job.images.items()}
    assert counts == {"images": 3, "covered": 2} | ({"unseen": 5} if has_unseen else {})


@pytest.mark.parametrize(
    ("queries", "each", "most"), [(64, 11, 1667), (9_936, 1656, 1667), (9_939, 1657, 1668), (100_000, 16_667, 16_678)]
)
def test_benchmark(place: Place, queries: int, each: int, most: int):
    """Each of six processes does its share."""
    (place.folder / "r").mkdir()
    model, reference = model_of(place), conversion(place.context.store, place.folder / "r", layout="NHWC")
    answered = predictions(place.context.store, place.folder, ANSWERS)
    rules = BenchmarkRules(queries=queries, warm_up_seconds=3, min_seconds=4.5)
    benchmark(model, reference, answered, place.staged, rules, place.context)
    assert place.request == {
        "models": {"model": MODEL | {"file": "model"}, "reference": MODEL | {"file": "reference", "layout": "NHWC"}},
        "cpus": 3,
        "pairs": 6,
        "queries": each,
        "most_queries": most,
        "min_seconds": 0.75,
        "warm_up_seconds": 0.5,
        "budget_seconds": 700,
    }
    assert place.job.inputs == kept(place, model) | {"reference": place.context.store.path(reference.model)}
    assert (len(place.job.images["images"]), place.job.limits) == (64, JOB)


def test_a_reference_that_runs_as_it_is_is_not_timed(place: Place):
    model = model_of(place)
    answered = predictions(place.context.store, place.folder, ANSWERS)
    native = model.model_copy(update={"native": True})
    benchmark(model, native, answered, place.staged, BenchmarkRules(), place.context)
    assert set(place.request["models"]) == set(place.job.inputs) == {"model"}


def test_timing(place: Place):
    setting = Setting("cpu", "fp16", "end-to-end", 8, 2.5, Budget(3, 64, 99), 0.7, (1, 3))
    model = model_of(place)
    time_round(Subject(model, {}, "yolo"), setting, place.staged, None, place.context)
    assert place.request == MODEL | {
        "engine": "cpu",
        "precision": "fp16",
        "mode": "end-to-end",
        "scenario": {"rate_per_second": 2.5, "samples_per_query": 8},
        "budget": {"seconds": 3, "fewest": 64, "limit_seconds": 99, "most": 200_000},
        "warm_up_seconds": 0.7,
        "cores": [1, 3],
        "own_python": False,
        "dynamic_batch": True,
        "labels": 3,
        "factory": False,
        "head": "yolo",
    }
    assert place.job.inputs == kept(place, model)
    assert place.job.limits == Limits(1000, *but_seconds(JOB)[:-1], cores=(1, 3))
    assert len(place.job.images["images"]) == 64


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_precision(place: Place, precision: Any):
    model = model_of(place)
    in_precision(model, precision, place.staged if precision == "int8" else None, place.context)
    assert place.request == {"precision": precision, "layout": "NCHW", "input_dtype": "float32", "rule": RULE}
    assert place.job.inputs == kept(place, model)
    assert {name: len(files) for name, files in place.job.images.items()} == (
        {"calibration": 70} if precision == "int8" else {}
    )


def test_kernels_and_detector(place: Place):
    file = place.file("model.onnx")
    for asked, request in ((lambda: kernels(file, 48, 32, place.context), {"height": 48, "width": 32}),
                           (lambda: open_detector(file, place.context), {})):  # fmt: skip
        place.engine.jobs.clear()
        asked()
        assert (place.request, place.job.inputs, place.job.limits) == (request, {"model": file}, JOB)
