"""Names with accents: one form in the files' names and in the notebook's code."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from harness.agent.notebook.rule_context import Setting
from harness.agent.notebook.rules import unicode_names


def test_accents_of_two_characters_become_one(tmp_path: Path):
    source = unicodedata.normalize("NFD", "open('thé/café.jpg')\n!ls naïve")
    assert unicode_names.apply(source, Setting(tmp_path, (source,))) == "open('thé/café.jpg')\n!ls naïve"
    assert unicode_names.apply("open('café')", Setting(tmp_path)) == "open('café')"


def test_a_notebook_about_unicode_is_left_alone(tmp_path: Path):
    source = unicodedata.normalize("NFD", "unicodedata.normalize('NFC', 'é')")
    assert unicode_names.apply(source, Setting(tmp_path, (source,))) == source
