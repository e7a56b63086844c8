"""Finds pairs of notebooks with passages that look alike: answers and code that two students have and few others.

What the class was given is taken off first: lines of the starting notebook, and lines that more than a third of the
class has. TF-IDF of character n-grams proposes pairs, an alignment finds the passages. All of it is bounded: the
characters of a notebook by who reads it, the pairs that are aligned by `_MOST_ALIGNED`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from harness.inputs.submissions.texts import Cell
from harness.stages.evidence.alike import AlikePair, AlikeTexts, Passage

if TYPE_CHECKING:
    from scipy import sparse

_COMMON_SHARE, _COMMON_FEWEST = 1 / 3, 4  # more of the class than both have it in common
_PIECE, _LONGEST_PIECE, _SHORTEST_PIECE = 200, 1_500, 50  # characters
_N_GRAM = re.compile(r"\b(?=(\w.{9}))", re.DOTALL)  # ten characters from the beginning of each word
_FEATURES = 2**20
_FEWEST_N_GRAMS = 8  # that a pair shares, or two pieces
_NEAREST = 5  # others with which a notebook is aligned
_MOST_ALIGNED = 1_000  # pairs
_SHORTEST_EQUAL, _LONGEST_GAP = 6, 30  # characters: of a run that counts, and of an edit inside a passage
_PASSAGE, _EQUAL_SHARE = 80, 0.6  # characters that are equal in a passage, and their share of it
_BY_CHANCE, _PAIR = 60, 90  # characters: taken off each passage, because two may have so many by chance; what is left
_MOST_PAIRS, _MOST_PASSAGES, _SHOWN = 50, 5, 400
_ROWS = 512  # pieces that are compared with all others at once


@dataclass(frozen=True, slots=True)
class Written:
    """What one submission wrote. `people`: who surely are its authors; `named`: whom its notebook names besides."""

    id: str
    people: frozenset[str]
    named: frozenset[str]
    cells: tuple[Cell, ...]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A paragraph or a few lines of code of one submission."""

    owner: int
    cell: int
    is_code: bool
    text: str


def alike(written: Sequence[Written], starter: Sequence[Cell] = ()) -> AlikeTexts:
    """The pairs of submissions whose texts look alike, those with most and longest shared passages first.

    Submissions with an author in common are no pair. `starter`: the cells that all began with.
    """
    given = {line for cell in starter for line in _lines(cell.text)} | _common_lines(written)
    pieces = [piece for owner, one in enumerate(written) for piece in _pieces(owner, one.cells, given)]
    pairs = _pairs(written, pieces) if pieces else []
    return AlikeTexts(
        compared=sum(bool(one.cells) for one in written),
        pairs=tuple(pairs[:_MOST_PAIRS]),
        more_pairs=max(0, len(pairs) - _MOST_PAIRS),
        cut=tuple(one.id for one in written if one.cut),
        without_starter=bool(starter),
    )


def _line(line: str) -> str:
    return " ".join(line.lower().split())


def _lines(text: str) -> set[str]:
    return {_line(line) for line in text.split("\n")}


def _most_in_common(count: int) -> float:
    """How many of so many notebooks may have a line or an n-gram before it is everybody's."""
    return max(_COMMON_FEWEST, count * _COMMON_SHARE)


def _common_lines(written: Sequence[Written]) -> set[str]:
    counts = Counter(line for one in written for line in {line for cell in one.cells for line in _lines(cell.text)})
    most = _most_in_common(sum(bool(one.cells) for one in written))
    return {line for line, count in counts.items() if count > most}


def _pieces(owner: int, cells: Iterable[Cell], given: set[str]) -> Iterator[_Piece]:
    """The submission's own text: paragraphs, short ones joined and long ones cut."""
    for cell in cells:
        own = ""
        for line in [*cell.text.split("\n"), ""]:
            if line.strip() and _line(line) not in given:
                own += line.rstrip() + "\n"
            ends = not line.strip() and len(own) >= _PIECE
            while len(own) >= _LONGEST_PIECE or (ends and own):
                piece, own = own[:_LONGEST_PIECE], own[_LONGEST_PIECE:]
                yield _Piece(owner, cell.number, cell.is_code, piece.strip("\n"))
        if len(own.strip()) >= _SHORTEST_PIECE:
            yield _Piece(owner, cell.number, cell.is_code, own.strip("\n"))


def _n_grams(text: str) -> list[str]:
    found: list[str] = _N_GRAM.findall(" ".join(text.lower().split()))
    return found


def _pairs(written: Sequence[Written], pieces: Sequence[_Piece]) -> list[AlikePair]:
    """All pairs that were aligned and share enough, those with most and longest passages first."""
    from scipy import sparse
    from sklearn.feature_extraction.text import HashingVectorizer

    hashed = HashingVectorizer(
        analyzer=_n_grams, n_features=_FEATURES, norm=None, alternate_sign=False, binary=True, dtype=np.float32
    )
    of_pieces = hashed.transform([piece.text for piece in pieces])
    owners = np.array([piece.owner for piece in pieces])
    ones = np.ones(len(pieces), np.float32)
    membership = sparse.csr_matrix((ones, (owners, np.arange(len(pieces)))), (len(written), len(pieces)))
    of_notebooks = (membership @ of_pieces).tocsr()
    of_notebooks.data[:] = 1
    held_by = np.bincount(of_notebooks.indices, minlength=_FEATURES)
    kept = np.flatnonzero((held_by >= 2) & (held_by <= _most_in_common(len(np.unique(owners)))))
    if not len(kept):
        return []
    of_pieces = of_pieces[:, kept]
    starts = np.searchsorted(owners, np.arange(len(written) + 1))
    sizes = [sum(len(piece.text) for piece in pieces[a:b]) for a, b in pairwise(starts)]
    found = []
    for i, j in _proposed(written, owners, of_pieces):
        mine, theirs = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        shared = (of_pieces[mine] @ of_pieces[theirs].T).toarray()
        passages = _shared(pieces[mine], pieces[theirs], shared)
        weight = sum(passage.characters - _BY_CHANCE for passage in passages)
        if weight >= _PAIR:
            found.append((weight, _pair(written[i], written[j], passages, min(sizes[i], sizes[j]))))
    return [pair for _, pair in sorted(found, key=lambda one: (-one[0], one[1].id, one[1].other_id))]


def _pair(one: Written, other: Written, passages: Sequence[Passage], size: int) -> AlikePair:
    """`size`: characters of the shorter one's own text."""
    characters = sum(passage.characters for passage in passages)
    return AlikePair(
        id=one.id,
        other_id=other.id,
        characters=characters,
        share=min(1.0, characters / max(1, size)),
        passages=tuple(passages[:_MOST_PASSAGES]),
        more_passages=max(0, len(passages) - _MOST_PASSAGES),
        say_one_group=bool(one.named & (other.people | other.named) or other.named & one.people),
    )


def _proposed(
    written: Sequence[Written], owners: NDArray[np.int64], n_grams: sparse.csr_matrix
) -> list[tuple[int, int]]:
    """Pairs to align, likeliest first: for each notebook the few with which one of its pieces has most in common.

    Pieces, because one copied answer is little of a whole notebook. `n_grams`: shape (pieces, n-grams), 0 or 1.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    weighed = TfidfTransformer(norm=None).fit_transform(n_grams).tocsr()
    several = weighed.T.tocsr()
    best: list[dict[int, float]] = [{} for _ in written]
    for start in range(0, len(owners), _ROWS):
        products = (weighed[start : start + _ROWS] @ several).tocsr()
        for row in range(products.shape[0]):
            i = int(owners[start + row])
            part = slice(products.indptr[row], products.indptr[row + 1])
            columns, values = products.indices[part], products.data[part]
            others = owners[columns]
            columns, values, others = (one[others != i] for one in (columns, values, others))
            for at in np.argsort(-values, kind="stable")[: 4 * _NEAREST]:
                j = int(others[at])
                best[i][j] = max(best[i].get(j, 0.0), float(values[at]))
    scores: dict[tuple[int, int], float] = {}
    for i, found in enumerate(best):
        apart = [j for j in found if not written[i].people & written[j].people]
        for j in sorted(apart, key=lambda j: (-found[j], j))[:_NEAREST]:
            scores[min(i, j), max(i, j)] = found[j]
    return sorted(scores, key=lambda pair: (-scores[pair], pair))[:_MOST_ALIGNED]


def _shared(mine: Sequence[_Piece], theirs: Sequence[_Piece], n_grams: NDArray[np.float32]) -> list[Passage]:
    """The passages that two submissions share, longest first; `n_grams`: how many each two pieces share."""
    found = []
    for index, piece in enumerate(mine):
        nearest = int(n_grams[index].argmax())
        other = theirs[nearest]
        if n_grams[index, nearest] < _FEWEST_N_GRAMS or piece.is_code != other.is_code:
            continue
        for a, b, characters in _runs(piece.text, other.text):
            text, other_text = piece.text[a].strip("\n"), other.text[b].strip("\n")
            shown = (text[:_SHOWN], other_text[:_SHOWN])
            found.append(Passage(
                is_code=piece.is_code, cell=piece.cell, text=shown[0],
                other_cell=other.cell, other_text=shown[1], characters=characters,
            ))  # fmt: skip
    return sorted(found, key=lambda passage: (-passage.characters, passage.cell))


def _runs(one: str, other: str) -> Iterator[tuple[slice, slice, int]]:
    """The stretches in which both are nearly the same: where in each, and how many characters are equal."""
    run: list[tuple[slice, slice]] = []
    for step in [*Indel.opcodes(one, other), None]:
        if step is not None and (step.tag != "equal" or step.src_end - step.src_start < _SHORTEST_EQUAL):
            continue
        if run and (step is None or _gap(run[-1], step.src_start, step.dest_start) > _LONGEST_GAP):
            equal = sum(a.stop - a.start for a, _ in run)
            whole = tuple(slice(run[0][side].start, run[-1][side].stop) for side in (0, 1))
            longest = max(part.stop - part.start for part in whole)
            if equal >= _PASSAGE and equal >= _EQUAL_SHARE * longest:
                yield whole[0], whole[1], equal
            run = []
        if step is not None:
            run.append((slice(step.src_start, step.src_end), slice(step.dest_start, step.dest_end)))


def _gap(last: tuple[slice, slice], start: int, other_start: int) -> int:
    return max(start - int(last[0].stop), other_start - int(last[1].stop))
