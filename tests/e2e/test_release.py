"""`harness release`: a package that a student can use, and an autograder that runs where Gradescope would run it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from command_line import run_harness
from PIL import Image
from readable import readable_to_the_sandbox
from small_course import Course, hand_in

from harness.inputs.images import load as load_images
from harness.inputs.student_package import read_package

REPOSITORY = Path(__file__).parents[2]


def modes(folder: Path) -> set[int]:
    """Who may do what with the folder and everything below it."""
    return {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}


@pytest.fixture(scope="module")
def autograder(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """autograder.zip, unpacked: the scripts, and the student's package in `package/`."""
    folder = readable_to_the_sandbox(tmp_path_factory.mktemp("release"))
    cache, assignment = small_course.copied(folder)
    arguments = ("--out", folder / "out", "--to", "gradescope", "--sandbox", "bubblewrap")
    done = run_harness("release", assignment, *arguments, cache=cache)
    assert done.returncode == 0, done.stderr
    assert modes(folder / "out") == {0o755, 0o644}
    with zipfile.ZipFile(folder / "out" / "autograder.zip") as zipped:
        for info in zipped.infolist():
            target = folder / "unpacked" / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(zipped.read(info))
            target.chmod(info.external_attr >> 16 & 0o777)
    return folder / "unpacked"


def test_the_package_has_what_a_student_needs_and_no_more(autograder: Path):
    package = autograder / "package"
    read = read_package(package)
    assert read.images is not None and read.scores is not None
    assert read.scores.images_sha256 == load_images(read.images).sha256
    assert read.scores.accuracy == 1.0 and read.scores.latency is not None
    files = {file.relative_to(package).as_posix() for file in package.rglob("*") if file.is_file()}
    texts = {"README.md", "assignment.toml", "reference_scores.json", "start.ipynb"}
    assert files == texts | {".github/workflows/check.yml", ".gitlab-ci.yml"} | {
        f"images/{n}" for n in read.scores.right
    }


def test_everybody_can_read_the_package_that_is_copied_to_a_share(small_course: Course, tmp_path: Path):
    readable_to_the_sandbox(tmp_path)
    cache, assignment = small_course.copied(tmp_path)
    done = run_harness("release", assignment, "--out", tmp_path / "out", "--sandbox", "bubblewrap", cache=cache)
    assert done.returncode == 0, done.stderr
    assert modes(tmp_path / "out") == {0o755, 0o644}


def test_a_held_out_image_among_the_public_ones_stops_the_release(small_course: Course, tmp_path: Path):
    """Saved anew and mirrored, under another name; found before anything is trained, and nothing is written."""
    cache, assignment = small_course.copied(tmp_path)
    held_out = assignment.parent / "heldout" / "red" / "3.png"
    with Image.open(held_out) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(
            assignment.parent / "train" / "red" / "mine.jpg", quality=92
        )
    done = run_harness("release", assignment, "--out", tmp_path / "out", "--sandbox", "bubblewrap", cache=cache)
    assert done.returncode == 2 and "held-out image" in done.stderr and str(held_out) in done.stderr
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".release-*"))


@pytest.mark.usefixtures("docker_engine")
def test_the_autograder_runs_in_a_container_like_gradescopes(autograder: Path, small_course: Course, tmp_path: Path):
    """No network, no engine, root in a container; the harness is mounted, as an image that has it installed."""
    readable_to_the_sandbox(tmp_path)
    hand_in(tmp_path, "submission", small_course.reference)
    (tmp_path / "results").mkdir()
    shutil.copytree(autograder, tmp_path / "source")
    script = (
        "/autograder/source/setup.sh && cp /autograder/source/run_autograder /autograder/ && /autograder/run_autograder"
    )
    mounts = [f"{tmp_path / name}:/autograder/{name}" for name in ("submission", "source", "results")]
    mounts += [f"{path}:{path}:ro" for path in {sys.prefix, sys.base_prefix, str(REPOSITORY / "harness")}]
    environment = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "HOME": "/root"}
    command = ["docker", "run", "--rm", "--network", "none"]
    command += [word for mount in mounts for word in ("--volume", mount)]
    command += [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
    done = subprocess.run(
        [*command, "harness-base:bookworm", "bash", "-c", script],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    file = tmp_path / "results" / "results.json"
    assert file.is_file(), done.stderr
    found = json.loads(file.read_text())
    tests = {one["name"]: one for one in found["tests"]}
    assert tests["The model can be loaded and predicts"]["score"] == 20
    assert tests["Accuracy on held-out images, against the reference"]["score"] == 40
    assert "score" not in tests["Open questions"]  # a person's
    assert found["score"] == sum(one.get("score", 0) for one in found["tests"]) == 60
    assert {one.get("status") for one in found["tests"]} <= {"passed", "failed", None}
    assert done.returncode == 0, done.stderr
