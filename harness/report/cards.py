"""Names each cell of a table by its column, so that the style can show a row as a card on a phone."""

from __future__ import annotations

import re

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_WITHOUT_CARDS = re.compile(r'<table class="[^"]*\b(?:marks|confusion|pairs)\b')  # as in the style
_HEAD = re.compile(r"<thead>(.*?)</thead>", re.DOTALL)
_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_BODY = re.compile(r"<tbody>.*?</tbody>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(td|th)(?=[ >])")
_TAG = re.compile(r"<[^>]*>")


def with_labels(page: str) -> str:
    """The page with `data-label`, its column's heading, at each cell of a table's body.

    `page`: HTML of our templates, in which all that is not ours is escaped, and no cell spans columns or holds a table.
    """
    return _TABLE.sub(lambda table: _labelled(table[0]), page)


def _labelled(table: str) -> str:
    head = _HEAD.search(table)
    if head is None or _WITHOUT_CARDS.match(table):
        return table
    headings = [" ".join(_TAG.sub("", words).split()).replace('"', "&#34;") for words in _HEADING.findall(head[1])]

    def row(found: re.Match[str]) -> str:
        names = iter(headings)

        def cell(opened: re.Match[str]) -> str:
            name = next(names, "")
            return f'<td data-label="{name}"' if opened[1] == "td" and name else opened[0]

        return _CELL.sub(cell, found[0])

    return _BODY.sub(lambda body: _ROW.sub(row, body[0]), table)
