"""Names each cell of a table by its column, so that the style can show a row as a card on a phone.

The style has the names of tables that stand on many pages, or have many rows; in others each cell carries its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

OF_CLASS = {
    "of-class": ("Status", "Points", "Accuracy", "Against the reference", "Latency", "Findings"),
    "of-unfinished": ("Status", "Points so far", "Accuracy", "Latency", "Findings"),
    "of-detectors": ("Status", "Points", "AP50", "Against the reference", "Latency", "Findings"),
    "of-unfinished-detectors": ("Status", "Points so far", "AP50", "Latency", "Findings"),
}
OF_SUBMISSION = {
    "of-two": ("This model", "Reference"),
    "of-classes": ("Images", "Recall", "Precision"),
    "of-detected": ("Objects", "AP50", "AP", "Best threshold", "Precision there", "Recall there"),
    "of-points": ("Score from", "Boxes", "Precision", "Recall", "F1"),
    "of-mistakes": ("Boxes", "AP50 without it"),
    "of-stages": ("Outcome", "Time", "Peak memory", "Why"),
    "of-steps": ("In the notebook", "Code", "Words about it"),
    "of-layers": ("Operator", "Of the time", "Operations", "Parameters"),
    "of-images": ("Readable images", "Variety of scenes"),
    "of-withheld": ("Readable images", "Withheld", "Variety of scenes"),
    "of-boards": ("Latency", "Memory", "Rests on"),
    "of-compared": ("Latency", "Of the reference's", "Band", "Memory", "Rests on"),
}
"""Class of a table -> what its columns are called, but for the first; a table may have only the first of these."""
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_WITHOUT_CARDS = re.compile(r'<table class="[^"]*\b(?:marks|confusion|pairs)\b')  # as in the style
_HEAD = re.compile(r"<thead>(.*?)</thead>", re.DOTALL)
_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_BODY = re.compile(r"<tbody>.*?</tbody>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(td|th)(?=[ >])")
_OPENED = re.compile(r'<table(?: class="([^"]*)")?>')
_TAG = re.compile(r"<[^>]*>")


def with_labels(page: str, known: Mapping[str, Sequence[str]]) -> str:
    """The page with the name of its column at each cell of a table's body, as the style shows it.

    `known`: the tables whose names the page's style has; they get a class, others `data-label` at each cell.
    `page`: HTML of our templates, in which all that is not ours is escaped, and no cell spans columns or holds a table.
    """
    return _TABLE.sub(lambda table: _labelled(table[0], known), page)


def _labelled(table: str, known: Mapping[str, Sequence[str]]) -> str:
    head = _HEAD.search(table)
    if head is None or _WITHOUT_CARDS.match(table):
        return table
    headings = [" ".join(_TAG.sub("", words).split()).replace('"', "&#34;") for words in _HEADING.findall(head[1])]
    of = next((name for name, columns in known.items() if headings[1:] == [*columns[: len(headings) - 1]]), None)
    if of is not None:
        return _OPENED.sub(
            lambda opened: f'<table class="{opened[1]} {of}">' if opened[1] else f'<table class="{of}">', table, count=1
        )

    def row(found: re.Match[str]) -> str:
        names = iter(headings)

        def cell(opened: re.Match[str]) -> str:
            name = next(names, "")
            return f'<td data-label="{name}"' if opened[1] == "td" and name else opened[0]

        return _CELL.sub(cell, found[0])

    return _BODY.sub(lambda body: _ROW.sub(row, body[0]), table)
