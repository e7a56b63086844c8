"""An assignment or a held-out image that is broken: what is said, and where."""

import shutil
from pathlib import Path

import pytest
from command_line import grade
from small_course import Course


@pytest.fixture(scope="module")
def places(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return small_course.copied(tmp_path_factory.mktemp("places"), "course with space")


@pytest.fixture(scope="module")
def cache(places: tuple[Path, Path]) -> Path:
    return places[0]


@pytest.fixture(scope="module")
def assignment(places: tuple[Path, Path]) -> Path:
    return places[1]


@pytest.mark.hostile(line=50, expected="exit 2, says where")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("[held_out]", "[heldout]"), "held_out"),
        (lambda text: text.replace('"2 GB"', '"2 parsecs"'), "memory"),
        (lambda text: text + "points = 1\n[", "TOML"),
        (lambda text: "points = 99\n" + text, "points"),
        (lambda text: text.replace('path = "heldout"', 'path = "nowhere"'), "nowhere"),
        (lambda text: text.replace('kind = "manual"', 'kind = "manuel"'), "manual"),
    ],
)
def test_a_broken_assignment_says_where(assignment: Path, cache: Path, tmp_path: Path, got, change, said: str):
    folder = tmp_path / "course"
    shutil.copytree(assignment.parent, folder)
    (folder / "assignment.toml").write_text(change(assignment.read_text()))
    (tmp_path / "s" / "mia").mkdir(parents=True)
    done = grade(tmp_path / "s", folder / "assignment.toml", tmp_path / "out", cache)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
    got(done.stderr.splitlines()[-2])


@pytest.mark.hostile(line=50, expected="exit 2, says where")
def test_a_held_out_image_that_does_not_decode_is_named(assignment: Path, cache: Path, tmp_path: Path, got):
    folder = tmp_path / "course"
    shutil.copytree(assignment.parent, folder)
    (folder / "heldout" / "red" / "0.png").write_text("no image")
    (tmp_path / "s" / "mia").mkdir(parents=True)
    done = grade(tmp_path / "s", folder / "assignment.toml", tmp_path / "out", cache)
    assert done.returncode == 2 and "0.png" in done.stderr and "Traceback" not in done.stderr
    assert grade(tmp_path / "s", folder / "none.toml", tmp_path / "out", cache).returncode == 2
    got(done.stderr.splitlines()[-2])
