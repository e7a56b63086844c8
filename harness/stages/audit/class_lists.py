"""The classes that labels.txt lists against those that were drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.findings import Finding, finding

_BACKGROUND = "background"
_VOID = "void"
_MOST_NAMED = 8


def about_lists(drawn: Mapping[str, int], listed: Sequence[str] | None) -> list[Finding]:
    """The findings. `drawn`: class -> its boxes. `listed`: the lines of labels.txt, None without one.

    Training tools compare names letter by letter; the one name that they add themselves is BACKGROUND.
    """
    found = []
    names = [name for name in listed or () if name.casefold() != _BACKGROUND]
    if len(names) < len(listed or ()):
        found.append(finding("dataset-lists-background"))
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        found.append(finding("dataset-listed-twice", classes=_named(repeated)))
    if pairs := _other_case(drawn, names):
        found.append(finding("dataset-other-case", names=_named([f"{one} and {other}" for one, other in pairs])))
    differing = {name for pair in pairs for name in pair}
    if names:
        missing = [f"{name} ({n})" for name, n in drawn.items() if name not in names and name not in differing]
        if missing:
            found.append(finding("dataset-not-listed", classes=_named(missing)))
        if never := [name for name in dict.fromkeys(names) if name not in drawn and name not in differing]:
            found.append(finding("dataset-never-drawn", classes=_named(never)))
    if any(name.casefold() == _VOID for name in (*drawn, *names)):
        found.append(finding("dataset-class-void"))
    return found


def _other_case(drawn: Mapping[str, int], names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of names that differ in upper and lower case alone: of two drawn classes, or a drawn and a listed one."""
    first: dict[str, str] = {}
    pairs: dict[tuple[str, str], None] = {}
    for name in (*dict.fromkeys(names), *drawn):
        other = first.setdefault(name.casefold(), name)
        if other != name:
            pairs.setdefault((other, name))
    return list(pairs)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    )
