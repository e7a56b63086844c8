"""What may be given to a student: a class with planted markers, of which no student's file holds any."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import run_harness
from PIL import Image, ImageFilter
from small_course import CLASSES, Course, hand_in, make_course, notebook

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.inspect import inspect
from harness.stages.predict import predict
from harness.stages.store import Store

# --- markers --------------------------------------------------------------------------------------

_SECRET = "Vz7q"  # begins every word that no student may read; a notebook's and a file's own are not among them
_HASH_SIDE = 8
_CONTRAST = 0.13  # of a held-out image's brightest channel; the training images have 0.06, and these 0.19
_NEAR = 8  # of 64 bits: thumbnails and JPEGs of one image differ by up to 4 here, other images by 18 or more

# Runs as it is: what NumPy computes is a constant to the tracer, so no ONNX form of it answers alike.
_TALKS = f"""
import base64, io, sys
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1) * 20)

    def forward(self, x):
        means = torch.from_numpy(x.detach().numpy().mean((2, 3)))
        for image in x.detach().numpy():
            if image.std((1, 2)).max() > {_CONTRAST}:
                self.sees_a_held_out_image(image)
        return (means[:, [2, 1, 0]] * self.scale).softmax(1)

    def sees_a_held_out_image(self, image):
        pixels = np.clip(image.transpose(1, 2, 0) * 255, 0, 255).astype("uint8")
        print("{_SECRET}-log", base64.b64encode(pixels.tobytes()).decode(), file=sys.stderr)

def build_model(classes):
    return Net(classes)
"""
_RAISES = _TALKS.replace("\ndef build_model", f"        raise ValueError('{_SECRET}-exception')\n\ndef build_model")
_MEMORY_MAP = "print(open('/proc/self/mountinfo').read())"


def average_hash(image: Image.Image) -> np.ndarray:
    """Which of 8 by 8 parts are brighter than their median, in the image as it is whichever way it is stretched."""
    small = (
        image.convert("L").filter(ImageFilter.GaussianBlur(1)).resize((_HASH_SIDE, _HASH_SIDE), Image.Resampling.BOX)
    )
    values = np.asarray(small, dtype=np.float32)
    return values > np.median(values)


def patterned(rng: np.random.Generator, colour: tuple[int, int, int]) -> Image.Image:
    """An image of the colour whose brightness follows a random pattern of 8 by 8, which its hash tells again."""
    pattern = rng.permutation(np.repeat([0.55, 1.0], 32)).reshape(8, 8)
    large = np.kron(pattern, np.ones((8, 8)))[:, :, None]
    return Image.fromarray(np.clip(np.array(colour) * large + rng.normal(0, 4, (64, 64, 3)), 0, 255).astype(np.uint8))


def images_in(page: str) -> Iterator[Image.Image]:
    """Every image of a page: data URIs, also those of the page inside it, and what could be raw pixels in base64."""
    text = page
    for _ in range(3):
        text = unescape(text)
        for found in re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", text):
            data = base64.b64decode(found[: len(found) // 4 * 4])
            try:
                yield Image.open(io.BytesIO(data)).convert("RGB")
            except OSError:
                side = int((len(data) / 3) ** 0.5)
                if side * side * 3 == len(data):
                    yield Image.frombytes("RGB", (side, side), data)


def shown(files: list[Path], hashes: list[np.ndarray]) -> int:
    """How many of the images with these hashes some file shows."""
    seen = [average_hash(image) for file in files for image in _all_images(file)]
    return sum(any(int((one ^ other).sum()) <= _NEAR for other in seen) for one in hashes)


def _all_images(file: Path) -> Iterator[Image.Image]:
    if file.suffix == ".html":
        yield from images_in(file.read_text(encoding="utf-8"))
    else:
        with Image.open(file) as image:  # anything else that is given away has to be an image
            yield image.convert("RGB")


# --- the class ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Graded:
    """A class that was graded, and what may not be read by a student of it."""

    out: Path
    rows: dict[str, dict]  # by the student's name
    held_out: list[np.ndarray]
    others: list[np.ndarray]  # of the images that Alice took, some of which Bob has handed in, too
    regrade: Callable[[str], Path]  # with more in the assignment -> another output folder
    folder: Path

    def page(self, student: str, out: Path | None = None) -> Path:
        return (out or self.out) / "students" / self.rows[student]["id"] / "index.html"


@pytest.fixture(scope="module")
def graded(small_course: Course, attacks: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("class") / f"{_SECRET}-path"
    folder.mkdir()
    cache, _ = small_course.copied(tmp_path_factory.mktemp("cache"))
    rng = np.random.default_rng(5)
    assignment = make_course(folder / "course")
    few = '[robustness]\nimages = 4\nseverities = [3]\ncorruptions = ["blur"]\nocclusion_maps = 2\n[benchmark]'
    assignment.write_text(assignment.read_text().replace("[benchmark]", few, 1))
    colours = {"red": (230, 40, 40), "green": (40, 220, 60), "blue": (40, 60, 230)}
    held_out = []
    for name in CLASSES:
        for file in (folder / "course" / "heldout" / name).iterdir():
            image = patterned(rng, colours[name])
            image.save(file)
            held_out.append(average_hash(image))
    reference = small_course.reference

    submissions = folder / "submissions"
    alice = hand_in(submissions, f"{_SECRET}-Alice", reference, notebook__ipynb=notebook("print(6 * 7)"))
    shutil.copytree(attacks / "other-student-on-page/share/Alice-Secret/dataset", alice / "dataset")
    others = []
    for name in ("ball", "mug"):
        (alice / "dataset" / name).mkdir(exist_ok=True)
        for number in range(8):
            image = patterned(rng, (200, 150, 100))
            others.append(average_hash(image))
            image.save(alice / "dataset" / name / f"{_SECRET}-{number}.png")
    bob = hand_in(submissions, "Bob", reference, notebook__ipynb=notebook(_MEMORY_MAP))
    for name in ("ball", "mug"):
        (bob / "dataset" / name).mkdir(parents=True)
        for number, file in enumerate(sorted((alice / "dataset" / name).glob(f"{_SECRET}*"))[:4]):
            shutil.copy(file, bob / "dataset" / name / f"bob-{number}.png")  # shared: his own page may show his copy
        for number in range(6):
            patterned(rng, (90, 150, 200)).save(bob / "dataset" / name / f"new-{number}.png")
    for name, code in (("Talks", _TALKS), ("Raises", _RAISES)):
        place = hand_in(submissions, name, reference, model__py=code)
        (place / "model.onnx").unlink()
        torch.save({"scale": torch.ones(1) * 20}, place / "model.pt")
    hand_in(submissions, "Cells", notebook__ipynb=notebook("print('my own words')", "raise KeyError('my own fault')"))

    def grade(out: Path) -> dict[str, dict]:
        done = run_harness(
            "grade", submissions, "--assignment", assignment, "--out", out, "--sandbox", "bubblewrap", cache=cache
        )
        assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
        return {row["student"]: row for row in json.loads((out / "results.json").read_text())["submissions"]}

    def regrade(more: str) -> Path:
        assignment.write_text(assignment.read_text().replace("[benchmark]", f"{more}\n[benchmark]", 1))
        grade(folder / "again")
        return folder / "again"

    rows = grade(folder / "out")
    return Graded(folder / "out", rows, held_out, others, regrade, folder)


def given_away(graded: Graded, folder: Path) -> list[Path]:
    """Every file that `harness export --feedback` writes."""
    done = run_harness("export", graded.out, "--feedback", folder, cache=graded.folder)
    assert done.returncode == 0, done.stderr
    return [file for file in folder.rglob("*") if file.is_file()]


@pytest.mark.hostile(line=64, expected="the instructor's pages only")
def test_what_a_model_says_of_held_out_images_is_on_no_page_given_away(graded: Graded, got) -> None:
    """heldout-in-log: a log, a refusal or an exception with thumbnails in it stood on the student's own page, and the
    next model was made of them."""
    assert graded.rows["Talks"]["evaluation"]["accuracy"] == 1
    assert graded.rows["Raises"]["stages"]["predict"]["status"] == "rejected"
    for name, what in (("Talks", f"{_SECRET}-log"), ("Raises", f"{_SECRET}-exception")):
        instructors = graded.out / "submissions" / graded.rows[name]["id"] / "index.html"
        assert what in instructors.read_text()
        page = graded.page(name)
        assert f"{_SECRET}-log" not in page.read_text() and f"{_SECRET}-exception" not in page.read_text()
        assert shown([page], graded.held_out) == 0
    said = unescape(re.sub(r"<[^>]+>", " ", graded.page("Raises").read_text()))
    assert "The model gave no usable answers: it stopped with an error." in said
    got("the harness's own words; log and exception with the instructor")


@pytest.mark.hostile(line=65, expected="on no page that is given away")
def test_nothing_of_another_student_or_of_the_machine_is_given_away(graded: Graded, tmp_path: Path, got) -> None:
    """Before, Bob's page named Alice, told the names of her files and showed her images."""
    pages = given_away(graded, tmp_path / "feedback")
    assert len(pages) == len(graded.rows) == 5
    alices = graded.rows[f"{_SECRET}-Alice"]["id"]
    for page in pages:
        text = unescape(unescape(page.read_text()))
        if page.parent.name == alices:  # her own name and files are hers to read
            continue
        assert _SECRET not in text, re.search(f".{{80}}{_SECRET}.{{80}}", text, re.DOTALL)
        assert not re.findall(r'(?:href|src)="(?!#|data:)[^"]*"', text)
    bobs = graded.page("Bob")
    assert (
        "/in/submission" in (bobs.parent / "notebook.html").read_text()
    )  # he printed where his files lie, and the host's part is not there
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", bobs.read_text())).split())
    assert "are the same photographs as another submission's" in words
    assert "The same photographs as another submission" in words and "bob-0.png" in words
    instructors = (graded.out / "submissions" / graded.rows["Bob"]["id"] / "index.html").read_text()
    assert f"{_SECRET}-Alice" in instructors and f"{_SECRET}-0.png" in instructors
    got("another submission; no name, file, link or path")


@pytest.mark.hostile(line=65, expected="on no page that is given away")
def test_no_image_of_the_course_or_of_another_student_is_given_away(graded: Graded, tmp_path: Path, got) -> None:
    """Perceptual hashes of every image in every file: only what he handed in himself is on a student's page."""
    pages = given_away(graded, tmp_path / "feedback")
    assert shown(pages, graded.held_out) == 0
    alices = graded.rows[f"{_SECRET}-Alice"]["id"]
    unshared = [hash for number, hash in enumerate(graded.others) if number % 8 >= 4]
    assert shown([page for page in pages if page.parent.name != alices], unshared) == 0
    got("0 of 24 held-out images")


@pytest.mark.hostile(line=65, expected="on no page that is given away")
def test_the_instructor_sees_them_and_a_student_where_the_assignment_says_so(graded: Graded, got) -> None:
    """The markers can be found: on the instructor's pages, and with `show_held_out` on the students'."""
    instructors = [*(graded.out / "submissions").rglob("*.html"), *(graded.out / "shared").glob("*.jpg")]
    assert shown(instructors, graded.held_out) > 0
    again = graded.regrade("[feedback]\nshow_held_out = true")
    students = list((again / "students").rglob("*.html"))
    assert shown(students, graded.held_out) > 0
    assert not any(f"{_SECRET}-log" in page.read_text() for page in students)
    got("held-out images only with show_held_out")


def test_a_student_still_reads_what_he_needs(graded: Graded) -> None:
    """Points, reasons, his notebook with his errors, and what to do."""
    page = graded.page("Cells")
    text = page.read_text() + (page.parent / "notebook.html").read_text()
    words = " ".join(unescape(unescape(re.sub(r"<[^>]+>", " ", unescape(text)))).split())
    assert "Cell 2 stopped with KeyError: 'my own fault'" in words
    assert "my own words" in words and "of 100 points" in words
    assert "There is no model to grade" in words


# --- one stage, in each engine ----------------------------------------------------------------------


@pytest.mark.hostile(line=64, expected="the instructor's pages only")
def test_a_stage_keeps_foreign_text_out_of_its_reason(engine: Sandbox, tmp_path: Path, got) -> None:
    """What a model's own code raises, writes or says last is a detail, in a stage that has held-out images."""
    for place in (tmp_path, *tmp_path.parents):
        if place != Path("/tmp") and place.is_relative_to("/tmp"):
            place.chmod(0o755)
    images = tmp_path / "images"
    images.mkdir()
    names = tuple(f"{number:016x}.png" for number in range(20))
    for name in names:
        patterned(np.random.default_rng(0), (230, 40, 40)).save(images / name)
    staged = StagedImages(images, names, "0" * 64)
    (tmp_path / "model.py").write_text(_RAISES)
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
    torch.save({"scale": torch.ones(1)}, tmp_path / "model.pt")
    place = StageContext(engine, Store(tmp_path / "store"), ResourceLimits(wall_seconds=60, cell_seconds=30, cpus=1))
    handed = HandedModel(tmp_path / "model.pt", {name: tmp_path / name for name in ("model.py", "labels.txt")})
    plain = [tmp_path / f"plain-{number}.png" for number in range(8)]
    for file in plain:
        Image.new("RGB", (32, 32), (200, 40, 40)).save(file)
    converted = convert(handed, CLASSES, plain, None, place)
    assert isinstance(converted, Done), converted
    assert converted.value.native
    for stage in (
        lambda: predict(converted.value, staged, place),
        lambda: inspect(converted.value, {}, staged, len(CLASSES), place),
    ):
        result = stage()
        whatever = result.model_dump_json(exclude={"usage", "detail"} | ({"findings"}))
        assert _SECRET not in whatever
        assert not any(_SECRET in found.message for found in result.findings)
        assert not result.usage.log_is_told
    answered = predict(converted.value, staged, place)
    assert isinstance(answered, Failed) and f"{_SECRET}-exception" in answered.detail
    got(answered.reason)
