"""What a sandbox may send, field by field: no text and no list is without an end, and each bound is the one agreed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from harness import stages
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.record import Record

# A line for each bound: module, schema, field, and what it may be.
AGREED = Path(__file__).parent / "reply_bounds.txt"
BOUNDS = (
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "pattern",
)  # fmt: skip


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """(module and name, JSON schema) of every type that a reply is read as: private, and closed to other fields."""
    for found in pkgutil.walk_packages(stages.__path__, "harness.stages."):
        module = importlib.import_module(found.name)
        for name, kind in sorted(vars(module).items()):
            is_ours = isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__ == module.__name__
            if (
                is_ours
                and (kind is KernelList or not issubclass(kind, Record))
                and kind.model_config.get("extra") == "forbid"
            ):
                yield f"{found.name.removeprefix('harness.stages.')}.{name}", kind.model_json_schema()


def leaves(schema: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, schema) of every number, text and list in it, those of types that it refers to left out."""
    if "type" in schema and schema["type"] != "object":
        yield place, schema
    for key, part in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield from leaves(schema[key], place + part)
    for one in (*schema.get("anyOf", ()), *schema.get("prefixItems", ())):
        yield from leaves(one, place)
    for name, inner in schema.get("properties", {}).items():
        yield from leaves(inner, f"{place}.{name}")


def all_leaves() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in schemas():
        yield from leaves(schema, name)


def test_each_bound_is_the_one_agreed():
    lines = {
        f"{place} {bound}={schema[bound]}" for place, schema in all_leaves() for bound in BOUNDS if bound in schema
    }
    assert sorted(lines) == AGREED.read_text(encoding="utf-8").splitlines()


BOUNDED_ELSEWHERE = {
    "audit.reply.Reply.images",  # put together from parts, each with a bound, and counted
    "timed_answers.Groups.counts",  # as many as the inputs beside them
    "benchmark_reply.BoxGroups.counts",  # likewise
}


def without_an_end(schema: dict[str, Any]) -> bool:
    if schema["type"] == "string":
        return not {"maxLength", "pattern", "enum", "const", "format"} & set(schema)
    return schema["type"] == "array" and "maxItems" not in schema


def test_no_text_and_no_list_is_without_an_end():
    assert {place for place, schema in all_leaves() if without_an_end(schema)} == BOUNDED_ELSEWHERE


def test_the_replies_of_all_phases_are_among_them():
    modules = {name.rpartition(".")[0] for name, _ in schemas()}
    assert {"audit.reply", "benchmark_reply", "conversion_reply", "detection.convert", "detection.detector",
            "detection.measuring_scaling", "detection.reply", "detection.train_detector", "execute.stage",
            "execute.rewrite", "inspect", "measuring", "predict", "robustness", "timing"} <= modules  # fmt: skip
