"""`harness init` writes an assignment that loads, asks for what it must know, and overwrites nothing."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from harness.cli.main import cli
from harness.errors import UsageError
from harness.files import example
from harness.grading.rubric.rubric import check
from harness.inputs.assignment import load
from harness.inputs.assignment.starting import Start, class_names, files, points_of


def init(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["init", str(folder), *options], standalone_mode=False)


@pytest.mark.parametrize("points", [100.0, 33.0, 7.5, 1.0])
def test_what_it_writes_loads_with_these_points(tmp_path: Path, points: float):
    done = init(tmp_path / "new", "--classes", "ball, mug", "--points", str(points), "--backbone", "resnet18")
    assert done.return_value == 0, done.exception
    for name in ("ball", "mug"):
        for part in ("train", "heldout"):
            Image.new("RGB", (64, 64)).save(tmp_path / "new" / "data" / part / name / "1.png")
    assignment = load(tmp_path / "new" / "assignment.toml")
    check(assignment)
    assert (assignment.max_points, assignment.reference.backbone) == (points, "resnet18")
    assert assignment.reference.code is None
    assert sum(points_of(points).values()) == pytest.approx(points)


def test_a_detection_assignment_is_graded_as_its_folders_are_filled(tmp_path: Path):
    done = init(tmp_path / "new", "--task", "detection", "--classes", "ace, king", "--points", "33")
    assert done.return_value == 0, done.exception
    for part in ("train", "heldout"):
        folder = tmp_path / "new" / "data" / part
        assert (folder / "labels.txt").read_text() == "ace\nking\n"
        assert (folder / "Annotations").is_dir() and (folder / "ImageSets" / "Main").is_dir()
        Image.new("RGB", (64, 64)).save(folder / "JPEGImages" / "1.jpg")
    assignment = load(tmp_path / "new" / "assignment.toml")
    check(assignment)
    assert (assignment.task, assignment.max_points, assignment.reference.code) == ("detection", 33, None)
    assert (assignment.handin.model, assignment.execution.mode) == ("required", "as-handed-in")
    assert {"ap_vs_reference", "counts_right"} <= {one.kind for one in assignment.criteria}
    assert "without BACKGROUND" in (tmp_path / "new" / "README.md").read_text()


def test_detection_of_own_objects_withholds_images_of_a_run(tmp_path: Path):
    assert init(tmp_path, "--own-objects", "--task", "detection").return_value == 0
    assignment = load(tmp_path / "assignment.toml")
    assert assignment.withholds and assignment.execution.mode == "rerun" and assignment.own_dataset.max_classes == 5


def test_labels_of_held_out_images_with_boxes_give_the_classes(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "labels.txt").write_text("BACKGROUND\nking\nace\n\n")
    Image.new("RGB", (64, 64)).save(tmp_path / "mine" / "1.png")
    assert init(tmp_path / "new", "--task", "detection", "--held-out", str(tmp_path / "mine")).return_value == 0
    assert (tmp_path / "new" / "data" / "train" / "labels.txt").read_text() == "king\nace\n"
    assert not (tmp_path / "new" / "data" / "heldout").exists()
    Image.new("RGB", (64, 64)).save(tmp_path / "new" / "data" / "train" / "JPEGImages" / "1.jpg")
    assert load(tmp_path / "new" / "assignment.toml").held_out.path == tmp_path / "mine"


def test_own_objects_need_no_images_of_the_course(tmp_path: Path):
    assert init(tmp_path, "--own-objects").return_value == 0
    assignment = load(tmp_path / "assignment.toml")
    check(assignment)
    assert assignment.withholds and not assignment.has_shared_set


def test_held_out_images_that_are_there_give_the_classes(tmp_path: Path):
    for name in ("cup", "pen"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        Image.new("RGB", (64, 64)).save(tmp_path / "mine" / name / "1.png")
    assert init(tmp_path / "new", "--held-out", str(tmp_path / "mine")).return_value == 0
    for name in ("cup", "pen"):
        Image.new("RGB", (64, 64)).save(tmp_path / "new" / "data" / "train" / name / "1.png")
    assert load(tmp_path / "new" / "assignment.toml").held_out.path == tmp_path / "mine"
    assert not (tmp_path / "new" / "data" / "heldout").exists()


def test_a_file_that_is_there_is_left_alone_and_nothing_else_is_written(tmp_path: Path):
    (tmp_path / "README.md").write_text("mine")
    done = init(tmp_path, "--own-objects")
    assert isinstance(done.exception, UsageError) and "not overwritten" in done.exception.message
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "which classes?"),
        (("--classes", "a,A"), "differ only by case"),
        (("--classes", "../a,b"), "cannot be the name of a folder"),
        (("--classes", "one"), "at least two"),
        (("--own-objects", "--classes", "a,b"), "leave out one"),
        (("--task", "detection", "--classes", "a", "--backbone", "resnet18"), "no backbone 'resnet18'"),
        (("--task", "detection", "--held-out", "tests"), "the classes are not known"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, options: tuple[str, ...], said: str):
    done = init(tmp_path / "new", *options)
    assert isinstance(done.exception, UsageError) and said in str(done.exception)
    assert not (tmp_path / "new").exists()


def test_a_title_with_quotes_stays_a_title():
    text = files(Start('The "best" \\ course', ("a", "b"), "vgg16", 10))[Path("assignment.toml")]
    assert 'title = "The \\"best\\" \\\\ course"' in text and class_names("a,b") == ("a", "b")


def test_the_example_is_what_make_demo_grades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """All but its rendered images, which take a minute; the wheel's own copy is checked where the wheel is built."""
    monkeypatch.setattr(example, "_render", lambda folder, say: None)
    assert init(tmp_path / "demo", "--example").return_value == 0
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"assignment.toml", "assignment.ipynb", "render_images.py", "rendering"} <= made
    assert (tmp_path / "demo" / "submissions" / "anna-de-vries").is_dir()
    assert init(tmp_path / "demo", "--example").return_value == 0, "a run that was stopped goes on"
    (tmp_path / "demo" / "assignment.toml").write_text("mine")
    changed = init(tmp_path / "demo", "--example")
    assert isinstance(changed.exception, UsageError) and "not overwritten" in changed.exception.message
    assert (tmp_path / "demo" / "assignment.toml").read_text() == "mine"


def test_the_detection_example_brings_what_renders_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its images are not rendered here, but what renders them is loaded from where it lies."""
    monkeypatch.setattr(example, "_render", lambda folder, say: None)
    assert init(tmp_path / "demo", "--example", "--task", "detection").return_value == 0
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert made == {"assignment.toml", "render_images.py", "several_objects.py", "rendering", "submissions"}
    submissions = tmp_path / "demo" / "submissions"
    assert (submissions / "make_models.py").is_file() and not list(submissions.rglob("*.onnx"))
    loaded = subprocess.run(
        [sys.executable, "render_images.py", "--help"],
        cwd=tmp_path / "demo",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "usage: render_images.py" in loaded.stdout, loaded.stderr


def test_the_wheel_is_given_all_of_both_examples():
    """Whatever the repository keeps of them, and not what `make demo` makes: models, lists of labels and images."""
    top = Path(__file__).parents[2]
    given = tomllib.loads((top / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    folders = ("reference_solution/detection", "submissions_detection", "submissions")
    kept = [
        file.relative_to(top)
        for folder in folders
        for file in (top / folder).rglob("*")
        if file.suffix in (".py", ".ipynb", ".toml", ".md", ".zip")
        and not {"data", "baseline", "__pycache__"} & set(file.relative_to(top).parts)
    ]
    assert len(kept) > 15
    for file in kept:
        assert any(file.is_relative_to(part) for part in given["force-include"]), file
    assert all(place == f"harness/example/{part}" for part, place in given["force-include"].items())


@pytest.mark.parametrize("name", ["BACKGROUND", "background", "void"])
def test_a_detectors_class_is_not_called_what_its_list_has_for_no_object(name: str):
    with pytest.raises(UsageError, match="stands for no object"):
        class_names(f"ball,{name}", "detection")
    assert class_names(f"ball,{name}") == ("ball", name)
