"""`harness intake` says what would be graded, as what, and why, before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from downloads import BRIGHTSPACE, CANVAS, NOTEBOOK, lay_out, unpacked
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.main import cli
from harness.inputs.submissions.lms import readers
from harness.inputs.submissions.local_dates import read_local_date


def run(*arguments: str, status: int = 0) -> str:
    ran = CliRunner().invoke(cli, ["intake", *arguments], catch_exceptions=False, standalone_mode=False)
    assert ran.return_value == status, ran.output
    return ran.output


def test_a_person_sees_what_each_is_taken_for(tmp_path: Path):
    shown = run(str(lay_out(BRIGHTSPACE, tmp_path / "given", "the zip")))
    assert "3 submissions: Brightspace 3" in shown


def test_a_program_gets_everything(tmp_path: Path):
    given_at = lay_out({**CANVAS, "mia/notebook.ipynb": NOTEBOOK}, tmp_path / "given", "unpacked")
    rows = {row["id"]: row for row in json.loads(run(str(given_at), "--json", status=1))["submissions"]}  # one is text
    late = rows["jansenpiet-12346"]
    assert (late["source"], late["lms_id"], late["said_late"], late["handed_in"]) == ("canvas", "12346", True, None)
    assert (late["notebook"], late["model"]) == ("notebook.ipynb", "model.onnx")
    assert "jansenpiet" in late["why"]
    assert [found["code"] for found in rows["mia"]["findings"]] == ["beside-download"]


def test_late_days_with_the_assignment(tmp_path: Path):
    for name in ("held/a/1.png", "held/b/1.png", "train/a/1.png", "train/b/1.png", "code.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "assignment.toml").write_text(
        'title = "x"\n[held_out]\npath = "held"\n[dataset]\npath = "train"\n[reference]\ncode = "code.py"\n'
        '[deadline]\nat = 2025-11-03T12:00:00\ntime_zone = "Europe/Amsterdam"\n'
        '[[criteria]]\nkind = "model_predicts"\npoints = 1\n'
    )
    given_at = lay_out(BRIGHTSPACE, tmp_path / "given", "unpacked")
    shown = json.loads(run(str(given_at), "--assignment", str(tmp_path / "assignment.toml"), "--json"))
    assert {row["id"]: row["late_days"] for row in shown["submissions"]}["Anna-de-Vries-12345"] == 1


@pytest.mark.parametrize("as_json", [(), ("--json",)])
@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("mia.zip", b"no archive", "archive-unreadable"),
        ("mia/readme.txt", b"nothing to grade", "nothing-handed-in"),
    ],
)
def test_what_cannot_be_read_or_needs_a_person_ends_with_1(
    tmp_path: Path, as_json: tuple[str, ...], name: str, content: bytes, code: str
):
    given_at = lay_out({"piet/notebook.ipynb": NOTEBOOK, name: content}, tmp_path / "given", "unpacked")
    shown = run(str(given_at), *as_json, status=1)
    assert not as_json or code in shown


def test_a_warning_alone_ends_with_0(tmp_path: Path):
    files = {name: content for name, content in CANVAS.items() if not name.endswith(".html")}
    given_at = lay_out({**files, "mia/notebook.ipynb": NOTEBOOK}, tmp_path / "given", "unpacked")
    assert '"severity":"warning"' in run(str(given_at), "--json", status=0)


def test_nothing_is_left_behind_and_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    unpacked(BRIGHTSPACE, tmp_path / "given")
    before = sorted(tmp_path.joinpath("given").rglob("*"))
    run(str(tmp_path / "given"))
    assert sorted(tmp_path.joinpath("given").rglob("*")) == before
    assert not list((tmp_path / "tmp").iterdir())


def test_every_lms_is_in_the_docs():
    page = (Path(__file__).parents[3] / "docs/intake.md").read_text(encoding="utf-8")
    assert all(reader.TITLE in page for reader in readers().values())


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Nov 3, 2025 1234 PM", "2025-11-03T12:34:00"),
        ("Nov 3, 2025 1234 AM", "2025-11-03T00:34:00"),
        ("November 3, 2025 959 PM", "2025-11-03T21:59:00"),
        ("3 nov. 2025 2359", "2025-11-03T23:59:00"),
        ("3 mrt 2025 09.05", "2025-03-03T09:05:00"),
        ("3. März 2025 17:00", "2025-03-03T17:00:00"),
        ("3 août 2025 17h00", "2025-08-03T17:00:00"),
        ("3 juin 2025 1700", "2025-06-03T17:00:00"),
        ("3 juillet 2025 1700", "2025-07-03T17:00:00"),
        ("3 de diciembre de 2025, 17:00", "2025-12-03T17:00:00"),
        ("Wednesday, 10 June 2026, 2:14 PM", "2026-06-10T14:14:00"),
        ("29 February 2028, 23:59", "2028-02-29T23:59:00"),
    ],
)
def test_dates_as_lmss_write_them(text: str, iso: str):
    found = read_local_date(text)
    assert found is not None and found.isoformat() == iso


@pytest.mark.parametrize(
    "text", ["", "Nov 2025", "30 February 2025 1200", "3/11/2025 1200", "3 Foo 2025 1200", "3 nov 2025 2560"]
)
def test_what_is_no_certain_date_is_none(text: str):
    assert read_local_date(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text: str):
    read_local_date(text)
