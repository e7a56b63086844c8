"""Every default of assignment.toml against its page, and every bound exactly: at it a value passes, beyond it none."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from harness.inputs.assignment import Assignment
from harness.inputs.assignment.deadline import Deadline
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.schema import CriterionSpec
from harness.inputs.assignment.sections import (
    BenchmarkRules,
    Dataset,
    ExecutionRules,
    Feedback,
    Grading,
    HandIn,
    HeldOut,
    NotebookParts,
    OwnDataset,
    Public,
    ReferenceSolution,
    Robustness,
    Unseen,
    _to_bytes,
)

DOCS = Path(__file__).parents[2] / "docs" / "assignment.md"
SECTIONS: dict[str, type[BaseModel]] = {
    "": Assignment,
    "handin": HandIn,
    "limits": ResourceLimits,
    "execution": ExecutionRules,
    "notebook": NotebookParts,
    "dataset": Dataset,
    "own_dataset": OwnDataset,
    "held_out": HeldOut,
    "reference": ReferenceSolution,
    "benchmark": BenchmarkRules,
    "robustness": Robustness,
    "unseen": Unseen,
    "public": Public,
    "feedback": Feedback,
    "grading": Grading,
    "deadline": Deadline,
    "criteria": CriterionSpec,
}
# What the page says in words: of a key that is needed, or whose default is none of its values.
WORDS = {
    ("", "points"): ("unchecked", None),
    ("", "weights"): ("all that are here", None),
    ("", "boards"): ("none", ()),
    ("execution", "requirements"): ("none", None),
    ("execution", "rules"): ("each rule's own", {}),
    ("notebook", "steps"): ("none", ()),
    ("notebook", "questions"): ("none", ()),
    ("dataset", "path"): ("required unless `held_out.mode` is `withhold`", None),
    ("held_out", "path"): ("required unless `mode` is `withhold`", None),
    ("held_out", "accept_repeated"): ("none", ()),
    ("dataset", "names"): ("none", ()),
    ("own_dataset", "allowed_files"): ("none", ()),
    ("public", "path"): ("`dataset.path`", None),
    ("public", "notebook"): ("made of `[notebook]`", None),
    ("grading", "borderline"): ("none", ()),
    ("own_dataset", "rerun_seconds"): ("the limits", None),
    ("reference", "weights"): ("the backbone's", ""),
    ("reference", "code"): ("the packaged one", None),
    ("robustness", "corruptions"): ("all", Robustness().corruptions),
    ("deadline", "time_zone"): ("", ""),
    ("deadline", "max_days"): ("any", None),
}
REQUIRED = {
    ("", "title"), ("deadline", "at"), ("unseen", "path"),
    ("criteria", "kind"), ("criteria", "points"),
}  # fmt: skip
NOT_ON_THE_PAGE = {
    ("", "file"),
    ("", "outdated"),
    ("", "remarks"),
    ("criteria", "title"),
}  # set by `load`; the kind's own


def documented() -> dict[tuple[str, str], str]:
    """(section, key) -> its default, as the page's table has it."""
    found, section = {}, ""
    for line in DOCS.read_text().splitlines():
        if not line.startswith("| `"):
            continue
        named, _, default = (cell.strip() for cell in line.strip("|").split(" | "))
        if head := re.match(r"`\[+([\w.]+)\]+` ", named):
            section = head[1]
            named = named[head.end() :]
        keys = re.findall(r"`([^`]+)`", named)
        cells = re.split(r", (?![^\[]*\])", default) if len(keys) > 1 and default.count(",") else [default] * len(keys)
        for key, cell in zip(keys, cells, strict=True):
            found["execution" if section == "execution.rules" else section, key.replace("<rule>", "rules")] = cell
    return found


def test_the_page_names_every_key_and_no_other():
    keys = {
        (section, field.alias or name)
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
    }
    sections = {("", name) for name in SECTIONS if name}
    assert set(documented()) == keys - NOT_ON_THE_PAGE - sections | {("criteria", "title")}


def value_of(text: str) -> Any:
    plain = text.strip("`")
    if re.fullmatch(r"[\d.]+ [KMG]i?B", plain):
        return _to_bytes(plain)
    try:
        read = json.loads(plain)
    except ValueError:
        return plain
    return tuple(read) if isinstance(read, list) else read


@pytest.mark.parametrize("place", sorted(documented()), ids=".".join)
def test_every_default_is_the_documented_one(place: tuple[str, str]):
    section, key = place
    text = documented()[place]
    field = next(f for name, f in SECTIONS[section].model_fields.items() if key in (name, f.alias))
    if place in REQUIRED:
        assert field.is_required()
    elif place in WORDS:
        assert (text, field.default) == WORDS[place]
    elif place != ("criteria", "title"):
        assert field.default == value_of(text) and type(field.default) is not type(None)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1 B", 1), ("1 KB", 10**3), ("1 MB", 10**6), ("1 GB", 10**9), ("1 KiB", 2**10), ("1 MiB", 2**20),
        ("1 GiB", 2**30), ("2.5gb", 2_500_000_000), (" 3 mib ", 3 * 2**20), (77, 77),
    ],
)  # fmt: skip
def test_sizes(text: object, size: int):
    assert _to_bytes(text) == size


@pytest.mark.parametrize("text", ["4 TB", "GB", "-1 GB", "1,5 GB", "4 G", ""])
def test_what_is_no_size(text: str):
    with pytest.raises(ValueError, match="a size is"):
        _to_bytes(text)


# --- bounds -------------------------------------------------------------------------------------

# (section, key): the least and the largest that pass, and what lies just beyond; None where there is no bound.
NO = None
MIB = 2**20
BOUNDS: dict[tuple[str, str], tuple[Any, Any, Any, Any]] = {
    ("limits", "wall_seconds"): (1e-9, 86_400, 0, 86_400.1),
    ("limits", "cell_seconds"): (1e-9, 86_400, 0, 86_400.1),
    ("limits", "idle_seconds"): (5, 86_400, 4.9, 86_400.1),
    ("limits", "memory"): (256 * MIB, NO, 256 * MIB - 1, NO),
    ("limits", "cpus"): (1, 256, 0, 257),
    ("limits", "processes"): (32, 65_536, 31, 65_537),
    ("limits", "disk"): (16 * MIB, NO, 16 * MIB - 1, NO),
    ("limits", "output"): (MIB, NO, MIB - 1, NO),
    ("execution", "environments"): (["keras"], NO, [], NO),
    ("notebook", "steps"): ([], ["x"] * 60, NO, ["x"] * 61),
    ("notebook", "questions"): ([], ["x"] * 60, NO, ["x"] * 61),
    ("dataset", "names"): ([], ["x"] * 60, NO, ["x"] * 61),
    ("grading", "borderline"): ([], list(range(1, 21)), NO, list(range(1, 22))),
    ("public", "install"): ("x", "x" * 300, "", "x" * 301),
    ("own_dataset", "min_classes"): (1, 1000, 0, 1001),
    ("own_dataset", "max_classes"): (1, 1000, 0, 1001),
    ("own_dataset", "min_images_per_class"): (1, 100_000, 0, 100_001),
    ("own_dataset", "withhold_fraction"): (1e-9, 0.5, 0, 0.5001),
    ("own_dataset", "withhold_per_class"): (1, 10_000, 0, 10_001),
    ("own_dataset", "seed"): (0, NO, -1, NO),
    ("own_dataset", "rerun_seconds"): (1e-9, 86_400, 0, 86_400.1),
    ("reference", "fine_tune_epochs"): (0, 1000, -1, 1001),
    ("reference", "wall_seconds"): (1e-9, 86_400, 0, 86_400.1),
    ("benchmark", "queries"): (64, 100_000, 63, 100_001),
    ("benchmark", "warm_up_seconds"): (1e-9, 60, 0, 60.1),
    ("benchmark", "min_seconds"): (0, 600, -0.1, 600.1),
    ("robustness", "images"): (4, 1000, 3, 1001),
    ("robustness", "severities"): ([1, 5], NO, [0], [6]),
    ("robustness", "corruptions"): (["blur"], NO, [], ["x"]),
    ("robustness", "occlusion_maps"): (0, 12, -1, 13),
    ("deadline", "grace_minutes"): (0, 10_080, -1, 10_080.1),
    ("deadline", "max_days"): (0, 3660, -1, 3661),
    ("criteria", "points"): (1e-9, 1000, 0, 1000.1),
    ("", "title"): ("x", "x" * 200, "", "x" * 201),
    ("", "points"): (1e-9, NO, 0, NO),
    ("", "criteria"): ([{"kind": "manual", "points": 1}], NO, [], NO),
}


def adapter(section: str, key: str) -> TypeAdapter[Any]:
    """The key by itself: what two keys ask of each other is tried below."""
    field = SECTIONS[section].model_fields[key]
    return TypeAdapter(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)


@pytest.mark.parametrize("place", BOUNDS, ids=".".join)
def test_at_the_bound_a_value_passes_and_beyond_it_none(place: tuple[str, str]):
    least, most, below, above = BOUNDS[place]
    for value in (least, most):
        if value is not NO:
            adapter(*place).validate_python(value)
    for value in (below, above):
        if value is not NO:
            with pytest.raises(ValidationError):
                adapter(*place).validate_python(value)


def test_every_number_with_a_bound_is_in_the_table():
    kinds = ("ge", "gt", "le", "lt", "min_length", "max_length")
    bounded = {
        (section, name)
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
        if any(hasattr(one, part) for one in field.metadata for part in kinds)
    }  # fmt: skip
    assert bounded <= set(BOUNDS)


def test_keys_that_have_to_fit_each_other():
    ResourceLimits(wall_seconds=5, cell_seconds=5)
    with pytest.raises(ValidationError, match="cell_seconds is more"):
        ResourceLimits(wall_seconds=5, cell_seconds=5.1)
    OwnDataset(min_classes=4, max_classes=4)
    with pytest.raises(ValidationError, match="min_classes is more"):
        OwnDataset(min_classes=5, max_classes=4)


@pytest.mark.parametrize("penalty", ["10%", "2.5 %", "0", 3, 0.5])
def test_a_penalty_is_a_share_or_points(penalty: object):
    deadline = Deadline(at="2025-11-03T23:59:00+01:00", penalty_per_day=penalty)
    number = float(str(penalty).rstrip("% "))
    assert deadline.points_per_day(200) == (2 * number if "%" in str(penalty) else number)


@pytest.mark.parametrize("penalty", ["-1", "ten", "", True, "10 points"])
def test_what_is_no_penalty(penalty: object):
    with pytest.raises(ValidationError, match="a penalty is"):
        Deadline(at="2025-11-03T23:59:00+01:00", penalty_per_day=penalty)
