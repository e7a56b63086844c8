"""A graded detector as a graph, through a real sandbox: converted, timed beside another, looked into and recognised."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from example_detector import DESCRIPTION, detector_answers, kept_nowhere
from example_evidence import evidence
from PIL import Image

from harness.agent.ssd.detector import Detector
from harness.agent.ssd.export import export
from harness.agent.ssd.networks import NETWORKS
from harness.grading.similarity.models import with_copies_noted
from harness.grading.submission_run import Examined
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules
from harness.inputs.given_weights import GivenWeights, KnownBackbones
from harness.inputs.images import StagedImages
from harness.stages.context import StageContext
from harness.stages.detection.asking import Asking, detect
from harness.stages.detection.benchmark import BENCHMARK_DETECTOR, BenchmarkDetectorRequest, TimedDetector
from harness.stages.detection.convert import CONVERT_DETECTOR, ConvertDetectorRequest
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.evidence.submission import OF_ANOTHER_TASK
from harness.stages.inspect import INSPECT, InspectRequest
from harness.stages.store import Store

CLASSES = 3
RULES = BenchmarkRules(queries=64, min_seconds=0.1, warm_up_seconds=0.1)

NO_WEIGHTS = GivenWeights(None, {}, {})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    from harness.sandbox.bubblewrap import Bubblewrap

    limits = ResourceLimits(wall_seconds=240, cell_seconds=60, idle_seconds=60, memory=3 * 10**9)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> StagedImages:
    """Six images of large coloured squares, of different sizes."""
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(7)
    names = tuple(f"{number}.png" for number in range(6))
    for number, name in enumerate(names):
        squares = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(np.kron(squares, np.ones((40 + number, 40, 1), np.uint8))).save(folder / name)
    return StagedImages(folder, names, "5eed")


def network(seed: int) -> Detector:
    """The smallest of the five networks, whose heads are sure of something."""
    torch.manual_seed(seed)
    detector = Detector(NETWORKS["sq-ssd-lite"], CLASSES)
    for head in detector.classification_headers:
        for parameter in head.parameters():
            parameter.data.mul_(10)
    return detector.eval()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two networks, one of them as a checkpoint and as ONNX."""
    folder = tmp_path_factory.mktemp("models")
    found = {name: folder / name for name in ("one.pth", "one.onnx", "other.onnx")}
    torch.save(network(0).state_dict(), found["one.pth"])
    export(network(0), found["one.onnx"])
    export(network(1), found["other.onnx"])
    return found


def answered(file: Path, place: StageContext, staged: StagedImages) -> DetectorAnswers:
    model = place.store.put(file, "model")
    result = detect(Asking(HandedDetector(model)), staged, place)
    assert isinstance(result, Done), result
    return result.value.model_copy(update={"model": model})


def unasked(model: Blob | None, family: str = "ssd_onnx") -> DetectorAnswers:
    """A detector of the family whose boxes nobody reads."""
    described = DESCRIPTION.model_copy(update={"family": family, "labels": CLASSES + 1})
    return detector_answers(kept_nowhere(Blob(name="", sha256="", bytes=0)), model=model, description=described)


def graph(answers: DetectorAnswers, place: StageContext) -> Any:
    result = CONVERT_DETECTOR.work(ConvertDetectorRequest(answers, NO_WEIGHTS), place)
    assert isinstance(result, Done), result
    return result.value


@pytest.fixture(scope="module")
def timed(files: dict[str, Path], place: StageContext, staged: StagedImages) -> dict[str, TimedDetector]:
    answers = {name: answered(file, place, staged) for name, file in files.items()}
    return {name: TimedDetector(graph(one, place), one) for name, one in answers.items()}


def test_a_checkpoint_becomes_a_graph_and_a_graph_stays_itself(timed: dict[str, TimedDetector]) -> None:
    made, handed_in = timed["one.pth"].conversion, timed["one.onnx"].conversion
    assert not made.native and made.source_format == "ssd_checkpoint" and made.max_abs_difference is not None
    assert made.max_abs_difference < 1e-4 and made.images_compared > 0
    assert handed_in.model.sha256 == timed["one.onnx"].answers.model.sha256  # type: ignore[union-attr]
    for one in (made, handed_in):
        assert one.detects and one.outputs == CLASSES and (one.preprocess.width, one.preprocess.mean[0]) == (300, 127)


def test_what_has_no_graph_is_said(place: StageContext, files: dict[str, Path]) -> None:
    model = place.store.put(files["one.pth"], "model.tflite")
    result = CONVERT_DETECTOR.work(ConvertDetectorRequest(unasked(model, "tflite"), NO_WEIGHTS), place)
    assert isinstance(result, Done) and result.value.native
    assert [one.code for one in result.findings] == ["model-not-converted"]
    own = CONVERT_DETECTOR.work(ConvertDetectorRequest(unasked(None, "own_code"), NO_WEIGHTS), place)
    assert isinstance(own, Skipped) and "own code" in own.reason


def test_weights_beside_the_graph_are_put_inside(place: StageContext, files: dict[str, Path], tmp_path: Path) -> None:
    model = onnx.load(str(files["one.onnx"]))
    onnx.save_model(model, str(tmp_path / "m.onnx"), save_as_external_data=True, location="m.data", size_threshold=64)
    blobs: list[Blob] = [place.store.put(tmp_path / name, name) for name in ("m.onnx", "m.data")]
    answers = unasked(blobs[0]).model_copy(update={"data": (("m.data", blobs[1]),)})
    whole = graph(answers, place)
    assert whole.model.sha256 != blobs[0].sha256 and whole.model.bytes > blobs[1].bytes


def test_a_detector_is_timed_beside_another(
    timed: dict[str, TimedDetector], place: StageContext, staged: StagedImages
) -> None:
    """The checkpoint's answers were torch's, and the exported graph is timed: they agree."""
    request = BenchmarkDetectorRequest(timed["one.pth"], timed["other.onnx"], staged, RULES)
    result = BENCHMARK_DETECTOR.work(request, place)
    assert isinstance(result, Done), result
    value = result.value
    assert value.outputs_agree and value.answers is not None and value.answers.checked == value.model.queries
    assert value.ratio == pytest.approx(1.0, abs=0.5) and value.ratio_interval is not None
    model_only, end_to_end = value.parts
    assert (model_only.name, end_to_end.name) == ("model-only", "end-to-end")
    assert model_only.model.p50_ms < value.model.p50_ms < end_to_end.model.p50_ms
    assert end_to_end.ratio is not None and end_to_end.reference is not None


def test_another_model_when_it_is_timed_is_found_out(
    timed: dict[str, TimedDetector], place: StageContext, staged: StagedImages
) -> None:
    swapped = TimedDetector(timed["other.onnx"].conversion, timed["one.onnx"].answers)
    result = BENCHMARK_DETECTOR.work(BenchmarkDetectorRequest(swapped, None, staged, RULES), place)
    assert isinstance(result, Done) and not result.value.outputs_agree
    assert "benchmark-outputs-differ" in [one.code for one in result.findings]


def looked_into(one: TimedDetector, place: StageContext, staged: StagedImages, **backbones: Path) -> Any:
    result = INSPECT.work(InspectRequest(one.conversion, KnownBackbones(backbones, {}), staged, CLASSES), place)
    assert isinstance(result, Done), result
    return result


def test_its_base_is_recognised(
    timed: dict[str, TimedDetector], place: StageContext, staged: StagedImages, tmp_path: Path
) -> None:
    torch.save(network(0).base_net.state_dict(), tmp_path / "squeezenet.pth")
    base = tmp_path / "squeezenet.pth"
    mine = looked_into(timed["one.onnx"], place, staged, squeezenet=base).value
    assert mine.backbone == "squeezenet" and all(layer.identical for layer in mine.layers)
    assert mine.outputs_fit and mine.multiply_adds > 10**7 and mine.final_layer is not None
    other = looked_into(timed["other.onnx"], place, staged, squeezenet=base).value
    assert not any(layer.identical for layer in other.layers)


def test_a_copied_detector_is_named(
    timed: dict[str, TimedDetector], place: StageContext, staged: StagedImages, tmp_path: Path
) -> None:
    """One as a checkpoint and as ONNX; one whose heads have a little noise; and one that is another's own."""
    noisy = network(0)
    for parameter in noisy.classification_headers.parameters():
        parameter.data += torch.randn_like(parameter) * parameter.std() * 0.03 if parameter.numel() > 1 else 0
    export(noisy, tmp_path / "noisy.onnx")
    answers = unasked(place.store.put(tmp_path / "noisy.onnx", "model"))
    models = {**timed, "noisy": TimedDetector(graph(answers, place), answers)}
    examined = []
    for name, one in models.items():
        inspected = looked_into(one, place, staged)
        found = evidence(
            convert=Done(value=one.conversion, origin="measured-inside"),
            predict=OF_ANOTHER_TASK,
            detect=Done(value=one.answers, origin="measured-inside"),
            inspect=inspected,
        )
        examined.append(Examined(SimpleNamespace(id=name), found))  # type: ignore[arg-type]
    course: Any = SimpleNamespace(
        stage_context=place, shared=SimpleNamespace(reference=None, held_out=SimpleNamespace(classes=("a",)))
    )
    noted = {one.submission.id: one.evidence for one in with_copies_noted(examined, course)}
    codes = {name: {found.code for found in one.later_findings} for name, one in noted.items()}
    assert codes["other.onnx"] == set() and not noted["other.onnx"].is_copy
    assert "one.onnx" in noted["one.pth"].same_model_as and "one.pth" in noted["one.onnx"].same_model_as
    assert codes["noisy"] == {"model-copied"} and set(noted["noisy"].same_model_as) == {"one.pth", "one.onnx"}
