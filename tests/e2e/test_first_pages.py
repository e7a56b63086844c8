"""What is there to look at while `harness grade` still runs, and what a stopped run leaves of it."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from command_line import HARNESS, grade
from small_course import Course, hand_in, notebook

REFRESH = '<meta http-equiv="refresh"'


@pytest.fixture(scope="module")
def places(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cache and the assignment, of this module's own."""
    return small_course.copied(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module")
def cache(places: tuple[Path, Path]) -> Path:
    return places[0]


@pytest.fixture(scope="module")
def assignment(places: tuple[Path, Path]) -> Path:
    return places[1]


@pytest.fixture(scope="module")
def reference(small_course: Course) -> Path:
    return small_course.reference


def started(submissions: Path, assignment: Path, out: Path, cache: Path) -> subprocess.Popen[str]:
    """`harness grade`, one submission after the other, at work."""
    options = ("--assignment", assignment, "--out", out, "--sandbox", "bubblewrap", "--jobs", 1)
    return subprocess.Popen(
        [*HARNESS, "grade", str(submissions), *map(str, options)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "HARNESS_CACHE": str(cache)},
        start_new_session=True,
    )


def until_the_first_page(process: subprocess.Popen[str]) -> Path:
    """The class's page, as soon as the run says that it is there."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("First pages: "):
            return Path(line.removeprefix("First pages: ").strip())
    raise AssertionError("the run ended without a first page")


def words(page: Path) -> str:
    return re.sub(r"<[^>]*>|\s+", " ", page.read_text("utf-8").partition("<body")[2])


def test_a_page_is_there_before_the_run_ends_and_says_so(
    assignment: Path, reference: Path, cache: Path, tmp_path: Path
) -> None:
    """Then the run is stopped, which the page says, too; the next run puts final pages in their place."""
    submissions, out = tmp_path / "submissions", tmp_path / "out"
    hand_in(submissions, "first", reference, notebook__ipynb=notebook("print('at once')"))
    hand_in(submissions, "second", reference, notebook__ipynb=notebook("import time; time.sleep(15)"))
    process = started(submissions, assignment, out, cache)
    try:
        overview = until_the_first_page(process)
        assert process.poll() is None
        assert overview == out / "index.html"
        assert REFRESH in overview.read_text("utf-8")
        assert "1 of 2 submissions graded so far" in words(overview)
        assert 'href="submissions/first/index.html"' in overview.read_text("utf-8")
        assert 'href="submissions/second/index.html"' not in overview.read_text("utf-8")
        assert "This page is not final." in words(out / "submissions" / "first" / "index.html")
        assert sorted(file.name for file in out.rglob("*.html")) == ["index.html"] * 2
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert REFRESH not in overview.read_text("utf-8")
    assert "The run was stopped" in words(overview)
    assert [file.name for file in out.rglob(".writing-*")] == []

    done = grade(submissions, assignment, out, cache)
    assert done.returncode == 0, done.stderr
    assert "2 submissions: 0 graded, 2 need review" in words(overview)
    for page in out.rglob("*.html"):
        assert REFRESH not in page.read_text("utf-8")
        assert "not final" not in words(page)
    assert sorted(page.name for page in out.rglob("*.html")) == ["index.html"] * 5 + ["notebook.html"] * 2
    assert re.search(r"^\[1/2\] \w+$", done.stderr, re.MULTILINE)
    assert "Timing 2 submissions, one at a time" in done.stderr


def test_pages_of_an_earlier_run_stay_until_new_ones_are_there(
    assignment: Path, reference: Path, cache: Path, tmp_path: Path
) -> None:
    """Also that of a submission that was taken away, which goes at the end. What has no notebook to run comes first."""
    submissions, out = tmp_path / "submissions", tmp_path / "out"
    hand_in(submissions, "gone", reference)
    hand_in(submissions, "a-later", reference)
    assert grade(submissions, assignment, out, cache).returncode == 0
    earlier = (out / "submissions" / "a-later" / "index.html").read_text("utf-8")
    (submissions / "gone").rename(tmp_path / "gone")
    hand_in(submissions, "early", reference)
    (submissions / "a-later" / "notebook.ipynb").write_text(notebook("import time; time.sleep(8)"))
    process = started(submissions, assignment, out, cache)
    until_the_first_page(process)
    assert process.poll() is None
    assert (out / "submissions" / "a-later" / "index.html").read_text("utf-8") == earlier
    assert (out / "submissions" / "gone" / "index.html").is_file()
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert (out / "submissions" / "a-later" / "index.html").read_text("utf-8") != earlier
    assert {folder.name for folder in (out / "submissions").iterdir()} == {"early", "a-later"}
