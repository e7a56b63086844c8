"""A broken assignment.toml gets an error that names file, line, key, what was found and what is allowed."""

from pathlib import Path

import pytest
from PIL import Image

from harness.errors import AssignmentError
from harness.inputs.assignment import Assignment, load
from harness.inputs.images.folders import class_folders

GOOD = """\
title = "Objects"
points = 30
[dataset]
path = "train"
[held_out]
path = "heldout"
[reference]
code = "transfer.py"
[limits]
memory = "2 GiB"
[[criteria]]
kind = "model_predicts"
points = 10
[[criteria]]
kind = "manual"
title = "Questions"
points = 20
questions = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("train/mug", "train/ball", "heldout/mug", "heldout/ball"):
        (tmp_path / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name / "1.PNG")
    (tmp_path / "transfer.py").write_text("def train(): ...\n")
    return tmp_path


def loaded(folder: Path, text: str = GOOD) -> Assignment:
    (folder / "assignment.toml").write_text(text)
    return load(folder / "assignment.toml")


def message(folder: Path, old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(AssignmentError) as caught:
        loaded(folder, GOOD.replace(old, new))
    assert caught.value.do
    assert caught.value.exit_status == 2
    return caught.value.message


def test_paths_become_absolute_and_sizes_bytes(folder: Path):
    assignment = loaded(folder)
    assert assignment.held_out.path == folder / "heldout"
    assert assignment.dataset is not None and assignment.dataset.path == folder / "train"
    assert assignment.reference.code == folder / "transfer.py"
    assert assignment.limits.memory == 2 * 2**30
    assert assignment.max_points == 30
    assert assignment.criteria[1].options == {"questions": 3}


def test_images_are_found_in_any_case_and_hidden_files_ignored(folder: Path):
    (folder / "train/mug/.hidden.png").write_bytes(b"")
    (folder / "train/mug/Thumbs.db").write_bytes(b"")
    assert {k: len(v) for k, v in class_folders(folder / "train").items()} == {"ball": 1, "mug": 1}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'path = "heldout"',
            'pat = "heldout"',
            "assignment.toml:6  held_out.pat: unknown key; did you mean 'path'?",
        ),
        ("[limits]", "[limit]", "limit: unknown key; did you mean 'limits'?"),
        (
            'memory = "2 GiB"',
            'memory = "2 gigs"',
            "assignment.toml:10  limits.memory: a size is a number with B, KB",
        ),
        (
            'memory = "2 GiB"',
            "memory = 5",
            "limits.memory: input should be greater than or equal to 268435456; found 5",
        ),
        ('memory = "2 GiB"', 'cpus = "two"', "limits.cpus: input should be a valid integer"),
        ('memory = "2 GiB"', "cell_seconds = 900", "cell_seconds is more than wall_seconds"),
        ("points = 30", "points = 31", "points is 31, but the criteria sum to 30"),
        ('title = "Objects"', "", "title: missing"),
        ('title = "Objects"', 'title = "x"\ntask = "regression"', "task: input should be 'classification'"),
        (
            'path = "train"',
            'path = "train"\nlayout = "as-it-is"',
            'dataset.layout = "as-it-is" is for task = "detection"',
        ),
        (
            "points = 30\n[dataset]",
            'task = "detection"\n[dataset]\nlayout = "flat"',
            "leave the key out",
        ),
        (
            "points = 10",
            "points = -1",
            "assignment.toml:13  criteria.1.points: input should be greater than 0",
        ),
        ('path = "heldout"', 'path = "nowhere"', "assignment.toml:6  held_out.path: no folder"),
        ('code = "transfer.py"', 'code = "x.py"', "assignment.toml:8  reference.code: no file"),
        (
            'path = "train"',
            'path = "train"\nmounted_as = "../x"',
            "mounted_as is a relative path without '..'",
        ),
        (
            "[limits]",
            "[execution.rules]\npip_instal = false\n[limits]",
            "execution.rules: there is no rule 'pip_instal'; did you mean 'pip_install'?",
        ),
        ("[limits]", '[execution]\nmode = "twice"\n[limits]', "execution.mode: input should be 'rerun'"),
        ('path = "train"', 'path = "train"\nlayout = "voc"', "dataset.layout: input should be 'auto'"),
        ('path = "train"', 'mounted_as = "x"', "dataset.path: missing: the reference is trained on its images"),
        (
            "[held_out]",
            '[execution]\nmode = "as-handed-in"\n[held_out]\nmode = "withhold"',
            'held_out.mode = "withhold" needs notebooks to run, and execution.mode is "as-handed-in"',
        ),
        (
            "[held_out]",
            '[handin]\nnotebook = "ignored"\n[held_out]\nmode = "both"',
            'held_out.mode = "both" needs notebooks to run, and handin.notebook is "ignored"',
        ),
        (
            'path = "heldout"',
            'mode = "both"',
            'assignment.toml:5  held_out: path is missing: mode = "both" grades on its images',
        ),
        ('path = "heldout"', 'mode = "own"', "assignment.toml:6  held_out.mode: input should be 'shared', 'withhold'"),
        ('[held_out]\npath = "heldout"', "", "held_out: missing"),
        ("[held_out]", "[heldout]", "assignment.toml:5  heldout: unknown key; did you mean 'held_out'?"),
        (
            GOOD[: GOOD.index("[reference]")],
            'heldout = "both"\n' + GOOD[: GOOD.index("[reference]")] + 'mode = "shared"\n',
            "assignment.toml:1  heldout: unknown key; did you mean 'held_out'?",
        ),
        ("[limits]", '[notebook]\nstep = ["Fit"]\n[limits]', "notebook.step: unknown key; did you mean 'steps'?"),
    ],
)
def test_what_is_wrong_and_where(folder: Path, old: str, new: str, expected: str):
    assert expected in message(folder, old, new)


def test_withholding_needs_no_images_of_the_instructors(folder: Path):
    text = GOOD.replace('[held_out]\npath = "heldout"\n', "").replace('path = "train"', 'names = ["flowers"]')
    assignment = loaded(folder, text + '[held_out]\nmode = "withhold"\n')
    assert assignment.withholds and not assignment.has_shared_set
    assert assignment.dataset is not None and assignment.dataset.names == ("flowers",)


@pytest.mark.parametrize("value", ['"both"', '["withhold", "shared"]'])
def test_the_old_key_means_the_new_one_and_is_named(folder: Path, value: str):
    old = loaded(folder, f"heldout = {value}\n" + GOOD)
    new = loaded(folder, GOOD.replace("[held_out]", f"[held_out]\nmode = {value}"))
    assert old.held_out == new.held_out and old.held_out.mode == "both" and old.withholds
    (said,) = old.outdated
    assert said.startswith("assignment.toml:1  heldout: is outdated") and "[held_out]" in said
    assert new.outdated == ()


def test_occlusion_maps_were_called_looks(folder: Path):
    text = GOOD + "\n[robustness]\n"
    old, new = loaded(folder, text + "looks = 5\n"), loaded(folder, text + "occlusion_maps = 5\n")
    assert old.robustness == new.robustness and old.robustness.occlusion_maps == 5
    (said,) = old.outdated
    assert "robustness.looks: is outdated" in said and said.endswith("write it as occlusion_maps")
    with pytest.raises(AssignmentError, match="looks"):
        loaded(folder, text + "looks = 5\nocclusion_maps = 5\n")


def test_every_problem_is_named_at_once(folder: Path):
    said = message(folder, '[held_out]\npath = "heldout"', '[held_out]\npath = "a"\nsize = 3\n[oops]')
    assert "held_out.size: unknown key" in said
    assert "oops: unknown key" in said


def test_an_empty_class_folder_says_how_many_each_has(folder: Path):
    (folder / "heldout/mug/1.PNG").unlink()
    with pytest.raises(AssignmentError, match=r"held_out.path: .*found ball 1, mug 0"):
        loaded(folder)


def test_no_file_and_no_toml(folder: Path):
    with pytest.raises(AssignmentError, match="cannot be read: No such file"):
        load(folder / "absent.toml")
    with pytest.raises(AssignmentError, match=r"not TOML: .*line 1"):
        loaded(folder, "title = = 1")
    (folder / "latin.toml").write_bytes(b'title = "\xe9"')
    with pytest.raises(AssignmentError, match="not UTF-8"):
        load(folder / "latin.toml")
