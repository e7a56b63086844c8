"""Steps and open questions are found by heading, also a re-worded one, and by nbgrader's cells."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from harness.agent.notebook.headings import likeness, sections

STEPS = ["Initialisation", "Load and plot the data", "Prepare the data", "Define the model", "Fit", "Evaluate"]


def step(name: str, *cells: Any, steps: list[str] = STEPS) -> dict[str, Any]:
    found = {one["name"]: one for one in sections(list(cells), steps, [])["steps"]}
    return found[name]


def question(name: str, *cells: Any) -> dict[str, Any]:
    (found,) = sections(list(cells), [], [name])["questions"]
    return found


@pytest.mark.parametrize(
    "heading",
    [
        "## Load and plot the data",
        "# 2. Loading and plotting data",
        "**Loading the data and plot it**",
        "### Step 2: load + plot our data!",
        "## LOAD AND PLOT THE DATA (3 points)",
    ],
)
def test_a_retitled_step_is_found(heading: str) -> None:
    others = [new_markdown_cell(f"## {name}") for name in STEPS if name != "Load and plot the data"]
    found = step("Load and plot the data", new_markdown_cell(heading), *others)
    assert found["cell"] == 1


def test_a_step_that_is_not_there_is_not_taken_for_another() -> None:
    found = step("Evaluate", new_markdown_cell("# Names"), new_markdown_cell("## Save the model"))
    assert found["cell"] is None


@pytest.mark.parametrize(
    ("cells", "has_words"),
    [
        ([new_markdown_cell("## Fit"), new_code_cell("model.fit(x)")], False),
        ([new_markdown_cell("## Fit\nWe train the head for ten epochs."), new_code_cell("model.fit(x)")], True),
        ([new_markdown_cell("## Fit"), new_code_cell("# train the new head only\nmodel.fit(x)")], True),
        ([new_markdown_cell("## Fit\nThis is it."), new_code_cell("model.fit(x)")], True),  # filler words are words
        ([new_markdown_cell("## Fit"), new_code_cell("f(x)"), new_markdown_cell("The loss falls all along.")], True),
        (
            [new_markdown_cell("## Fit"), new_code_cell("f(x)"), new_markdown_cell("## Evaluate\nwords of another")],
            False,
        ),
    ],
)
def test_a_comment_is_a_text_or_a_comment_in_the_code(cells: list[Any], has_words: bool) -> None:
    found = step("Fit", *cells)
    assert found["has_code"] and found["has_words"] is has_words


ASKED = "What is the object and how should it be classified?"


@pytest.mark.parametrize(
    ("cells", "answered"),
    [
        ([f"**{ASKED}**\n\nA mug, by its shape and handle."], True),
        ([f"### {ASKED}", "It is a mug, and by its shape."], True),
        ([f"1. {ASKED}\n\n   It is a mug."], True),
        ([f"**{ASKED}** It is a mug, by its shape."], True),
        (["## Question 1: what is the object, how should you classify it?", "A mug, of course."], True),
        ([f"### {ASKED}"], False),
        ([f"### {ASKED}", "YOUR ANSWER HERE"], False),
        ([f"### {ASKED}", "*Type your answer here, replacing this text.*"], False),
        ([f"### {ASKED}\n\nAnswer: ..."], False),
        ([f"### {ASKED}\n\nAntwoord:"], False),
        ([f"### {ASKED}\n<!-- write at least fifty words here please -->"], False),
        ([f"### {ASKED}", "## Next question\nan answer to something else"], False),
    ],
)
def test_an_answer_is_what_stands_below_the_question(cells: list[str], answered: bool) -> None:
    found = question(ASKED, *(new_markdown_cell(text) for text in cells))
    assert found["cell"] == 1 and found["answered"] is answered


def graded(source: str, grade_id: str) -> Any:
    marks = {"grade": True, "grade_id": grade_id, "points": 2, "solution": True, "locked": False, "schema_version": 3}
    return new_markdown_cell(source, metadata={"nbgrader": marks})


def test_nbgraders_answer_cells_are_found_by_name_and_without_one() -> None:
    empty, given = graded("YOUR ANSWER HERE", "object_class"), graded("Shapes and colours, mostly.", "features-used")
    cells = [new_markdown_cell("# Part 3"), empty, given]
    found = {
        one["name"]: one["answered"] for one in sections(cells, [], ["Object class", "Features used"])["questions"]
    }
    assert found == {"Object class": False, "Features used": True}
    assert [one["answered"] for one in sections(cells, [], [])["questions"]] == [False, True]


def test_points_in_nbgraders_metadata_are_not_read() -> None:
    """Hostile metadata is data: whatever it holds, nothing but the cell's name is taken."""
    odd = new_markdown_cell("x", metadata={"nbgrader": {"solution": True, "grade_id": ["<script>"], "points": 1e9}})
    assert "points" not in str(sections([odd, new_markdown_cell("y", metadata={"nbgrader": 3})], [], []))


def test_likeness_is_one_for_the_same_and_low_for_others() -> None:
    assert likeness("Define the model", "define the MODEL") == 1.0
    assert likeness("Save the model", "Evaluate on new images") < 0.5
