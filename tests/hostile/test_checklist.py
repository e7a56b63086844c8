"""The suite is whole: no line of the checklist is without a test."""

from pathlib import Path

import pytest
from checklist import SECTIONS, covered_lines


def test_the_sections_number_every_line_once():
    numbers = [line for section in SECTIONS.values() for line in section]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_line_has_a_test(section: str):
    assert set(SECTIONS[section]) - covered_lines() == set()


def test_every_attack_that_once_broke_a_promise_is_tried(attacks: Path):
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parents[1].rglob("test_*.py"))
    assert [folder.name for folder in sorted(attacks.iterdir()) if folder.name not in tests] == []
