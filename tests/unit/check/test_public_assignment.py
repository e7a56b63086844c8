"""A student reads an assignment without what only the instructor has; held-out images are never read."""

from pathlib import Path

import pytest

from harness.errors import AssignmentError, UsageError
from harness.grading.check.run import read_public
from harness.inputs.assignment.public import load_public

RUBRIC = '[[criteria]]\nkind = "manual"\npoints = 5\n'
INSTRUCTORS = f"""title = "x"
[dataset]
path = "nowhere/train"
[held_out]
path = "held-out"
[reference]
code = "nowhere.py"
[unseen]
path = "nowhere"
[execution]
requirements = "nowhere.txt"
{RUBRIC}"""


def test_the_instructors_own_file_is_read_although_its_paths_lead_nowhere(tmp_path: Path):
    (tmp_path / "held-out" / "ball").mkdir(parents=True)  # here, as on the instructor's machine: not used all the same
    (tmp_path / "assignment.toml").write_text(INSTRUCTORS)
    found = load_public(tmp_path / "assignment.toml")
    assert found.held_out.path is None and found.unseen is None and found.execution.requirements is None
    assert found.dataset is not None and found.dataset.path is None


def test_a_package_need_not_name_the_reference_nor_the_held_out_images(tmp_path: Path):
    (tmp_path / "assignment.toml").write_text(f'title = "x"\n{RUBRIC}')
    assert load_public(tmp_path / "assignment.toml").has_shared_set


@pytest.mark.parametrize("text", ['title = "x"\nheld_out = 3\n', 'title = "x"\n[reference]\nbackbon = "vgg16"\n'])
def test_wrong_values_and_keys_are_errors_still(tmp_path: Path, text: str):
    (tmp_path / "assignment.toml").write_text(f"{text}{RUBRIC}")
    with pytest.raises(AssignmentError, match=r"correct assignment\.toml"):
        load_public(tmp_path / "assignment.toml")


def test_the_assignment_is_found_in_the_folder_or_above_it_else_it_is_asked_for(tmp_path: Path):
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(UsageError, match="give --assignment"):
        read_public(None, work)
    (tmp_path / "assignment.toml").write_text(f'title = "above"\n{RUBRIC}')
    assert read_public(None, work).assignment.title == "above"
    (work / "assignment.toml").write_text(f'title = "here"\n{RUBRIC}')
    assert read_public(None, work).assignment.title == "here"


def test_a_package_that_is_not_there_is_told_from_one_without_an_assignment(tmp_path: Path):
    with pytest.raises(UsageError, match="no such file or folder"):
        read_public(tmp_path / "pakcage", tmp_path)
    with pytest.raises(UsageError, match=r"there is no assignment\.toml"):
        read_public(tmp_path, tmp_path)
