"""A stage's key is its request: each thing in it, whatever it is, leads to another result when it is another."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from example_detector import detector_answers, kept_nowhere
from example_evidence import BLOB, conversion, evidence

import harness.stages
from harness.bench.boards import load
from harness.bench.boards.stage import BoardsRequest
from harness.files.hashing import HashedFile
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import (
    BenchmarkRules,
    Dataset,
    ExecutionRules,
    HandIn,
    NotebookParts,
    OwnDataset,
    ReferenceSolution,
    Robustness,
)
from harness.inputs.given_weights import GivenWeights, KnownBackbones
from harness.inputs.images import HeldOutSet, StagedImages, TrainingImages
from harness.inputs.submission import Submission
from harness.inputs.weights import list_weights
from harness.stages.audit.request import AuditRequest
from harness.stages.audit.stage import AuditRules
from harness.stages.benchmark import BenchmarkRequest
from harness.stages.cache import canonical
from harness.stages.convert import HandedModel
from harness.stages.convert_candidates import ConvertRequest
from harness.stages.detection.benchmark import BenchmarkDetectorRequest, TimedDetector
from harness.stages.detection.convert import ConvertDetectorRequest
from harness.stages.detection.detect import DetectRequest
from harness.stages.detection.detect_worse import DetectWorseRequest
from harness.stages.detection.read_boxes import ReadBoxesRequest
from harness.stages.detection.score_boxes import ScoreBoxesRequest
from harness.stages.detection.swap_backgrounds import SwapBackgroundsRequest
from harness.stages.detection.train_detector import TrainDetectorRequest
from harness.stages.detection.unboxed import UnboxedRequest
from harness.stages.evaluate.stage import EvaluateRequest
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.evidence.swapped_backgrounds import SwappedBackgrounds
from harness.stages.evidence.worse_boxes import WorseBoxes
from harness.stages.execute.request import ExecuteRequest
from harness.stages.execute.rerun import Rerun
from harness.stages.held_out_scenes import ScenesRequest
from harness.stages.inspect import InspectRequest
from harness.stages.predict import PredictRequest
from harness.stages.read_notebook import ReadRequest
from harness.stages.robustness import RobustnessRequest
from harness.stages.train import TrainRequest

OTHER_BLOB = BLOB.model_copy(update={"sha256": "1" * 64})


def submission(content: str) -> Submission:
    return Submission("anna", "Anna", Path("/nowhere"), None, (), (), None, content, ())


def training(content: str, **dataset: Any) -> TrainingImages:
    return TrainingImages(Dataset(path=Path("/images"), **dataset), content, lambda: ())


def held_out(content: str) -> HeldOutSet:
    return HeldOutSet(("ball", "mug"), (), (), content)


def staged(content: str) -> StagedImages:
    return StagedImages(Path("/nowhere"), (), content)


def weights(content: str) -> GivenWeights:
    return GivenWeights(None, {}, {"vgg16": content})


def rerun(withheld: str, **asked: Any) -> Rerun:
    return Rerun(OwnDataset(**asked), lambda: None, withheld)  # type: ignore[arg-type,return-value]


@pytest.fixture
def others(tmp_path: Path) -> dict[type, dict[str, list[Any]]]:
    """Request -> field -> values that differ in what they stand for; the first makes the request that is altered."""

    def file(name: str, content: str) -> Path:
        (tmp_path / name).write_text(content)
        return tmp_path / name

    one, two = file("one.onnx", "1"), file("two.onnx", "2")
    models = [conversion(), conversion(model=OTHER_BLOB), conversion(labels=("mug", "ball"))]
    predictions = evidence().predict.value
    answers = [predictions, predictions.model_copy(update={"probabilities": OTHER_BLOB})]
    wanted = [HandIn(), HandIn(notebook="ignored"), HandIn(dataset="ignored"), HandIn(model="ignored")]
    sets, images = [held_out("1"), held_out("2")], [staged("1"), staged("2")]
    given, trained_on = [weights("1"), weights("2")], [training("1"), training("2"), training("1", mounted_as="other")]
    detected = [detector_answers(kept_nowhere(BLOB)), detector_answers(kept_nowhere(OTHER_BLOB))]
    nothing = kept_nowhere(BLOB)
    worse = WorseBoxes(
        images=(0,), seeds=(1,), versions=(), corrupted=nothing, unseen=nothing, unseen_images=1, unseen_source="folder"
    )
    handed_in = [submission("1"), submission("2")]
    kernels = KernelList(kernels=(), parameters=1, input=(1, 3, 8, 8))
    kernel_lists = [kernels, kernels.model_copy(update={"input": (1, 3, 9, 9)})]
    tried = RobustnessAnswers(
        images=(0,),
        versions=(),
        corrupted=BLOB,
        unseen=BLOB,
        unseen_source="patterns",
        labels=("ball",),
        occlusion_maps=(),
    )
    handed_models = [
        (HandedModel(one),),
        (),
        (HandedModel(two),),
        (HandedModel(one), HandedModel(two)),
        (HandedModel(two), HandedModel(one)),
        (HandedModel(one, {"labels.txt": two}),),
        (HandedModel(one, {"labels.txt": one}),),
        (HandedModel(one, kind="fastai"),),
        (HandedModel(one, name="final.onnx"),),
        (HandedModel(one, by_the_run=True),),
    ]
    known = {entry.name: entry for entry in list_weights()[:2]}
    solution = {"code": one, "backbone": "mobilenet_v2"}
    robustness = [Robustness(), Robustness(enabled=False), Robustness(images=8), Robustness(occlusion_maps=1)]
    return {
        ReadRequest: {
            "submission": handed_in,
            "wanted": wanted,
            "parts": [NotebookParts(), NotebookParts(questions=("Why?",)), NotebookParts(steps=("Train",))],
        },
        ReadBoxesRequest: {"folder": [Path("/images")], "sha256": ["1", "2"]},
        AuditRequest: {
            "submission": handed_in,
            "wanted": wanted,
            "rules": [
                AuditRules(OwnDataset(), False, None),
                AuditRules(OwnDataset(), True, None),
                AuditRules(OwnDataset(seed=2), False, None),
                AuditRules(OwnDataset(), False, one),
                AuditRules(OwnDataset(), False, two),
                AuditRules(OwnDataset(), False, None, detection=True),
                AuditRules(OwnDataset(), False, None, searches=True),
            ],
        },
        ExecuteRequest: {
            "submission": handed_in,
            "wanted": wanted,
            "rules": [ExecutionRules(), ExecutionRules(mode="as-handed-in")],
            "training": trained_on,
            "weights": given,
            "withholds": [False, True],
            "rerun": [None, rerun("1"), rerun("2"), rerun("1", rerun_seconds=9)],
        },
        ConvertRequest: {
            "models": handed_models,
            "withholds": [False, True],
            "classes": [("ball", "mug"), ("mug", "ball")],
            "training": trained_on,
            "weights": given,
            "environments": [("1",), ("2",)],
        },
        PredictRequest: {"conversion": [*models, None], "staged": images},
        InspectRequest: {
            "conversion": [*models, None],
            "known": [KnownBackbones({}, {}), KnownBackbones({}, known)],
            "staged": images,
            "classes": [2, 3],
        },
        RobustnessRequest: {
            "conversion": [*models, None],
            "answers": [*answers, None],
            "held_out": sets,
            "staged": images,
            "unseen": [None, *images],
            "rules": robustness,
            "images": [10, 11],
        },
        EvaluateRequest: {
            "answers": [*answers, None],
            "held_out": sets,
            "compared_with": [None, *answers],
            "robustness": [None, tried, tried.model_copy(update={"corrupted": OTHER_BLOB})],
        },
        ScenesRequest: {"staged": images, "truth": [(0, 1), (1, 0)]},
        BoardsRequest: {
            "conversion": [*models, None],
            "boards": [(), (load("jetson-tx2"),), (load("jetson-nano-4gb"),)],
            "reference": [None, *kernel_lists],
            "rests_on": ["1", "2"],
        },
        BenchmarkRequest: {
            "conversion": [*models, None],
            "predictions": [*answers, None],
            "reference": [None, *models],
            "staged": images,
            "rules": [BenchmarkRules(), BenchmarkRules(queries=BenchmarkRules().queries + 1)],
            "anchors": [(), ((1.5, 10.0),), ((1.5, 9.0),)],
        },
        ConvertDetectorRequest: {"answers": [*detected, None], "weights": given},
        BenchmarkDetectorRequest: {
            "model": [TimedDetector(models[0], detected[0]), None],
            "reference": [None, TimedDetector(models[0], detected[0])],
            "staged": images,
            "rules": [BenchmarkRules(), BenchmarkRules(queries=BenchmarkRules().queries + 1)],
            "anchors": [(), ((1.5, 10.0),), ((1.5, 9.0),)],
        },
        DetectRequest: {
            "models": handed_models,
            "withholds": [False, True],
            "classes": [("ball", "mug"), ("mug", "ball")],
            "known": sets,
            "known_staged": images,
            "training": trained_on,
            "weights": given,
            "staged": images,
            "environments": [("1",), ("2",)],
        },
        UnboxedRequest: {
            "drawn": sets,
            "staged": images,
            "reference": detected,
            "classes": [("ball", "mug"), ("mug", "ball")],
            "training": trained_on[:2],
            "weights": given,
        },
        DetectWorseRequest: {
            "answers": [*detected, None],
            "training": trained_on[:2],
            "weights": given,
            "staged": images,
            "unseen": [None, *images],
            "rules": robustness,
            "swapped": [
                None,
                *(
                    SwappedBackgrounds(images=(0,), own=(one,), other=(BLOB,), source="parts")
                    for one in (BLOB, OTHER_BLOB)
                ),
            ],
        },
        SwapBackgroundsRequest: {
            "held_out": sets,
            "staged": images,
            "unseen": [None, *images],
            "images": [8, 9],
        },
        ScoreBoxesRequest: {
            "answers": [*detected, None],
            "held_out": sets,
            "compared_with": [None, *detected],
            "worse": [None, worse, worse.model_copy(update={"seeds": (2,)})],
        },
        TrainRequest: {
            "reference": [ReferenceSolution(**solution), ReferenceSolution(**solution, seed=9)],
            "code": [HashedFile(one), HashedFile(two)],
            "training": trained_on,
            "weights": [HashedFile(one), HashedFile(two)],
        },
        TrainDetectorRequest: {
            "reference": [ReferenceSolution(**solution), ReferenceSolution(**solution, seed=9)],
            "code": [HashedFile(one), HashedFile(two), None],
            "training": trained_on,
            "weights": [HashedFile(one), HashedFile(two)],
            "classes": [("ball", "mug"), ("mug", "ball")],
            "budget": ["whole", "tiny"],
        },
    }


def requests() -> Iterator[type]:
    """Every request of a stage, found by walking the code."""
    names = [module.name for module in pkgutil.walk_packages(harness.stages.__path__, "harness.stages.")]
    for name in [*names, "harness.bench.boards.stage"]:
        for found in vars(importlib.import_module(name)).values():
            is_request = isinstance(found, type) and is_dataclass(found) and found.__name__.endswith("Request")
            if is_request and found.__module__ == name:
                yield found


def test_everything_that_a_stage_is_asked_is_in_its_key(others: dict[type, dict[str, list[Any]]]):
    assert set(requests()) == set(others)
    for request, values in others.items():
        assert [field.name for field in fields(request)] == list(values), request
        base = request(*(choices[0] for choices in values.values()))
        keys = [canonical(base)]
        for name, choices in values.items():
            keys += [canonical(replace(base, **{name: other})) for other in choices[1:]]
        assert len(set(keys)) == len(keys), (request, [key for key in keys if keys.count(key) > 1])


def test_where_something_lies_is_no_part_of_a_key(others: dict[type, dict[str, list[Any]]], tmp_path: Path):
    for request, values in others.items():
        base = request(*(choices[0] for choices in values.values()))
        assert str(tmp_path) not in canonical(base)
        assert "/nowhere" not in canonical(base) and "/images" not in canonical(base)


def test_limits_count_for_every_stage():
    assert canonical(ResourceLimits()) != canonical(ResourceLimits(wall_seconds=ResourceLimits().wall_seconds + 1))
