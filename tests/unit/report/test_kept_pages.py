"""Pages of an earlier run stay where everything that they show is the same, and only there."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import synthetic_class
from pydantic_core import PydanticSerializationError
from synthetic_class import SyntheticClass

import harness
from harness import report
from harness.boundary import parsed_apart
from harness.findings import finding
from harness.gradebook.results import Results
from harness.inputs.assignment.sections import Feedback
from harness.report import kept, student
from harness.report.alone import shows_notebook
from harness.report.export.feedback import cleared_page, made_for
from harness.report.kept import Identity
from harness.report.page_sources import OthersImages
from harness.report.rendering import Renderer
from harness.report.thumbnails import thumbnails
from harness.stages.code_identity import deciding_files

PACKAGE = Path(harness.__file__).parent
LATER = "2031-01-01T00:00:00+00:00"


@pytest.fixture
def made(tmp_path: Path) -> SyntheticClass:
    whole = synthetic_class.build(tmp_path)
    rows = whole.results.submissions[:3]
    return dataclasses.replace(whole, results=whole.results.model_copy(update={"submissions": rows}))


def again(results: Results) -> Results:
    """The same, as a later run finds it that takes all stages from the cache."""
    kept = [
        row.model_copy(
            update={
                "stages": {
                    name: stage.model_copy(
                        update={"cached": True, "seconds": 0.0, "status": stage.status.replace("ok", "cached")}
                    )
                    for name, stage in row.stages.items()
                }
            }
        )
        for row in results.submissions
    ]
    run = results.run.model_copy(update={"finished": LATER})
    return results.model_copy(update={"submissions": tuple(kept), "run": run})


def written_anew(out: Path, write: Callable[[], object]) -> set[str]:
    """The files below `submissions` and `students` that `write` replaced."""

    def inodes() -> dict[str, int]:
        files = (file for folder in ("submissions", "students") for file in (out / folder).glob("*/*.html"))
        return {str(file.relative_to(out)): file.stat().st_ino for file in files}

    before = inodes()
    kept_open = [(out / name).open() for name in before]  # so that no inode is used again
    write()
    after = inodes()
    for stream in kept_open:
        stream.close()
    return {name for name, inode in after.items() if before.get(name) != inode}


def test_a_run_with_nothing_new_makes_no_page_of_a_submission(
    made: SyntheticClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out"
    first = report.write(made.results, made.sources, out)
    rendered = []
    real = Renderer.render
    monkeypatch.setattr(
        Renderer, "render", lambda self, name, **values: rendered.append(name) or real(self, name, **values)
    )
    second: list[Results] = []
    assert written_anew(out, lambda: second.append(report.write(again(made.results), made.sources, out))) == set()
    assert rendered == ["class.html.j2"]
    assert [row.page for row in second[0].submissions] == [row.page for row in first.submissions]
    assert all(len(row.page) == 64 for row in first.submissions)


def test_another_finding_makes_the_pages_of_its_submission_alone(made: SyntheticClass, tmp_path: Path):
    out, id = tmp_path / "out", made.results.submissions[1].id
    report.write(made.results, made.sources, out)
    rows = list(made.results.submissions)
    rows[1] = rows[1].model_copy(update={"findings": (*rows[1].findings, finding("sandbox-off"))})
    changed = made.results.model_copy(update={"submissions": tuple(rows)})
    anew = written_anew(out, lambda: report.write(changed, made.sources, out))
    assert anew == {f"submissions/{id}/index.html", f"students/{id}/index.html"}


def test_a_neighbours_name_makes_the_instructors_page(made: SyntheticClass, tmp_path: Path):
    out, ids = tmp_path / "out", [row.id for row in made.results.submissions]
    report.write(made.results, made.sources, out)
    rows = list(made.results.submissions)
    rows[2] = rows[2].model_copy(update={"student": "Somebody Else"})
    changed = made.results.model_copy(update={"submissions": tuple(rows)})
    anew = written_anew(out, lambda: report.write(changed, made.sources, out))
    assert anew == {
        f"submissions/{ids[1]}/index.html",
        f"submissions/{ids[2]}/index.html",
        f"students/{ids[2]}/index.html",
    }


def test_a_policy_makes_the_students_pages(made: SyntheticClass, tmp_path: Path):
    out = tmp_path / "out"
    report.write(made.results, made.sources, out)
    policy = Feedback(show_held_out=not made.sources.feedback.show_held_out)
    sources = dataclasses.replace(made.sources, feedback=policy)
    anew = written_anew(out, lambda: report.write(made.results, sources, out))
    assert anew and {name.split("/")[0] for name in anew} == {"students"}


def test_a_missing_shared_image_makes_the_page_that_shows_it(made: SyntheticClass, tmp_path: Path):
    out = tmp_path / "out"
    report.write(made.results, made.sources, out)
    images = sorted((out / "shared").glob("*.jpg"))
    images[0].unlink()
    anew = written_anew(out, lambda: report.write(made.results, made.sources, out))
    assert anew and {name.split("/")[0] for name in anew} == {"submissions"}
    assert sorted((out / "shared").glob("*.jpg")) == images


def test_a_page_that_was_cut_short_is_made_anew(made: SyntheticClass, tmp_path: Path):
    out, id = tmp_path / "out", made.results.submissions[0].id
    report.write(made.results, made.sources, out)
    page = out / "students" / id / "index.html"
    page.write_text(page.read_text("utf-8")[:-400], encoding="utf-8")
    anew = written_anew(out, lambda: report.write(made.results, made.sources, out))
    assert anew == {f"students/{id}/index.html"}


def test_what_cannot_be_told_from_another_has_no_identity(made: SyntheticClass):
    with pytest.raises(PydanticSerializationError):
        Identity(made.sources.store).of(lambda: "an image that nothing tells apart")


def test_every_module_that_a_page_needs_decides_it():
    """What Python loads for the pages, and the programs that this code starts, which no import leads to."""
    loading = "import sys, harness.report.pages; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loading], capture_output=True, text=True, check=True)
    names = [name.split(".")[1:] for name in done.stdout.split() if name.startswith("harness.")]
    files = {PACKAGE.joinpath(*parts).with_suffix(".py") for parts in names}
    files |= {PACKAGE.joinpath(*parts, "__init__.py") for parts in names}
    deciding = set(deciding_files(roots=kept._ROOTS))
    assert {file for file in files if file.is_file()} <= deciding
    started = {PACKAGE / "apart" / f"{name}.py" for name in ("__main__", "notebook", "notebook_file", "plain")}
    assert started <= deciding
    assert set((PACKAGE / "report" / "templates").iterdir()) <= deciding


@pytest.mark.parametrize(
    "other", [{"_version": lambda _: "99"}, {"kept_code_sha256": lambda *_: "repaired"}], ids=["library", "code"]
)
def test_another_library_or_other_code_makes_all_pages(
    made: SyntheticClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, object]
):
    out = tmp_path / "out"
    report.write(made.results, made.sources, out)
    pages = {str(file.relative_to(out)) for folder in ("submissions", "students") for file in out.glob(f"{folder}/*/*")}
    for name, value in other.items():
        monkeypatch.setattr(kept, name, value)
    assert pages and written_anew(out, lambda: report.write(made.results, made.sources, out)) == pages


def test_a_notebook_that_could_not_be_read_once_is_shown_by_the_next_run(
    made: SyntheticClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out, id = tmp_path / "out", made.results.submissions[0].id
    page, notebook = out / "students" / id / "index.html", out / "students" / id / "notebook.html"

    def written() -> bool:
        """Whether the page shows the notebook's file, and the file is there; both or neither."""
        student._read.cache_clear()
        report.write(made.results, made.sources, out)
        assert shows_notebook(page.read_text("utf-8")) == notebook.is_file()
        return notebook.is_file()

    with monkeypatch.context() as busy:
        busy.setattr(parsed_apart, "_SECONDS", 0)
        assert not written()
    assert written()
    notebook.unlink()
    with monkeypatch.context() as busy:
        busy.setattr(parsed_apart, "_SECONDS", 0)
        assert not written()
    assert written()


def test_a_page_without_a_notebook_that_an_earlier_run_wrote_does_not_stay(
    made: SyntheticClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out, id = tmp_path / "out", made.results.submissions[0].id
    report.write(made.results, made.sources, out)
    page = out / "students" / id / "index.html"
    page.unlink()
    student._read.cache_clear()
    with monkeypatch.context() as busy:
        busy.setattr(parsed_apart, "_SECONDS", 0)
        report.write(made.results, made.sources, out)
    assert not shows_notebook(page.read_text("utf-8"))
    student._read.cache_clear()
    report.write(made.results, made.sources, out)
    assert shows_notebook(page.read_text("utf-8"))


def test_an_image_that_was_gone_is_shown_when_it_is_back(made: SyntheticClass, tmp_path: Path):
    out, place = tmp_path / "out", made.sources.held_out.files[0].parents[1]
    sources = dataclasses.replace(made.sources, feedback=Feedback(show_held_out=True))
    away = place.rename(tmp_path / "away")
    without = report.write(again(made.results), sources, out)
    pages = [out / "students" / row.id / "index.html" for row in without.submissions]
    lacking = [page for page in pages if "is not here any more" in page.read_text("utf-8")]
    assert lacking
    for row, page in zip(without.submissions, pages, strict=True):
        assert cleared_page(page, made_for(row, without))  # it can be given away meanwhile
    away.rename(place)
    report.write(made.results, sources, out)
    shown = [*lacking, *(out / "submissions" / page.parent.name / page.name for page in lacking)]
    assert [page for page in shown if "is not here any more" in page.read_text("utf-8")] == []


def test_another_image_under_the_same_name_is_not_shown_for_it(made: SyntheticClass):
    held_out = made.sources.held_out
    image = thumbnails(held_out)
    assert image(0) is not None and not image.lost_some
    held_out.files[1].write_bytes(held_out.files[2].read_bytes())
    assert image(1) is None and image.lost_some
    assert image(len(held_out.files)) is None


def test_an_image_of_another_submission_that_fails_once_is_noted():
    def fails(_: str) -> str:
        raise OSError("the disk is away")

    others = OthersImages({"group-2": fails})
    assert others("nobody", "a.jpg") is None and not others.lost_some
    assert others("group-2", "a.jpg") is None and others.lost_some


def test_a_folder_whose_name_is_not_utf_8_has_pages(made: SyntheticClass, tmp_path: Path):
    place = Path(os.fsdecode(bytes(tmp_path) + b"/kurs-\xe4/images"))
    sources = dataclasses.replace(made.sources, host_folders=(place,))
    written = report.write(made.results, sources, tmp_path / "out")
    assert [found.code for row in written.submissions for found in row.findings if found.code == "harness-defect"] == []
