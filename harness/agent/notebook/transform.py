"""Prepares a notebook to run: applies every rule to every cell, puts the images in place, and records each change.

The source as handed in stays in the cell's metadata, under `as_handed_in`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .dataset_mounts import Given
from .dataset_paths import Reads
from .rule_context import Setting
from .rules import rules
from .tree_mounts import GivenTree

_MOST_CHANGES = 100  # cells
_MOST_LINES = 80  # of one cell's difference
_LINE = 300  # characters
_KINDS = {"-": "removed", "+": "added", " ": "kept"}
_CONTEXT_LINES = 1
_SOURCE = 200_000  # characters; a longer cell runs unchanged


@dataclass(slots=True)
class Transformation:
    """What was changed in a notebook before it ran, in the form that is sent."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    changes_left_out: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)  # folders in agent/site/stand_ins

    def reply(self) -> dict[str, Any]:
        return {
            "changes": self.changes,
            "changes_left_out": self.changes_left_out,
            "notes": self.notes,
            "given": self.given,
        }


def transform(
    cells: list[Any],
    here: Path,
    dataset: Mapping[str, Any] | None,
    switches: Mapping[str, bool],
    given: Given | GivenTree | None,
) -> Transformation:
    """Change the code cells in place, and put the images where the cells look for them.

    `cells`: nbformat's cells that hold code, in order. `dataset`: `mounted_as`, `names`, `layout`.
    `switches`: rule name -> whether it is on, for rules that do not keep their default.
    """
    handed_in = tuple(cell.source for cell in cells)
    names = tuple(dataset["names"]) if dataset else ()
    setting = Setting(here, handed_in, names, given is not None)
    on = {name: rule for name, rule in rules().items() if switches.get(name, rule.ON)}
    done = Transformation(stand_ins=[rule.STAND_IN for rule in on.values() if hasattr(rule, "STAND_IN")])
    used = [_apply(cell, _only(on, last=False), setting) for cell in cells]
    _put_images(cells, here, dataset, given, setting, done)
    for cell, names_of_rules in zip(cells, used, strict=True):
        names_of_rules += _apply(cell, _only(on, last=True), setting)
    for number, (cell, names_of_rules) in enumerate(zip(cells, used, strict=True), start=1):
        if not names_of_rules:
            continue
        if len(done.changes) < _MOST_CHANGES:
            done.changes.append(
                {"cell": number, "rules": names_of_rules, "diff": _difference(handed_in[number - 1], cell.source)}
            )
        else:
            done.changes_left_out += 1
        cell.metadata["as_handed_in"] = handed_in[number - 1]
    done.notes = list(setting.notes)
    return done


def _only(rules_on: Mapping[str, Any], *, last: bool) -> dict[str, Any]:
    return {name: rule for name, rule in rules_on.items() if getattr(rule, "LAST", False) == last}


def _put_images(
    cells: list[Any],
    here: Path,
    dataset: Mapping[str, Any] | None,
    given: Given | GivenTree | None,
    setting: Setting,
    done: Transformation,
) -> None:
    """Put the images where the changed cells look for them, and make the folders that a foreign path stands for."""
    sources = tuple(cell.source for cell in cells)
    reads = Reads(sources)
    if given is not None and dataset is not None:
        given.mount(dataset["mounted_as"])
        text = "\n".join(sources)
        if isinstance(given, GivenTree):
            given.put(reads, setting.names, dataset["mounted_as"], text)
        else:
            given.put(reads, setting.names, dataset["layout"], dataset["mounted_as"], text)
        done.given = list(given.said)
    made = {str(here / path) for path in reads.made}
    for folder in sorted(setting.folders):
        _make(folder.parent if str(folder) in made else folder, here)
    setting.reads = reads


def _apply(cell: Any, on: Mapping[str, Any], setting: Setting) -> list[str]:
    """The names of the rules that changed the cell."""
    used = []
    for name, rule in on.items():
        if len(cell.source) > _SOURCE:
            break
        try:
            changed = rule.apply(cell.source, setting)
        except Exception as error:  # a rule that fails must not stop the run: it then leaves the cell unchanged
            setting.note("rule-failed", f"{name}: {type(error).__name__}: {error}")
            continue
        if changed != cell.source:
            cell.source = changed
            used.append(name)
    return used


def _difference(before: str, after: str) -> list[tuple[str, str]]:
    """(kind of change, line) pairs, bounded."""
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=_CONTEXT_LINES)
    shown = [(_KINDS[line[0]], line[1 : _LINE + 1]) for line in lines if not line.startswith(("---", "+++", "@@"))]
    return shown[:_MOST_LINES]


def _make(folder: Path, here: Path) -> None:
    try:
        if here in folder.parents or folder == here:
            folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):
        pass  # a file of that name was handed in, and the notebook gets that
