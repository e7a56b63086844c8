"""Leaves out the rules of our style that a page has no use for, so that a page that stands alone stays small.

The style is our own: without comments, white space, strings with braces, and at-rules other than `@media` that nest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import cache

_ARGUMENTS = re.compile(r"\[[^\]]*\]|::?[a-z-]+(\([^()]*\))?|#[\w-]+")
_CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
_TAG = re.compile(r"(?<![\w.-])[a-z][a-z0-9]*")
_COMMA = re.compile(r",(?![^(]*\))")
_CLASSES_OF_PAGE = re.compile(r'\bclass=(?:"([^"]*)"|([\w-]+))')
_VARIABLE = re.compile(r"var\((--[a-z]+)\)")
_SET_VARIABLE = re.compile(r"(--[a-z]+):[^;}]*;?")
_TAGS_OF_PAGE = re.compile(r"<([a-z][a-z0-9]*)")


def names(page: str) -> frozenset[str]:
    """The tags of the page's HTML and, with a dot before each, its classes."""
    classes = {f".{name}" for values in _CLASSES_OF_PAGE.findall(page) for name in " ".join(values).split()}
    return frozenset({"html", "body", *_TAGS_OF_PAGE.findall(page), *classes})


def used_only(style: str, used: Set[str]) -> str:
    """The rules whose selectors need no other tag or class than those in `used`, which is as of `names`.

    Without the variables that none of these rules has.
    """
    rules = _rules(style, used)
    variables = set(_VARIABLE.findall(rules))
    return _SET_VARIABLE.sub(lambda found: found[0] if found[1] in variables else "", rules)


def _rules(style: str, used: Set[str]) -> str:
    return "".join(_kept(prelude, body, used) for prelude, body in _blocks(style))


def _blocks(style: str) -> Iterator[tuple[str, str]]:
    """Each rule at the top: what stands before its braces, and between them."""
    at = 0
    while (opened := style.find("{", at)) >= 0:
        depth, end = 1, opened + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(style[end], 0)
            end += 1
        yield style[at:opened].strip(), style[opened + 1 : end - 1]
        at = end


def _kept(prelude: str, body: str, used: Set[str]) -> str:
    if prelude.startswith("@"):
        inner = _rules(body, used)
        return f"{prelude}{{{inner}}}" if inner else ""
    selectors = [selector for selector in _COMMA.split(prelude) if _needs(selector) <= used]
    return f"{','.join(selectors)}{{{body}}}" if selectors else ""


@cache
def _needs(selector: str) -> frozenset[str]:
    """The tags and classes without which the selector matches nothing; those of `:is` do not count."""
    bare = _ARGUMENTS.sub("", selector)
    return frozenset({*(f".{name}" for name in _CLASS.findall(bare)), *_TAG.findall(bare)})
