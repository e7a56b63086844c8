"""What each room shows to the others, and how many modules stand about outside of rooms."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import harness

PACKAGE = Path(harness.__file__).parent
# Room -> what its `__init__` exports. A room that is not here exports nothing: its modules are imported by name.
EXPORTED = {
    "agent.dataset": "Box DatasetImage Reading Unreadable open_tree read",
    "bench.boards": "Board load names",
    "bench.machine": "Check MachineState Monitor Window checks",
    "findings": "Finding Severity advice backbone_doubt finding one_line preprocessing_fix "
    "said_on_ones_own_machine said_to_student sentence "
    "with_detail",
    "grading.rubric": "ManualMark check grade",
    "grading.validation": "Checked NOTHING_FOUND Validation Verdict checked_first validate",
    "inputs.assignment": "Assignment load",
    "inputs.images": "CHECK_IMAGES HeldOutSet ImageObjects LabelledBox Material NO_SET NO_STAGED "
    "NO_TRAINING_IMAGES StagedImages TrainingImages drawn drawn_from load load_unseen sample secret_sample stage",
    "inputs.submissions": "collect",
    "inputs.weights": "TrainedOn WeightsEntry add by_address by_file fetch list_weights named path standing_in",
    "report": "INSTRUCTORS PAGE STUDENTS Sources UnfinishedPages write",
    "report.export": "grades_row results_schema write_grades_csv write_results_json",
    "sandbox": "Chosen EngineName EngineReport Job KERAS Limits Outcome Sandbox Software TORCH choose course diagnose "
    "environments named open_to_all readable_by_all",
    "stages.audit": "Described ImageSet SceneMap scene_map",
    "stages.evaluate": "Answers Truth evaluate",
    "stages.evaluate.detection": "Detections LabelledImages ObjectTruth ap_difference ap_intervals at_threshold "
    "best_f1 circumstances clean clean_truth coco_figures confusion counting curve error_types false_alarms matches "
    "voc_figures weak_spots",
}
MOST_LOOSE = 4


def rooms() -> list[str]:
    """Every package below `harness`, as a dotted name."""
    files = (file.parent.relative_to(PACKAGE) for file in PACKAGE.rglob("__init__.py"))
    return sorted(".".join(folder.parts) for folder in files if folder.parts and "stand_ins" not in folder.parts)


def modules(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("__"))


@pytest.mark.parametrize("room", rooms())
def test_a_room_exports_what_the_table_says(room: str):
    found = importlib.import_module(f"harness.{room}")
    exported = getattr(found, "__all__", [])
    assert sorted(exported) == EXPORTED.get(room, "").split()
    assert all(hasattr(found, name) for name in exported)


def test_the_table_has_no_room_that_is_not_there():
    assert set(EXPORTED) <= set(rooms())


@pytest.mark.parametrize("folder", ["", "agent"])
def test_few_modules_stand_outside_of_rooms(folder: str):
    assert len(modules(PACKAGE / folder)) <= MOST_LOOSE, modules(PACKAGE / folder)


def test_no_room_has_a_single_module():
    no_rooms = {"stand_ins", "example"}  # the second is in the wheel alone: the course that `init --example` writes
    folders = [f for f in PACKAGE.rglob("*") if f.is_dir() and no_rooms.isdisjoint(f.relative_to(PACKAGE).parts)]
    alone = {folder.relative_to(PACKAGE).as_posix() for folder in folders if len(modules(folder)) == 1}
    assert alone == set()
