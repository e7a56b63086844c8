"""results.json: everything about a run, and its JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.files.whole_file import write_whole
from harness.gradebook.results import Results


def write(results: Results, file: Path) -> None:
    """Write the file whole, or not at all. Raises `MachineError`."""
    write_whole(file, results.model_dump_json(by_alias=True, indent=2) + "\n")


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of results.json, from the types."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "results.json",
        **Results.model_json_schema(by_alias=True, mode="serialization"),
    }
