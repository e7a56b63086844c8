"""What a rerun and its grading get to see of a student's data set."""

from pathlib import Path

import pytest
from rewriting import AgentHere, notebook, photograph

from harness.grading import withheld_split as own
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.submission import Submission
from harness.stages.context import StageContext
from harness.stages.evidence.audit import DatasetAudit, WithheldImage
from harness.stages.store import Store

LABELS = ("ball", "mug")
ASSIGNMENT = Assignment.model_validate(
    {
        "title": "Own objects",
        "held_out": {"mode": "withhold"},
        "dataset": {"names": ["objects/train"], "layout": "split", "mounted_as": "images"},
        "reference": {"code": "transfer.py"},
        "criteria": [{"kind": "model_predicts", "points": 10}],
    }
)


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    return StageContext(AgentHere(), Store(tmp_path / "store"), ResourceLimits())


@pytest.fixture
def handed_in(tmp_path: Path) -> Submission:
    """Four images of each class."""
    root = tmp_path / "handed-in"
    for label in LABELS:
        (root / "dataset" / label).mkdir(parents=True)
        for number in range(4):
            photograph(seed=number).save(root / "dataset" / label / f"{number}.png")
    (root / "notebook.ipynb").write_bytes(notebook("1"))
    return Submission("id", "s", root, Path("notebook.ipynb"), (), (), Path("dataset"), "0" * 64, ())


@pytest.fixture
def audit(context: StageContext, tmp_path: Path) -> DatasetAudit:
    """Of which two of each class are withheld, class by class as the audit lists them."""
    names = {f"{label}/{number}.png": label for label in LABELS for number in range(4)}
    withheld = []
    for name, label in names.items():
        if name[-5] in "01":
            (tmp_path / "encoded.png").write_text(f"withheld {name}")
            file = context.store.put(tmp_path / "encoded.png", "encoded.png")
            withheld.append(WithheldImage(picture=name, label=label, file=file))
    return DatasetAudit(
        classes=dict.fromkeys(LABELS, 4),
        unreadable=(),
        heldout=dict.fromkeys(LABELS, 2),
        pixels=dict.fromkeys(names, "0" * 64),
        labels=names,
        withheld=tuple(withheld),
    )


def test_the_rerun_gets_the_training_part_under_the_assignments_names(handed_in, audit, context):
    with own.laid_out(handed_in, audit, ASSIGNMENT, context) as split:
        assert not split.graded_on.training.folder.exists(), "nothing is written before it is asked for"
        anew = split.rerun.rewritten()
        assert split.rerun.rewritten() is anew, "nor twice"
        kept = sorted(split.graded_on.training.folder.rglob("*.png"))
        assert [file.parent.name for file in kept] == ["ball", "ball", "mug", "mug"]
        assert split.graded_on.training.dataset.model_dump(exclude={"path"}) == ASSIGNMENT.dataset.model_dump(
            exclude={"path"}
        )
        beside = sorted((anew.rerun.root / "dataset").rglob("*.png"))
        assert [file.name for file in beside] == ["2.png", "3.png"] * 2
        assert [file.read_bytes() for file in beside] == [file.read_bytes() for file in kept]


def test_what_is_learnt_from_has_one_identity_and_another_one_when_it_is_other(handed_in, audit, context):
    def identity(one: DatasetAudit) -> str:
        with own.laid_out(handed_in, one, ASSIGNMENT, context) as split:
            return split.graded_on.training.sha256

    def altered(**changes: object) -> str:
        return identity(audit.model_copy(update=changes))

    others = [
        altered(pixels=audit.pixels | {"mug/3.png": "1" * 64}),
        altered(labels=audit.labels | {"mug/3.png": "ball"}),
        altered(own_test=("mug/3.png",)),
        altered(withheld=audit.withheld[1:]),
    ]
    assert identity(audit) == altered(scene_spread={"ball": 0.5})
    assert len({identity(audit), *others}) == 5


def test_withheld_images_go_in_from_where_they_are_kept(handed_in, audit, context):
    with own.laid_out(handed_in, audit, ASSIGNMENT, context) as split:
        places = [split.graded_on.staged.folder / name for name in split.graded_on.staged.names]
        assert [place.read_text() for place in places] == [f"withheld {one.picture}" for one in audit.withheld]


def test_withheld_images_of_one_group_are_one_scene_and_no_class_is_empty(handed_in, audit, context):
    first, second, *_ = (one.picture for one in audit.withheld)
    counts = {**audit.classes, "lamp": 3}
    audit = audit.model_copy(update={"groups": ((first, second),), "classes": counts})
    with own.laid_out(handed_in, audit, ASSIGNMENT, context) as split:
        held_out = split.graded_on.held_out
        assert held_out.scenes == (0, 0, *range(1, len(held_out.files) - 1))
        assert set(held_out.truth) == set(range(len(held_out.classes))) and "lamp" not in held_out.classes


def test_conversions_are_checked_on_the_training_part_alone(handed_in, audit, context):
    with own.laid_out(handed_in, audit, ASSIGNMENT, context) as split:
        checks = split.graded_on.training.check_images()
        by_class = split.graded_on.training.by_class()
        assert {label: {file.parent.name for file in files} for label, files in by_class.items()} == {
            label: {label} for label in LABELS
        }
        assert {file for files in by_class.values() for file in files} == set(checks)
        assert len(checks) == 4 and {file.parent for file in checks} == {
            split.graded_on.training.folder / label for label in LABELS
        }
