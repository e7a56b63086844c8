"""Finds the assignment's steps and open questions in a notebook: by similar headings, and by nbgrader's cells.

A heading is a markdown heading, a line in bold, or a line that ends in a question mark. Everything up to the next
heading belongs to it, so an answer may be in the same cell or in the next ones.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

_ENOUGH = 0.62  # likeness from which a heading matches a step or question
_SAME_WORD = 0.8  # likeness of two words that count as one
_FEWEST_WORDS = 3  # of an answer
_MOST_HEADINGS = 400
_BELOW_ALL = 8  # the level of nbgrader's cells: they belong to the heading before them
_EXCERPT = 1_500  # characters of an answer
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_BOLD = re.compile(r"^\s*(?:[-*+]\s+)?(?:\*\*|__)(.{3,300}?)(?:\*\*|__)\s*:?\s*$")
_QUESTION = re.compile(
    r"^\s*(?:[-*+]\s+|\d{1,2}[.)]\s*|[a-z][.)]\s+|>\s*)*(.{8,400}\?)\s*(?:\*\*|__)?\s*$", re.IGNORECASE
)
# A question and its answer on one line: `**What is it?** A mug.`, `1. What is it? A mug.`
_ANSWERED = re.compile(
    r"^\s*(?:[-*+]\s+|\d{1,2}[.)]\s*)*(?:(?:\*\*|__)(.{8,300}?\?)\s*(?:\*\*|__)\s*:?|(?<=[.)] )(.{8,300}?\?))\s+(\S.*)$"
)
_PLACEHOLDER = re.compile(
    r"^\W*(?:(?:type|write|put|enter|give|your)\b.{0,40}\banswers?\b.{0,60}|"
    r"your (?:answer|text|response)s?(?: goes)?(?: here)?|answer(?:\s*\d*)?(?: here)?|"
    r"antwoord(?:en)?(?: hier)?|(?:jullie|jouw|je) antwoord(?: hier)?|"
    r"to ?do|tbd|n/?a|\.{2,}|…|_{2,}|-+|x+|double-?click.{0,40}|(?:please )?fill in.{0,30}|<[^>]*>|\[[^\]]*\])\W*$",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^\s*(?:answer|antwoord|a)\s*(?:\d+\s*)?[:.)-]\s*", re.IGNORECASE)
_STOP = {
    "the",
    "a",
    "an",
    "and",
    "of",
    "to",
    "in",
    "on",
    "your",
    "you",
    "is",
    "it",
    "for",
    "with",
    "this",
    "that",
    "de",
    "het",
    "een",
    "en",
}


@dataclass(slots=True)
class _Section:
    title: str
    cell: int  # the heading's cell, counted from 1 over all cells
    level: int
    text: list[str] = field(default_factory=list)  # markdown below the heading
    code: list[str] = field(default_factory=list)
    grade_id: str = ""


def sections(cells: list[Any], steps: list[str], questions: list[str]) -> dict[str, Any]:
    """Where each step and question is, and whether it has code, words, an answer. `cells`: all of nbformat's cells."""
    parts = _parts(cells)
    asked = list(questions)
    if not asked:
        asked = [part.title for part in parts if part.grade_id and not part.code]
    return {
        "steps": [_step(name, part, parts) for name, part in _matched(steps, parts)],
        "questions": _questions(_matched(asked, parts), parts),
    }


def _parts(cells: list[Any]) -> list[_Section]:
    parts = [_Section("", 0, 7)]
    prompt: list[str] = []  # the lines of the previous markdown cell, if it has no heading
    for number, cell in enumerate(cells, start=1):
        grade_id = _graded(cell)
        if cell.cell_type == "code":
            if grade_id and "solution" in grade_id[1]:
                parts.append(_Section(grade_id[0], number, _BELOW_ALL, grade_id=grade_id[0]))
            parts[-1].code.append(cell.source)
            prompt = []
            continue
        if cell.cell_type != "markdown":
            continue
        in_fence, begun = False, False
        for line in cell.source.split("\n"):
            in_fence ^= line.lstrip().startswith(("```", "~~~"))
            heading = None if in_fence else _heading(line)
            if heading and len(parts) < _MOST_HEADINGS:
                parts.append(
                    _Section(heading[1], number, heading[0], grade_id=grade_id[0] if grade_id and not begun else "")
                )
                begun = True
                if behind := _ANSWERED.match(line):
                    parts[-1].text.append(behind[3])
            else:
                parts[-1].text.append(line)
        if grade_id and not begun:
            text = cell.source.split("\n")
            del parts[-1].text[-len(text) :]
            title, level = next((part.title for part in reversed(parts) if part.title), grade_id[0]), _BELOW_ALL
            if prompt:  # the cell before asks, without a heading
                del parts[-1].text[-len(prompt) :]
                title, level = " ".join(" ".join(prompt).split())[:300], 7
            parts.append(_Section(title, number, level, text, grade_id=grade_id[0]))
        prompt = [] if begun or grade_id else cell.source.split("\n")
    return parts


def _graded(cell: Any) -> tuple[str, str] | None:
    """nbgrader's name and kind of a cell that the student fills in."""
    marks = cell.metadata.get("nbgrader")
    if not isinstance(marks, dict) or not (marks.get("solution") or marks.get("task")):
        return None
    return str(marks.get("grade_id", ""))[:100] or "unnamed", "solution"


def _heading(line: str) -> tuple[int, str] | None:
    """(level, text) of a line that is a heading."""
    if found := _HEADING.match(line):
        return len(found[1]), found[2]
    if found := _BOLD.match(line):
        return 6, found[1]
    if found := _ANSWERED.match(line):
        return 7, found[1] or found[2]
    if found := _QUESTION.match(line):
        return 7, found[1]
    return None


# --- likeness -----------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """The significant words in lower case: no accents, numbers, markup or filler words; plurals as singulars."""
    text = unicodedata.normalize("NFKD", text.lower())
    found = re.findall(r"[^\W\d_]{2,}", "".join(c for c in text if not unicodedata.combining(c)))
    return [_stem(word) for word in found if word not in _STOP]


def _stem(word: str) -> str:
    for ending in ("isation", "ization", "ising", "izing", "ise", "ize", "ing", "tion", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def likeness(one: str, other: str) -> float:
    """How alike two headings are, from 0 to 1: by their words in any order, and by their letters."""
    a, b = words(one)[:60], words(other)[:60]
    if not a or not b:
        return 0.0
    shared = sum(any(_same(word, w) for w in b) for word in a)
    back = sum(any(_same(word, w) for w in a) for word in b)
    overlap = 2 * (shared / len(a)) * (back / len(b)) / max(shared / len(a) + back / len(b), 1e-9)
    # The heading contains the whole name; a name of one word counts only at its beginning.
    inside = shared / len(a) if len(a) >= 2 or _same(a[0], b[0]) else 0.0
    letters = difflib.SequenceMatcher(None, " ".join(a), " ".join(b)).ratio()
    return max(overlap, 0.9 * inside, letters)


def _same(word: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, word, other).ratio() >= _SAME_WORD


def _matched(names: list[str], parts: list[_Section]) -> list[tuple[str, _Section | None]]:
    """Each name with its section: the likeliest pairs are matched first, and a section matches one name only."""
    scored = [
        (max(likeness(name, part.title), likeness(name, part.grade_id.replace("_", " "))), -j, i)
        for i, name in enumerate(names)
        for j, part in enumerate(parts)
        if part.title
    ]
    chosen: dict[int, _Section] = {}
    taken: set[int] = set()
    for score, minus_j, i in sorted(scored, reverse=True):
        if score >= _ENOUGH and i not in chosen and -minus_j not in taken:
            chosen[i] = parts[-minus_j]
            taken.add(-minus_j)
    return [(name, chosen.get(i)) for i, name in enumerate(names)]


# --- what a section holds -----------------------------------------------------------------------


def _below(part: _Section, parts: list[_Section]) -> list[_Section]:
    """The section and its subsections."""
    at = next(i for i, other in enumerate(parts) if other is part)
    found = [part]
    for other in parts[at + 1 :]:
        if other.level <= part.level:
            break
        found.append(other)
    return found


def _step(name: str, part: _Section | None, parts: list[_Section]) -> dict[str, Any]:
    if part is None:
        return {"name": name, "cell": None, "title": "", "has_code": False, "has_words": False}
    within = _below(part, parts)
    code = [source for one in within for source in one.code if source.strip()]
    text = " ".join(line for one in within for line in one.text)
    commented = any(re.search(r"(?m)^\s*#\s*\w|\S\s+#\s*\w|\"\"\"", source) for source in code)
    return {
        "name": name,
        "cell": part.cell,
        "title": part.title[:200],
        "has_code": bool(code),
        "has_words": len(re.findall(r"\w+", text)) >= _FEWEST_WORDS or commented,
    }


def _questions(found: list[tuple[str, _Section | None]], parts: list[_Section]) -> list[dict[str, Any]]:
    """Each question with the text below it, without text of other questions."""
    reports = []
    for name, part in found:
        others = [other for _, other in found if other is not part]
        below = _below(part, parts) if part else []
        within = [one for one in below if not any(one is other for other in others)]
        reports.append(_question(name, part, within))
    return reports


def _question(name: str, part: _Section | None, within: list[_Section]) -> dict[str, Any]:
    if part is None:
        return {"name": name, "cell": None, "title": "", "answer": "", "answered": False}
    lines = [line for one in within for line in one.text]
    answer = "\n".join(
        _LEADING.sub("", line) for line in lines if not _PLACEHOLDER.match(_LEADING.sub("", line) or "-")
    )
    answer = answer.strip()
    count = len(re.findall(r"\w+", re.sub(r"<!--.*?-->", "", answer, flags=re.DOTALL)))
    return {
        "name": name,
        "cell": part.cell,
        "title": part.title[:200],
        "answer": answer[:_EXCERPT],
        "answered": count >= _FEWEST_WORDS,
    }
