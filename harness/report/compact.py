"""Leaves out of a page what a browser reads the same without: implied end tags, lines between blocks, some quotes.

For pages of our templates, in which all that is not ours is escaped: none of these tags is in a `pre`, or a student's.
"""

from __future__ import annotations

import re

_ENDS = re.compile(r"\s*</(?:td|th|tr|li|dt|dd|thead|tbody|tfoot)>\s*")
_BLOCKS = "details|div|dl|figure|footer|h[1-6]|header|main|nav|ol|p|section|table|ul"  # they end a paragraph
_AROUND = "details|div|footer|header|li|main|section"  # it ends with these, too
_PARAGRAPH_ENDS = re.compile(rf"</p>\s*(?=<(?:{_BLOCKS}|pre)\b|</(?:{_AROUND})>)")
_IN_BLOCKS = "caption|circle|dd|dt|figcaption|iframe|li|line|path|rect|summary|svg|td|text|th|thead|title|tbody|tr|use"
_LINES = re.compile(rf"\s*\n\s*(?=</?(?:{_BLOCKS}|{_IN_BLOCKS})\b|<pre\b)")
_TAGS = re.compile(r"<[a-z][^<>]*>")
_WORD = r"([#\w%-]+|[\d.]+%?)"  # needs no quotes
_QUOTES = re.compile(rf'( [a-zA-Z0-9-]+=)"{_WORD}"(?=[ >])')
_LAST_QUOTES = re.compile(rf'="{_WORD}"/>')  # without the space, the slash would be of the word


def compact(page: str) -> str:
    """The page with less in its body; its head, with its style and policy, stays as it is."""
    head, opened, body = page.partition("<body")
    body = _LINES.sub("", _PARAGRAPH_ENDS.sub("", _ENDS.sub("", body)))
    return head + opened + _TAGS.sub(_without_quotes, body)


def _without_quotes(tag: re.Match[str]) -> str:
    return _LAST_QUOTES.sub(r"=\1 />", _QUOTES.sub(r"\1\2", tag[0]))
