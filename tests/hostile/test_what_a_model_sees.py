"""A model's own code gets pixels, and its answers count only where they belong to an image."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models_that_look_around import CLOCKS, MISBEHAVES, NOT_BY_IMAGE, SPY, misbehaves, not_by_image
from PIL import Image

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Robustness
from harness.inputs.images import HeldOutSet, StagedImages, load, stage
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evaluate.stage import score
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.inspect import inspect
from harness.stages.predict import predict
from harness.stages.robustness import run_robustness, trial
from harness.stages.store import Store
from harness.stages.timing import Budget, Round, Setting, Subject, time_round

TOLD = {"labels-by-ctime": "predict", "labels-in-stress-request": "stress"}
CLASSES = ("blue", "green", "red")
PER_CLASS = 12
LIMITS = ResourceLimits(wall_seconds=90, cell_seconds=10, memory=2 * 10**9, cpus=1)
HANDIN = {
    "schema": 1, "classes": list(CLASSES), "width": 32, "height": 32, "colour": "RGB", "scale": 1 / 255,
    "mean": [0, 0, 0], "std": [1, 1, 1], "resize": "stretch", "layout": "NCHW", "output": "logits",
}  # fmt: skip


class Graded:
    """A course of flat images, each of its own colour, and one model handed in as weights with model.py."""

    def __init__(self, engine: Sandbox, folder: Path) -> None:
        for place in (folder, *folder.parents):  # the sandbox's own user reads what is mounted
            if place != Path("/tmp") and place.is_relative_to("/tmp"):
                place.chmod(0o755)
        self.folder, self.place = folder, StageContext(engine, Store(folder / "store"), LIMITS)
        for label, name in enumerate(CLASSES):
            (folder / "heldout" / name).mkdir(parents=True)
            for number in range(PER_CLASS):
                colour = np.roll([40 + number, 200, 60], label + 2)
                Image.new("RGB", (40, 40), tuple(map(int, colour))).save(folder / "heldout" / name / f"{number}.png")
        self.held_out: HeldOutSet = load(folder / "heldout")
        self.staged: StagedImages = stage(self.held_out, folder / "staged")

    def handed_in(self, model_py: str) -> HandedModel:
        """Weights that model.py asks for, and what lies beside them."""
        import torch

        torch.save(torch.nn.Linear(3, 3).state_dict(prefix="fc."), self.folder / "model.pth")
        texts = {"model.py": model_py, "labels.txt": "\n".join(CLASSES), "handin.json": json.dumps(HANDIN)}
        for name, text in texts.items():
            (self.folder / name).write_text(text)
        return HandedModel(self.folder / "model.pth", {name: self.folder / name for name in texts})

    def as_it_is(self, model_py: str) -> Conversion:
        """What the stage `convert` says of a model that does not become ONNX, without its minutes."""
        handed = self.handed_in(model_py)
        return Conversion(
            model=self.place.store.put(handed.file, "model"),
            factory=self.place.store.put(handed.companions["model.py"], "model.py"),
            native=True,
            source_format="state_dict",
            layout="NCHW",
            input_dtype="float32",
            dynamic_batch=True,
            outputs=3,
            output_kind="logits",
            labels=CLASSES,
            preprocess=Preprocess(**{name: HANDIN[name] for name in Preprocess.model_fields if name in HANDIN}),
            max_abs_difference=None,
            images_compared=0,
        )

    def predict(self, conversion: Conversion) -> StageResult[Predictions]:
        return predict(conversion, self.staged, self.place)

    def timed(self, conversion: Conversion, predictions: Predictions | None) -> StageResult[Round]:
        """A round of `harness bench --engine torch`, a query at a time."""
        files = {"model": self.folder / "model.pth", "model.py": self.folder / "model.py"}
        budget = Budget(seconds=0.3, fewest=6, limit_seconds=5)
        setting = Setting("torch", "fp32", "model-only", 1, None, budget, 0.1, (0,))
        return time_round(Subject(conversion, files), setting, self.staged, predictions, self.place)

    def accuracy(self, predictions: Predictions) -> float:
        return score(predictions, self.held_out, None, self.place.store).value.accuracy


@pytest.fixture
def graded(engine: Sandbox, tmp_path: Path) -> Graded:
    return Graded(engine, tmp_path)


def said(log: str) -> list[str]:
    return [line for line in log.splitlines() if line.startswith("SPY")]


# gVisor's /proc does not heed that a process is not dumpable: it tells that there are descriptors, not what is in them.
_SEEN_UNDER_RUNSC = re.compile(r"FOUND (maps of|environ of|a descriptor of) \d+")


@pytest.mark.hostile(line=62, expected="not there: it gets pixels only", runsc=True)
def test_a_models_own_code_finds_no_image_and_nobody_who_has_one(graded: Graded, got):
    """Its process once was the agent's: it could list /in/images, sort by change time, and read each file."""
    converted = convert(graded.handed_in(SPY), CLASSES, graded.held_out.files[:8], None, graded.place)
    assert isinstance(converted, Done) and converted.value.native, converted
    conversion, logs = converted.value, [converted.usage.log]
    answered = graded.predict(conversion)
    assert isinstance(answered, Done) and graded.accuracy(answered.value) == 1.0, "and it can answer as it should"
    is_runsc = any("gVisor" in what for what in graded.place.sandbox.not_enforced)
    tried = trial(
        answered.value, graded.held_out, Robustness(images=4, occlusion_maps=1), 4, graded.staged, graded.place.store
    )
    robust = run_robustness(conversion, tried, graded.staged, graded.place)
    inspected = inspect(conversion, {}, graded.staged, len(CLASSES), graded.place)
    assert isinstance(robust, Done) and isinstance(inspected, Done), (robust, inspected)
    logs += [answered.usage.log, robust.usage.log]
    for log in logs:
        lines = said(log)
        assert any("looked at processes" in line for line in lines), log
        assert any("/in holds ['model', 'model.py']" in line for line in lines), lines
        assert not [line for line in lines if "FOUND" in line and not (is_runsc and _SEEN_UNDER_RUNSC.search(line))]
        assert not any(phase in line for line in lines if "arguments" in line for phase in ("predict", "robustness"))
    got("no file, no descriptor, no memory, no name; only pixels")


@pytest.mark.hostile(line=62, expected="not there: it gets pixels only")
def test_a_model_that_is_timed_finds_no_image_either(graded: Graded, got):
    """`harness bench --engine torch` once ran it in the agent's process, which holds the images."""
    conversion = graded.as_it_is(SPY)
    answered = graded.predict(conversion)
    assert isinstance(answered, Done)
    timed = graded.timed(conversion, answered.value)
    assert isinstance(timed, Done), timed
    assert timed.value.answers is not None and not timed.value.answers.different
    lines = said(timed.usage.log)
    assert any("looked at processes" in line for line in lines)
    assert not [line for line in lines if "FOUND" in line or ("arguments" in line and "timing" in line)]
    assert timed.value.handover_ms is not None and 0 < timed.value.handover_ms < 5
    got(f"pixels only; the way there and back takes {timed.value.handover_ms:.2g} ms")


@pytest.mark.hostile(line=66, expected="the agent's clock counts")
def test_a_models_own_code_does_not_hold_the_clock(graded: Graded, got):
    """It sleeps 20 ms for each image, and counts a nanosecond for it. So it said, when the clock was in its process."""
    timed = graded.timed(graded.as_it_is(CLOCKS), None)
    assert isinstance(timed, Done), timed
    assert min(timed.value.latencies_ms) >= 20
    got(f"{np.median(timed.value.latencies_ms):.1f} ms")


@pytest.mark.hostile(line=62, expected="the model's failure, said")
@pytest.mark.parametrize("kind", ["ends by itself", "is killed", "sends another number of rows", "sends a pickle"])
def test_a_process_that_misbehaves_while_it_is_timed_is_the_models_failure(graded: Graded, got, kind: str):
    """Among them: an answer that it gives without being asked."""
    timed = graded.timed(graded.as_it_is(misbehaves(kind)), None)
    assert isinstance(timed, Failed), timed
    assert "UNPICKLED" not in timed.usage.log
    got(f"{kind}: {timed.status}")


@pytest.mark.hostile(
    line=63, expected="F answers-depend-on-order", docker={"by call count", "by count, remembered by image"}
)
@pytest.mark.parametrize("kind", NOT_BY_IMAGE)
def test_answers_that_do_not_belong_to_the_image_are_named(graded: Graded, got, kind: str):
    """A place, a batch, a count or chance once decided an answer without anybody noticing."""
    answered = graded.predict(graded.as_it_is(not_by_image(kind)))
    assert isinstance(answered, Done), answered
    assert [found.code for found in answered.findings] == ["answers-depend-on-order"]
    assert score(answered.value, graded.held_out, None, graded.place.store).value.depends_on_order
    got(f"{kind}: moved by {answered.value.largest_difference:.2g}")


ENDS = {
    "is killed": ("killed",),
    "ends by itself": ("failed",),
    "takes all memory": ("memory", "rejected"),  # without a control group, Python itself sees the limit
    "never answers": ("timeout",),
}


@pytest.mark.hostile(line=62, expected="the model's failure, said", docker={"takes all memory", "sends a pickle"})
@pytest.mark.parametrize("kind", MISBEHAVES)
def test_a_models_process_that_misbehaves_is_the_models_failure(graded: Graded, got, kind: str):
    """What it sends is read as words and numbers; how it ends is how the job ends."""
    graded.place = replace(graded.place, limits=LIMITS.model_copy(update={"wall_seconds": 25, "memory": 10**9}))
    answered = graded.predict(graded.as_it_is(misbehaves(kind)))
    assert isinstance(answered, Failed), answered
    assert [found.code for found in answered.findings] == ["prediction-failed"]
    assert "UNPICKLED" not in answered.usage.log
    if kind in ENDS:
        assert answered.status in ENDS[kind], answered
    got(f"{kind}: {answered.status}: {answered.reason}")


@pytest.mark.hostile(line=61, expected="tell nothing of labels")
def test_the_order_of_batches_tells_nothing_of_labels(graded: Graded, got):
    """Each image has its own colour, and the model's own code says in which order it saw them."""
    conversion = graded.as_it_is(
        not_by_image("by dropout").replace(
            NOT_BY_IMAGE["by dropout"],
            "print('SAW', *(round(float(v) * 255) for v in image.mean((1, 2))), file=sys.stderr); "
            "return self.honest(image)",
        )
    )
    colours = {}
    for index, file in enumerate(graded.held_out.files):
        with Image.open(file) as opened:
            colours[" ".join(map(str, opened.getpixel((0, 0))))] = index
    orders = []
    for _ in range(2):
        answered = graded.predict(conversion)
        assert isinstance(answered, Done) and not answered.findings
        seen = [line.removeprefix("SAW ") for line in answered.usage.log.splitlines() if line.startswith("SAW")]
        order = list(dict.fromkeys(colours[colour] for colour in seen if colour in colours))
        assert sorted(order) == list(range(len(colours)))
        labels = [graded.held_out.truth[index] for index in order]
        changes = sum(one != other for one, other in itertools.pairwise(labels))
        assert changes > 2 * len(CLASSES), "class by class there are 2"
        in_turn = max(sum((i + k) % 3 == label for i, label in enumerate(labels)) for k in range(3))
        assert in_turn < len(labels) - 6
        orders.append(tuple(order))
    assert len(set(orders)) == 2
    got("two runs, two orders, none by class")


@pytest.mark.hostile(line=(42, 61, 62), expected="no gain", docker={"labels-by-ctime"})
@pytest.mark.parametrize("attack", ["labels-by-ctime", "labels-in-stress-request"])
def test_an_attack_that_read_labels_off_the_files_or_the_request_gains_nothing(
    graded: Graded, attacks: Path, got, attack: str
):
    """By change times the accuracy was 1.000; by index mod classes in the request, the robustness was 1.0."""
    (source,) = [folder for folder in (attacks / attack).iterdir() if folder.is_dir()]
    # They know the phase by the program's arguments; told it, they still find nothing.
    source_code = (source / "model.py").read_text().replace("sys.argv[-1]", repr(TOLD[attack]))
    conversion = graded.as_it_is(source_code)
    answered = graded.predict(conversion)
    if not isinstance(answered, Done):
        assert "No such file" in answered.detail
        got(answered.reason)
        return
    rules = Robustness(images=18, occlusion_maps=0, corruptions=("brightness",), severities=(1,))
    robust = run_robustness(
        conversion,
        trial(answered.value, graded.held_out, rules, 18, None, graded.place.store),
        graded.staged,
        graded.place,
    )
    assert isinstance(robust, Done)
    value = score(answered.value, graded.held_out, None, graded.place.store, robust.value).value
    assert value.accuracy < 0.7 and (value.robustness_clean or 0) < 0.8
    got(f"accuracy {value.accuracy:.2f}, on worse images {value.robustness_clean:.2f}")
