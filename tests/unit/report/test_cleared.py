"""What a student's page is made from: nothing that was not cleared for it."""

from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic_class
from synthetic_class import SyntheticClass
from test_report_escaping import Page, check_page
from test_report_pages import text_of

from harness import report
from harness.findings import finding
from harness.inputs.assignment.sections import Feedback
from harness.report.cleared import for_instructor, for_student
from harness.report.host_paths import without_host_paths
from harness.stages.evidence.audit import DatasetAudit, SharedImage, WithheldImage
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, Usage, told_to_student
from harness.stages.latency_statistics import significant

_SECRET = "Vz7q"


def student(out: Path, id: str) -> Path:
    return out / "students" / id / "index.html"


def instructor(out: Path, id: str) -> Path:
    return out / "submissions" / id / "index.html"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticClass:
    return synthetic_class.build(tmp_path_factory.mktemp("class"))


def written(made: SyntheticClass, out: Path, id: str, show_held_out: bool = False, **changes: Any) -> Path:
    """The pages of the submission `id`, whose evidence has these changes."""
    evidence = {**made.sources.evidence, id: made.sources.evidence[id].model_copy(update=changes)}
    feedback = Feedback(show_held_out=show_held_out)
    sources = report.Sources(
        evidence, made.sources.reference, made.sources.held_out, made.sources.store, feedback, (out,)
    )
    report.write(made.results, sources, out)
    return out


def test_a_student_s_page_leads_nowhere_and_names_nobody_else(made: SyntheticClass, tmp_path: Path) -> None:
    out = written(made, tmp_path, "team-04")
    others = [row.student for row in made.results.submissions if row.id != "team-04"]
    page = student(out, "team-04").read_text("utf-8")
    check_page(page, lambda target: target.startswith("#"))
    words = text_of(student(out, "team-04"))
    assert not [name for name in others if name in words]
    assert not [row.id for row in made.results.submissions if row.id != "team-04" and row.id in page]
    assert made.results.assignment.file not in page and made.results.run.sandbox_reason not in page


def test_details_and_logs_of_stages_that_saw_held_out_images_are_the_instructor_s(
    made: SyntheticClass, tmp_path: Path
) -> None:
    found = finding("prediction-failed", reason="it stopped with an error", detail=f"{_SECRET}-finding")
    failed = Failed(
        status="failed", reason=found.message, detail=f"{_SECRET}-detail", findings=(found,),
        usage=Usage(seconds=1.2345678, peak_memory_bytes=123_456_789, log=f"{_SECRET}-log"),
    )  # fmt: skip
    own = Done(value=made.sources.evidence["team-01"].convert.value, usage=Usage(log="my own warning"))  # type: ignore[union-attr]
    row = made.results.submissions[0]
    stages = {
        **row.stages,
        "predict": row.stages["predict"].model_copy(
            update={"status": "failed", "reason": failed.reason, "detail": failed.detail, "seconds": 1.2345678}
        ),
    }
    row = row.model_copy(update={"stages": stages, "findings": (found,), "same_model_as": (f"{_SECRET}-else",)})
    results = made.results.model_copy(update={"submissions": (row, *made.results.submissions[1:])})
    out = written(
        SyntheticClass(results, made.sources), tmp_path, "team-01", predict=failed, convert=told_to_student(own)
    )
    page = student(out, "team-01").read_text("utf-8")
    assert _SECRET not in page
    assert "it stopped with an error" in page and "my own warning" in page
    assert "1.2345" not in page
    theirs = instructor(out, "team-01").read_text("utf-8")
    assert all(f"{_SECRET}-{what}" in theirs for what in ("finding", "detail", "log"))


@pytest.mark.parametrize("show_held_out", [False, True])
def test_held_out_images_are_shown_only_where_the_assignment_says_so(
    made: SyntheticClass, tmp_path: Path, show_held_out: bool
) -> None:
    out = written(made, tmp_path, "team-07", show_held_out)

    def images(file: Path) -> list[Any]:
        return [a for tag, a in Page(file.read_text("utf-8")).tags if tag == "img"]

    assert len(images(instructor(out, "team-07"))) > 3
    assert len(images(student(out, "team-07"))) == (len(images(instructor(out, "team-07"))) if show_held_out else 0)
    assert ("most confident mistakes" in text_of(student(out, "team-07"))) == show_held_out


def test_whose_the_shared_images_are_is_not_said(made: SyntheticClass, tmp_path: Path) -> None:
    pairs = (("ball/1.jpg", "a"), ("ball/1.jpg", "b"), ("mug/2.jpg", "a"))
    shared = tuple(SharedImage(picture=one, other=f"{_SECRET}-{o}", other_picture=f"{_SECRET}.jpg") for one, o in pairs)
    audit = DatasetAudit(classes={"ball": 9, "mug": 9}, unreadable=(), shared=shared)
    out = written(made, tmp_path, "team-02", audit=Done(value=audit))
    page = student(out, "team-02")
    assert _SECRET not in page.read_text("utf-8") and _SECRET in instructor(out, "team-02").read_text("utf-8")


@pytest.mark.parametrize("show_held_out", [False, True])
def test_of_a_data_set_of_which_a_part_was_withheld_no_image_is_shown(
    made: SyntheticClass, tmp_path: Path, show_held_out: bool
) -> None:
    """To show only those that were not would tell which were."""
    store = made.sources.store
    np.save(tmp_path / "shown.npy", np.full((2, 8, 8, 3), 90, np.uint8))
    thumbnails = store.put(tmp_path / "shown.npy", "shown.npy")
    withheld = WithheldImage(picture="b.jpg", label="mug", file=Blob(name="b.png", sha256="0" * 64, bytes=1))
    audit = DatasetAudit(
        classes={"mug": 2}, unreadable=(), blurred=("a.jpg", "b.jpg"), shown=("a.jpg", "b.jpg"), thumbnails=thumbnails,
        withheld=(withheld,),
    )  # fmt: skip
    sources = report.Sources(
        {"team-01": made.sources.evidence["team-01"].model_copy(update={"audit": Done(value=audit)})},
        made.sources.reference, made.sources.held_out, store, Feedback(show_held_out=show_held_out),
    )  # fmt: skip
    row = made.results.submissions[0]
    cleared = for_student(made.results, row, sources, lambda index: None)
    assert [cleared.own_image(name) is not None for name in audit.shown] == [show_held_out] * 2
    assert isinstance(cleared.evidence.audit, Done) and cleared.evidence.audit.value.withheld == ()
    whole = for_instructor(made.results, row, sources, lambda index: None)
    assert all(whole.own_image(name) for name in audit.shown)


def test_what_a_model_that_runs_as_it_is_says_of_itself_is_not_on_a_student_s_page(made: SyntheticClass) -> None:
    evidence = made.sources.evidence["team-01"]
    assert isinstance(evidence.convert, Done)
    native = Done(value=evidence.convert.value.model_copy(update={"native": True}))
    sources = report.Sources(
        {"team-01": evidence.model_copy(update={"convert": native})},
        made.sources.reference, made.sources.held_out, made.sources.store,
    )  # fmt: skip
    said = finding("no-layer-frozen", layers=3, backbone="x", moved=123456.0)
    changed = sources.evidence["team-01"].inspect.model_copy(update={"findings": (said,)})
    sources.evidence["team-01"] = sources.evidence["team-01"].model_copy(update={"inspect": changed})  # type: ignore[index]
    row = made.results.submissions[0].model_copy(update={"findings": (said, finding("answers-vary"))})
    told = for_student(made.results, row, sources, lambda index: None).result.findings
    assert [found.code for found in told] == ["answers-vary"]
    assert row.inspection is not None
    assert for_student(made.results, row, sources, lambda index: None).result.inspection is None
    assert for_instructor(made.results, row, sources, lambda index: None).result.inspection == row.inspection


def test_numbers_carry_little(made: SyntheticClass) -> None:
    """Times to two figures, no single latency, shares to a tenth of a percent, no list of single images."""
    result = for_student(made.results, made.results.submissions[0], made.sources, lambda index: None).result
    assert result.benchmark is not None and result.evaluation is not None
    assert result.benchmark.latencies_ms == ()
    assert result.benchmark.model.p50_ms == significant(result.benchmark.model.p50_ms, 2)
    assert result.evaluation.mistakes == () and result.evaluation.occlusion_maps == ()
    assert result.evaluation.log_loss == round(result.evaluation.log_loss, 2)
    assert [significant(value, 2) for value in (0.0, 0.026789, 11.83, 12345.0)] == [0.0, 0.027, 12.0, 12000.0]


def test_folders_of_the_machine_are_taken_out_of_a_page() -> None:
    course = Path("/srv/courses & co/2026")
    page = "<p>/srv/courses &amp; co/2026/train</p><iframe srcdoc='/srv/courses &amp;amp; co/2026/x /in/submission'>"
    assert without_host_paths(page, [course]) == "<p>⋯/train</p><iframe srcdoc='⋯/x /in/submission'>"
    assert without_host_paths("/tmp/harness-agent-8x_k/nothing /tmp/mine", []) == "⋯/nothing /tmp/mine"
    assert without_host_paths("/work/a", [Path("/work")]) == "/work/a"


def test_a_traceback_does_not_tell_where_the_software_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the home folder of whoever grades, often. What every machine has stays."""
    monkeypatch.setattr("sys.prefix", "/home/prof/harness/.venv")
    monkeypatch.setattr("sys.base_prefix", "/home/prof/.pyenv/versions/3.11.7")
    page = 'File "/home/prof/harness/.venv/lib/torch/nn.py", File "/home/prof/.pyenv/versions/3.11.7/lib/json.py"'
    assert without_host_paths(page, []) == 'File "⋯/lib/torch/nn.py", File "⋯/lib/json.py"'
    monkeypatch.setattr("sys.prefix", "/usr/local")
    monkeypatch.setattr("sys.base_prefix", "/usr")
    assert without_host_paths("/usr/local/lib/python3.11/json.py", []) == "/usr/local/lib/python3.11/json.py"


def test_the_pages_say_for_whom_they_are(made: SyntheticClass, tmp_path: Path) -> None:
    out = written(made, tmp_path, "team-01")
    for folder, audience in (("students", "student"), ("submissions", "instructor")):
        head = (out / folder / "team-01" / "index.html").read_text("utf-8").partition("<body")[0]
        assert f'<meta name="audience" content="{audience}">' in head


def test_no_data_uri_is_left_where_nothing_may_be_shown(made: SyntheticClass, tmp_path: Path) -> None:
    out = written(made, tmp_path, "team-07")
    page = unescape(student(out, "team-07").read_text("utf-8"))
    notebooks = [base64.b64decode(one) for one in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)]
    assert "data:image/jpeg" not in page and len(notebooks) <= 1  # the notebook's own plot
