"""Looks through a YAML text before anything is made of it: no aliases, and no lists nested deeply."""

from __future__ import annotations

import yaml

from .sources import Unreadable

_DEEPEST = 64  # lists and dicts in one another; PyYAML takes tens of seconds for 30,000


def refuse_costly(text: str | bytes, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> None:
    """Raise `Unreadable` for a text that is short and costs much. Raises what PyYAML raises for one that is no YAML."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable("it refers to itself with an alias")  # ten of ten of ten are a billion
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise Unreadable("it is nested too deeply")
