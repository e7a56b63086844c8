"""`harness grade` as a user runs it: bad input, what is kept, what a kill leaves, what a person marks."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import psutil
import pytest
from command_line import HARNESS, run_harness
from small_course import Course, hand_in, notebook

from harness.report.export import results_schema


@pytest.fixture(scope="module")
def places(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cache and the assignment, of this module's own."""
    return small_course.copied(tmp_path_factory.mktemp("places"), "course with space")


@pytest.fixture(scope="module")
def cache(places: tuple[Path, Path]) -> Path:
    return places[0]


@pytest.fixture(scope="module")
def assignment(places: tuple[Path, Path]) -> Path:
    return places[1]


@pytest.fixture(scope="module")
def reference(small_course: Course) -> Path:
    return small_course.reference


def grade(submissions: Path, assignment: Path, out: Path, cache: Path, *options: object, engine: str = "bubblewrap"):
    arguments = ("grade", submissions, "--assignment", assignment, "--out", out, "--sandbox", engine, *options)
    return run_harness(*arguments, cache=cache)


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "grades.csv").open(encoding="utf-8") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def results(out: Path) -> dict[str, dict]:
    read = json.loads((out / "results.json").read_text())
    jsonschema.validate(read, results_schema())
    return {row["id"]: row for row in read["submissions"]}


@pytest.fixture(scope="module")
def graded(
    assignment: Path, reference: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """(submissions, out) of one run over good and bad submissions."""
    folder = tmp_path_factory.mktemp("run")
    submissions, out = folder / "submissions", folder / "out"
    hand_in(submissions, "good", reference, notebook__ipynb=notebook("print('hello')", "1 + 1"))
    hand_in(submissions, "raises", reference, notebook__ipynb=notebook("1", "raise KeyError('gone')", "2"))
    hand_in(submissions, "unreadable notebook", notebook__ipynb="this is no notebook")
    hand_in(submissions, "corrupt model", model__onnx=(reference / "model.onnx").read_bytes()[:300])
    hand_in(submissions, "five labels", reference).joinpath("labels.txt").write_text("a\nb\nc\nd\ne\n")
    (submissions / "empty").mkdir()
    (submissions / "=cmd|calc").mkdir()
    (submissions / "broken.zip").write_bytes(b"PK\x03\x04 nothing more")
    shutil.make_archive(str(submissions / "zipped"), "zip", reference)
    (submissions / "README.md").write_text("not a submission")
    done = grade(submissions, assignment, out, cache)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return submissions, out


def test_every_hand_in_has_a_row_and_a_page(graded):
    _, out = graded
    found = rows(out)
    assert len(found) == 9
    assert found["good"]["status"] == "needs-review"  # open questions wait for a person
    assert float(found["good"]["points"]) == 80
    for name in ("unreadable-notebook", "corrupt-model", "five-labels", "empty", "broken"):
        assert (found[name]["status"], float(found[name]["points"])) == ("failed", 0), name
    for name in found:
        assert (out / "students" / name / "index.html").is_file()
    assert (out / "index.html").is_file()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("raises", "cell-error"),
        ("unreadable-notebook", "notebook-unreadable"),
        ("corrupt-model", "model-unreadable"),
        ("five-labels", "labels-wrong-count"),
        ("empty", "nothing-handed-in"),
        ("broken", "archive-unreadable"),
    ],
)
def test_each_fault_is_found_by_name(graded, name: str, code: str):
    _, out = graded
    assert code in rows(out)[name]["findings"].split(";")
    found = {finding["code"]: finding["message"] for finding in results(out)[name]["findings"]}
    assert len(found[code]) > 20


def test_a_formula_in_a_name_is_harmless_in_the_csv(graded):
    _, out = graded
    assert any(row["student"] == "'=cmd|calc" for row in rows(out).values())


def test_results_json_has_the_stages_as_in_the_contract(graded):
    _, out = graded
    good = results(out)["good"]
    assert set(good["stages"]) == {
        "read",
        "execute",
        "audit",
        "convert",
        "predict",
        "inspect",
        "stress",
        "evaluate",
        "boards",
        "benchmark",
    }
    assert good["evaluation"]["accuracy"] == 1.0
    assert good["benchmark"]["model"]["queries"] >= 64
    assert good["inspection"]["total_parameters"] > 0
    raises = results(out)["raises"]
    assert raises["stages"]["execute"]["status"] == "failed"
    assert "KeyError" in raises["stages"]["execute"]["reason"]
    assert raises["stages"]["predict"]["status"] in ("ok", "cached")  # it is the model of another submission


def test_the_same_again_runs_no_stage(graded, assignment: Path, cache: Path):
    submissions, out = graded
    before = rows(out)
    done = grade(submissions, assignment, out, cache)
    assert done.returncode == 1
    for row in results(out).values():
        for name, stage in row["stages"].items():
            assert stage["cached"], (row["id"], name)
            assert stage["status"] != "ok"
    assert rows(out) == before
    assert "execute ok" not in done.stderr and "Training" not in done.stderr


def test_a_changed_rubric_only_marks_again(graded, assignment: Path, cache: Path, tmp_path: Path):
    submissions, _ = graded
    changed = assignment.parent / "other.toml"
    changed.write_text(assignment.read_text().replace("points = 40", "points = 10"))
    done = grade(submissions, changed, tmp_path / "out", cache)
    assert done.returncode == 1, done.stderr
    found = results(tmp_path / "out")
    assert all(stage["cached"] for row in found.values() for stage in row["stages"].values())
    assert found["good"]["points"] == 50


def test_a_persons_mark_is_taken_in_and_kept(graded, assignment: Path, cache: Path):
    submissions, out = graded
    wrong = run_harness("mark", out, "good", "Open questions", 99, "--reason", "x", cache=cache)
    assert wrong.returncode == 2 and "give 0 to 20" in wrong.stderr
    done = run_harness("mark", out, "good", "Open questions", 15, "--reason", "Clear.", cache=cache)
    assert done.returncode == 0, done.stderr
    grade(submissions, assignment, out, cache)
    assert rows(out)["good"]["status"] == "graded"
    assert float(rows(out)["good"]["points"]) == 95


def test_without_a_sandbox_it_says_so(graded, assignment: Path, cache: Path, tmp_path: Path, reference: Path):
    hand_in(tmp_path / "s", "mia", reference)
    done = grade(tmp_path / "s", assignment, tmp_path / "out", cache, engine="none")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.html").read_text()
    assert "submissions run as you" in page
    assert "sandbox-off" in rows(tmp_path / "out")["mia"]["findings"]


def test_json_on_stdout_and_progress_on_stderr(graded, assignment: Path, cache: Path, tmp_path: Path):
    submissions, _ = graded
    done = grade(submissions, assignment, tmp_path / "out", cache, "--json")
    assert len(json.loads(done.stdout)["submissions"]) == 9
    assert "Grading 9 submissions" in done.stderr


@pytest.mark.parametrize("missing", [True, False])
def test_a_missing_or_empty_submissions_folder(assignment: Path, cache: Path, tmp_path: Path, missing: bool):
    if not missing:
        (tmp_path / "none").mkdir()
    done = grade(tmp_path / "none", assignment, tmp_path / "out", cache)
    assert done.returncode == 2
    assert "do:" in done.stderr and "Traceback" not in done.stderr


def test_an_assignment_that_is_not_there_or_broken(assignment: Path, cache: Path, tmp_path: Path):
    (tmp_path / "s").mkdir()
    done = grade(tmp_path / "s", tmp_path / "absent.toml", tmp_path / "out", cache)
    assert done.returncode == 2 and "absent.toml" in done.stderr
    broken = assignment.parent / "broken.toml"
    broken.write_text(assignment.read_text().replace("[limits]", "[limitz]"))
    done = grade(tmp_path / "s", broken, tmp_path / "out", cache)
    assert done.returncode == 2 and "did you mean 'limits'" in done.stderr


def test_a_held_out_image_that_does_not_decode(assignment: Path, reference: Path, cache: Path, tmp_path: Path):
    course = tmp_path / "course"
    shutil.copytree(assignment.parent, course)
    (course / "heldout" / "red" / "bad.jpg").write_text("<html>")
    hand_in(tmp_path / "s", "mia", reference)
    done = grade(tmp_path / "s", course / "assignment.toml", tmp_path / "out", cache)
    assert done.returncode == 2 and "bad.jpg" in done.stderr


def test_no_engine_is_refused_with_what_to_install(assignment: Path, cache: Path, tmp_path: Path, reference: Path):
    """A bwrap that cannot make namespaces, and no Docker: exit status 3."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bwrap").write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n"
    )
    (tmp_path / "bin" / "bwrap").chmod(0o755)
    hand_in(tmp_path / "s", "mia", reference)
    done = run_harness(
        "grade", tmp_path / "s", "--assignment", assignment, "--out", tmp_path / "out",
        cache=cache, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}", DOCKER_HOST="unix:///nowhere.sock",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "No permissions to create new namespace" in done.stderr and "harness env build" in done.stderr
    assert not (tmp_path / "out" / "grades.csv").exists()


def test_two_runs_into_one_output_folder(graded, assignment: Path, cache: Path, tmp_path: Path):
    submissions, _ = graded
    (tmp_path / "out").mkdir()
    import fcntl

    with (tmp_path / "out" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = grade(submissions, assignment, tmp_path / "out", cache)
    assert done.returncode == 2 and "another run" in done.stderr


def sandboxes(temporary: Path) -> list[psutil.Process]:
    """Sandboxes whose inputs lie in this folder for temporary files; a command line does not say which those are."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any("agent/__main__.py" in part for part in process.info["cmdline"] or [])
        and str(temporary.relative_to(temporary.anchor)) in mounts_of(process)
    ]


def mounts_of(process: psutil.Process) -> str:
    """Where the files come from that the process sees."""
    try:
        return Path(f"/proc/{process.pid}/mountinfo").read_text()
    except OSError:  # it has ended
        return ""


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_leaves_nothing_and_goes_on(
    assignment: Path, reference: Path, cache: Path, tmp_path: Path, kill: int
):
    """After Ctrl-C, TERM or KILL in a notebook: nothing left, nothing half-written; then the same grades."""
    submissions, out = tmp_path / "s", tmp_path / "out"
    mark, temporary = time.time_ns(), tmp_path / "temporary"
    temporary.mkdir()
    hand_in(submissions, "first", reference, notebook__ipynb=notebook(f"{mark}"))
    hand_in(submissions, "second", reference, notebook__ipynb=notebook(f"import time; time.sleep(6); {mark}"))
    process = subprocess.Popen(
        [
            *HARNESS,
            "grade",
            str(submissions),
            "--assignment",
            str(assignment),
            "--out",
            str(out),
            "--sandbox",
            "bubblewrap",
            "--jobs",
            "1",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HARNESS_CACHE": str(cache), "TMPDIR": str(temporary)},
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("First pages"):
            break
    time.sleep(2.5)
    ends = time.monotonic() + 20
    while not sandboxes(temporary) and time.monotonic() < ends:  # on a busy machine it is still on its way there
        time.sleep(0.1)
    assert sandboxes(temporary)
    if kill == signal.SIGINT:
        os.killpg(process.pid, kill)  # as a terminal does
    else:
        process.send_signal(kill)
    _, said = process.communicate(timeout=60)
    if kill != signal.SIGKILL:
        assert process.returncode == 130
        assert "go on" in said
    deadline = time.monotonic() + 10
    while sandboxes(temporary) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not sandboxes(temporary)
    assert [p.name for p in out.iterdir() if p.suffix in (".csv", ".json")] == []
    assert "1 of 2 submissions graded so far" in (out / "index.html").read_text()
    assert ("The run was stopped" in (out / "index.html").read_text()) == (kill != signal.SIGKILL)
    assert not (out / "students").exists()
    done = grade(submissions, assignment, out, cache)
    assert done.returncode == 0, done.stderr
    assert results(out)["first"]["stages"]["execute"]["status"] == "cached"
    assert results(out)["second"]["stages"]["execute"]["status"] == "ok"
    assert {row["points"] for row in rows(out).values()} == {"80"}


def test_a_private_umask_and_no_home(assignment: Path, reference: Path, cache: Path, tmp_path: Path):
    hand_in(tmp_path / "s", "mia", reference, notebook__ipynb=notebook("1"))
    script = (
        f"umask 077; exec {sys.executable} -m harness grade {tmp_path}/s --assignment '{assignment}'"
        f" --out {tmp_path}/out --sandbox bubblewrap"
    )
    environment = {"PATH": os.environ["PATH"], "HARNESS_CACHE": str(cache), "LC_ALL": "C"}
    done = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(rows(tmp_path / "out")["mia"]["points"]) == 80
