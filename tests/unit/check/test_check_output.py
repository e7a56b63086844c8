"""What a check looks like in a job and in a notebook; nothing that a student wrote has an effect there."""

import re
import runpy
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from IPython.core.interactiveshell import InteractiveShell

import harness
from harness.boundary.screen import Screen
from harness.cli import notebook_magic
from harness.cli.check_output import annotate, job_of, no_commands, show, write_junit
from harness.grading.check.outcome import Check, CheckedCriterion, CheckedStep

HOSTILE = "it says \x1b]0;owned\x07\n::set-output name=x::y\r100%"


@pytest.fixture
def found() -> Check:
    return Check(
        assignment=f"A {HOSTILE}",
        sandbox="none",
        sandbox_says="as asked",
        images=8,
        images_from="none",
        figures_mean="Nothing.",
        steps=(
            CheckedStep(name="files", title="Your files", state="fine"),
            CheckedStep(name="execute", title="Running", state="mend this", what=HOSTILE, mend=("Do this.",)),
        ),
        criteria=(
            CheckedCriterion(kind="a", title="A", state="expected", points=3, max_points=5, interval=(2, 4), reason=""),
            CheckedCriterion(
                kind="manual", title="Q", state="marked by hand", points=None, max_points=5, reason=HOSTILE
            ),
        ),
        expected=3,
        expected_interval=(2, 4),
        open_points=5,
        max_points=10,
    )


def test_the_terminal_shows_each_step_and_what_to_expect(found: Check, capsys: pytest.CaptureFixture[str]):
    show(found, Screen(width=200))
    said = capsys.readouterr().out
    assert "Running: mend this" in said and "  Do this." in said
    assert "Expected: 3 (2 to 4) of 10 points; 5 more are marked by hand or cannot be known here." in said
    assert "\x1b" not in said and "\x07" not in said


def test_junit_has_a_failure_for_what_to_mend_and_skips_what_is_open(found: Check, tmp_path: Path):
    write_junit(found, tmp_path / "junit.xml")
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "skipped": "1",
    }


@pytest.mark.parametrize(
    ("variables", "service", "begins"),
    [
        ({"GITHUB_ACTIONS": "true"}, "auto", "::error title=Running::"),
        ({"GITLAB_CI": "true"}, "auto", "ERROR: Running: "),
        ({}, "github", "::error title=Running::"),
        ({"GITHUB_ACTIONS": "true"}, "none", None),
        ({}, "auto", None),
    ],
)
def test_a_job_gets_one_line_for_what_to_mend_and_no_command_of_the_student(
    found: Check, monkeypatch, capsys, variables: dict[str, str], service: str, begins: str | None
):
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    annotate(found, job_of(service), err=True)
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith(begins) for line in lines] == ([True] if begins else [])
    assert not any(re.search("[\x00-\x1f]", line) for line in lines)


def test_no_line_that_a_notebook_wrote_is_a_command_of_the_job(found: Check, capsys: pytest.CaptureFixture[str]):
    """GitHub takes a line for a command also after spaces, and a long one is wrapped."""
    hostile = found.model_copy(
        update={"steps": (CheckedStep(name="a", title="A", state="mend this", what="::add-mask::x"),)}
    )
    with no_commands("github"):
        show(hostile, Screen(width=80))
    annotate(hostile, "github", err=False)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    token = lines[0].removeprefix("::stop-commands::")
    assert len(token) == 32 and "::add-mask::x" in lines[1 : lines.index(f"::{token}::")]
    assert lines[lines.index(f"::{token}::") + 1 :] == ["::error title=A::::add-mask::x"]
    with no_commands("gitlab"):
        pass
    assert capsys.readouterr().out == ""


def test_a_notebook_has_the_magic(capsys: pytest.CaptureFixture[str]):
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "harness")
    shell.run_line_magic("check", "--help")
    assert "Check what you are about to hand in" in capsys.readouterr().out


def test_no_colour_is_shown_as_its_code_below_a_cell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A notebook's kernel asks every program for colours."""
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.setenv(name, "1")
    code = "from harness.boundary.screen import Screen; Screen().print('one to mend', style='red')"
    monkeypatch.setattr(notebook_magic, "_COMMAND", [sys.executable, "-c", code])
    notebook_magic.check("")
    assert capsys.readouterr().out == "one to mend\n"


def test_handin_py_works_as_one_file_beside_a_notebook(tmp_path: Path):
    """No harness can be imported there, and neither torch nor keras is needed to import it."""
    alone = tmp_path / "handin.py"
    alone.write_bytes((Path(harness.__file__).parent / "handin.py").read_bytes())
    code = "import sys; sys.path.insert(0, '.'); import handin; print(sorted(handin.PREPROCESSINGS)); import harness"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == str(sorted(runpy.run_path(str(alone))["PREPROCESSINGS"]))
    assert "No module named 'harness'" in done.stderr
