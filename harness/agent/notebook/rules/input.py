"""`input()`, `getpass()`: nobody answers. Off by default: the cell then stops at once, and the reason says so."""

from __future__ import annotations

from ..cell import Edit, calls, dotted, edited, span_of
from ..rule_context import Setting

TITLE = "input() and getpass() get the empty answer, instead of stopping the run"
ON = False


def apply(source: str, setting: Setting) -> str:
    names = ("input", "raw_input", "getpass", "getpass.getpass")
    asked = [call for call in calls(source, "input", "raw_input", "getpass") if dotted(call.func) in names]
    for _ in asked:
        setting.note("empty-answer", "input()")
    return edited(source, [Edit(span_of(source, call), "''") for call in asked])
