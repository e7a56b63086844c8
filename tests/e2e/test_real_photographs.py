"""The whole pipeline on real photographs: playing cards on tables, and fruit."""

import json
import re
from pathlib import Path

import pytest
import real_photographs
from command_line import run_harness
from small_course import with_weights

COURSES = {"Playing cards, cut by their boxes": real_photographs.cards, "Fruit": real_photographs.fruit}
LOWEST = {"Playing cards, cut by their boxes": 0.80, "Fruit": 0.95}
PAGE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()


@pytest.mark.parametrize("title", COURSES)
def test_the_reference_is_as_good_as_the_page_says(title: str, shared: Path, fetched_weights: Path, tmp_path: Path):
    assignment = COURSES[title](shared, tmp_path / "course", "mobilenet_v2")
    options = ("--out", tmp_path / "out", "--json", "--sandbox", "bubblewrap")
    cache = with_weights(fetched_weights, tmp_path / "cache")
    done = run_harness("reference", "train", assignment, *options, cache=cache)
    assert done.returncode == 0, done.stderr
    evaluation = json.loads(done.stdout)["evaluation"]
    assert evaluation["accuracy"] >= LOWEST[title]
    row = re.escape(f"| {title} | `mobilenet_v2` |") + r" \d+ \| (\d+) \| ([\d.]+) \[([\d.]+), ([\d.]+)\] \|"
    said = re.search(row, PAGE)
    assert said, f"docs/reference.md has no row for {title}"
    assert evaluation["images"] == int(said[1])
    one_image = 1 / evaluation["images"]
    assert evaluation["accuracy"] == pytest.approx(float(said[2]), abs=one_image + 5e-4)
    assert evaluation["accuracy_interval"] == pytest.approx([float(said[3]), float(said[4])], abs=2 * one_image)
