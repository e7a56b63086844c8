"""Pages of an earlier run stay where everything that they show is the same, and only there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import synthetic_class
from pydantic_core import PydanticSerializationError
from synthetic_class import SyntheticClass

from harness import report
from harness.findings import finding
from harness.gradebook.results import Results
from harness.inputs.assignment.sections import Feedback
from harness.report.kept import Identity
from harness.report.rendering import Renderer

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
