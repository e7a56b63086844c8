"""Every command in the documentation parses, and a test runs it; the reference pages are what the code says."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click
import pytest
import reference_pages
from markdown_it import MarkdownIt

from harness.cli.main import cli
from harness.handin import PREPROCESSINGS

ROOT = Path(__file__).parents[2]
# Command -> the test that runs it. Commands that are documented and not here, and tests that are gone, fail below.
RUN_BY = {
    "harness answers": "tests/unit/tables/test_answers.py::test_what_comes_back_with_points_is_entered",
    "harness bench": "tests/e2e/test_tutorials.py::test_the_benchmarkers_first_command",
    "harness check": "tests/e2e/test_check.py::test_a_whole_check_without_a_sandbox_and_without_linux",
    "harness diff": "tests/unit/tables/test_answers.py::test_diff_says_whose_grade_differs_and_why",
    "harness doctor": "tests/e2e/test_commands.py::test_doctor_names_the_engines_and_the_default",
    "harness env build": "tests/e2e/test_environments.py::test_a_courses_requirements_are_an_environment_of_their_own",
    "harness env list": "tests/e2e/test_environments.py::test_a_courses_requirements_are_an_environment_of_their_own",
    "harness env remove": "tests/e2e/test_environments.py::test_a_courses_requirements_are_an_environment_of_their_own",
    "harness export": "tests/e2e/test_lms_download.py::test_lateness_can_be_forgiven_and_the_marks_exported",
    "harness grade": "tests/e2e/test_grade.py::test_every_hand_in_has_a_row_and_a_page",
    "harness history": "tests/unit/tables/test_answers.py::test_history_tells_who_did_what_in_order",
    "harness init": "tests/unit/test_init.py::test_what_it_writes_loads_with_these_points",
    "harness intake": "tests/unit/intake/test_intake_command.py::test_a_person_sees_what_each_is_taken_for",
    "harness mark": "tests/e2e/test_grade.py::test_a_persons_mark_is_taken_in_and_kept",
    "harness predict": "tests/e2e/test_predict.py::test_a_model_is_predicted_with_intervals_on_each_board",
    "harness publish": "tests/unit/export/test_publish.py::test_only_who_is_wholly_marked_unless_said",
    "harness release": "tests/e2e/test_release.py::test_the_package_has_what_a_student_needs_and_no_more",
    "harness validate": "tests/e2e/test_validate.py::test_a_leak_stops_grading_and_doubts_do_not",
    "harness weights add": "tests/unit/test_weights.py::test_weights_without_a_source_come_from_a_file",
    "harness weights fetch": (
        "tests/e2e/test_environments.py::test_a_hand_in_whose_environment_is_not_built_waits_for_a_person"
    ),
    "harness why": "tests/e2e/test_goes_on.py::test_why_names_the_stage_and_the_input_that_changed",
    "make demo": "tests/e2e/test_example.py::test_every_hand_in_has_a_row_and_a_page",
    "make demo-detection": "tests/e2e/test_detection_example.py::test_the_class_hands_in_what_its_readme_says",
    "make install": "tests/e2e/test_installed.py::test_it_runs_in_an_empty_environment",
    "pip wheel": "tests/e2e/test_installed.py::test_the_wheel_holds_all_files_of_the_package",
    "python3 -m": "tests/e2e/test_installed.py::test_it_runs_in_an_empty_environment",
}
_PROGRAMS = ("harness", "make", "tox", "python", "pip")
_SHELL = ("sh", "console", "bash")
_MOST_README_LINES = 45  # a screen


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(file: Path) -> Iterator[str]:
    """The commands in a page's blocks: every line of a shell block; of one without a language, lines that are any.

    `. .venv/bin/activate` is none: the test of the command before it runs what lies there.
    """
    for token in MarkdownIt().parse(file.read_text(encoding="utf-8")):
        if token.type != "fence" or token.info not in ("", *_SHELL):
            continue
        for line in token.content.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith(". ") and (token.info in _SHELL or line.split()[0] in _PROGRAMS):
                yield line.removeprefix("$ ").strip()


EVERY = [(file.relative_to(ROOT).as_posix(), line) for file in documents() for line in commands(file)]


def name_of(line: str) -> str:
    """`harness env build`, `make demo`: the words that call a command, without its arguments."""
    words = list(takewhile(lambda word: word != ">", shlex.split(line, comments=True)))
    if words[0] != "harness":
        return " ".join(words[:2])
    command: click.Command = cli
    taken = 1
    while isinstance(command, click.Group) and taken < len(words):
        inner = command.get_command(click.Context(command), words[taken])
        assert inner is not None, f"there is no command {' '.join(words[: taken + 1])}"
        command, taken = inner, taken + 1
    with command.make_context(words[taken - 1], words[taken:]):  # raises for an unknown option or a missing argument
        return " ".join(words[:taken])


def test_there_are_commands_to_check():
    assert len(EVERY) > 30 and {"README.md", "docs/tutorials/instructor.md"} <= {page for page, _ in EVERY}


@pytest.mark.parametrize(("page", "line"), EVERY)
def test_a_command_in_a_page_parses_and_is_run_by_a_test(page: str, line: str):
    assert name_of(line) in RUN_BY, f"{page}: add the test that runs it to RUN_BY"


def test_the_table_has_no_command_that_no_page_names():
    assert {name_of(line) for _, line in EVERY} == set(RUN_BY)


@pytest.mark.parametrize(("command", "test"), RUN_BY.items())
def test_the_test_that_runs_a_command_is_there_and_names_it(command: str, test: str):
    file, name = test.split("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert name in {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    if command.startswith("harness "):  # `make demo` takes the steps that the test takes, from the same files
        assert re.search(rf"\b{command.split()[-1]}", text)


@pytest.mark.parametrize("line", ["harness bench a.onnx --batches 1", "harness benhc a.onnx", "harness mark"])
def test_a_command_that_does_not_exist_is_noticed(line: str):
    with pytest.raises((AssertionError, click.UsageError)):
        name_of(line)


@pytest.mark.parametrize("page", sorted(reference_pages.pages()))
def test_the_reference_pages_are_what_the_code_says(page: Path):
    """Else: python benchmarks/reference_pages.py"""
    assert page.read_text(encoding="utf-8") == reference_pages.pages()[page]


def test_the_readme_fits_a_screen():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= _MOST_README_LINES and any(line.startswith("![") for line in lines)


def test_the_students_tutorial_names_every_pre_processing():
    page = (ROOT / "docs" / "tutorials" / "student.md").read_text(encoding="utf-8")
    assert [name for name in PREPROCESSINGS if f"| `{name}` |" not in page] == []
