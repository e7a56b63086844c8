"""Writes the tables of docs/intervals.md, the intervals' exact coverage: `python benchmarks/interval_coverage.py`.

Coverage is summed over all possible outcomes, not simulated. A test compares the page with what is computed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom, chi2

from harness.stages.evaluate import intervals
from harness.stages.evaluate.scenes import Scenes, of_shares

PAGE = Path(__file__).parent.parent / "docs" / "intervals.md"
SHARES = np.arange(60, 99) / 100
COUNTS = ((20, 50), (51, 100), (101, 200), (201, 500))
_RARE = 1e-10  # outcomes of a lower probability are left out of the sums
_SAME = 1e-12  # of a bound that lies on the true value


def wilson_coverage(count: int, *, modified: bool = False) -> np.ndarray[Any, Any]:
    """The exact coverage for each true share of `SHARES`.

    `modified`: with the limits of Brown, Cai and DasGupta (2001, section 4.1.1) for up to 3 wrong or right images.
    """
    hits = np.arange(count + 1)
    low, high = np.array([intervals.wilson(one / count, count) for one in hits]).T
    for few in range(1, (2 if count <= 50 else 3) + 1) if modified else ():
        poisson = chi2.ppf(0.05, 2 * few) / 2 / count
        low[few], high[count - few] = poisson, 1 - poisson
    chances = binom.pmf(hits[:, None], count, SHARES)
    inside = (low[:, None] <= SHARES + _SAME) & (high[:, None] >= SHARES - _SAME)
    found: np.ndarray[Any, Any] = (chances * inside).sum(axis=0)
    return found


def paired_coverage(count: int) -> list[float]:
    """The exact coverage of the paired difference for differences of 0 to -0.3, and few to many disagreements."""
    first, second = (one.ravel() for one in np.mgrid[: count + 1, : count + 1])
    possible = first + second <= count
    first, second = first[possible], second[possible]
    low, high = intervals.tango(first, second, count)
    ways = gammaln(count + 1) - gammaln(first + 1) - gammaln(second + 1) - gammaln(count - first - second + 1)
    found = []
    for difference, more in itertools.product((0.0, -0.05, -0.1, -0.2, -0.3), (0.02, 0.05, 0.1, 0.2)):
        gain, loss = more / 2, more / 2 - difference
        neither = count - first - second
        chances = np.exp(ways + first * np.log(gain) + second * np.log(loss) + neither * np.log(1 - gain - loss))
        found.append(float(chances[(low <= difference + _SAME) & (difference - _SAME <= high)].sum()))
    return found


def scene_coverage(scenes: int, size: int, share: float, alike: float) -> tuple[float, float]:
    """The exact coverage of an accuracy where images come in scenes: with, and without accounting for them.

    With probability `alike` a scene's images are right together, and else each is right by itself.
    """
    rights = np.arange(size + 1)
    chances = (1 - alike) * binom.pmf(rights, size, share)
    chances[0] += alike * (1 - share)
    chances[size] += alike * share
    number = Scenes(np.repeat(np.arange(scenes), size))
    covered = naive = 0.0
    for times in _compositions(scenes, size + 1):
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(times > 0, times * np.log(chances) - gammaln(times + 1), 0.0)
        chance = float(np.exp(gammaln(scenes + 1) + logs.sum()))
        if chance < _RARE:
            continue
        of_scene = np.repeat(rights, times)
        right = (np.arange(size) < of_scene[:, None]).ravel()
        accuracy = float(right.mean())
        low, high = intervals.wilson(accuracy, number.effective(of_shares(right, number)))
        covered += chance * (low - _SAME <= share <= high + _SAME)
        low, high = intervals.wilson(accuracy, len(right))
        naive += chance * (low - _SAME <= share <= high + _SAME)
    return covered, naive


def _compositions(total: int, parts: int) -> Iterator[np.ndarray[Any, Any]]:
    """Every way to divide `total` scenes into so many kinds."""
    for bars in itertools.combinations(range(total + parts - 1), parts - 1):
        edges = np.array([-1, *bars, total + parts - 1])
        yield np.diff(edges) - 1


def as_markdown() -> str:
    """The page as it is, with the tables made anew."""
    page = PAGE.read_text(encoding="utf-8")
    for name, rows in (("wilson", _wilson()), ("paired", _paired()), ("scenes", _scenes())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        after = rest.split(end)[1]
        page = before + begin + "\n" + "\n".join(rows) + "\n\n" + end + after
    return page


def _wilson() -> Iterator[str]:
    yield "| images | mean | lowest, at n and p | highest | below 0.93 | above 0.97 | modified: lowest, highest | out |"
    yield "|---|---|---|---|---|---|---|---|"
    for first, last in COUNTS:
        plain = np.array([wilson_coverage(count) for count in range(first, last + 1)])
        other = np.array([wilson_coverage(count, modified=True) for count in range(first, last + 1)])
        count, share = np.unravel_index(plain.argmin(), plain.shape)
        yield (
            f"| {first} to {last} | {plain.mean():.3f} | {plain.min():.3f}, {first + count} and {SHARES[share]:.2f} "
            f"| {plain.max():.3f} | {(plain < 0.93).mean():.1%} | {(plain > 0.97).mean():.1%} "
            f"| {other.min():.3f}, {other.max():.3f} | {((other < 0.93) | (other > 0.97)).mean():.1%} |"
        )


def _paired() -> Iterator[str]:
    yield "| images | mean | lowest | highest |"
    yield "|---|---|---|---|"
    for count in (20, 33, 50, 100, 200, 500):
        found = paired_coverage(count)
        yield f"| {count} | {np.mean(found):.3f} | {min(found):.3f} | {max(found):.3f} |"


def _scenes() -> Iterator[str]:
    yield "| scenes | accuracy | right together 0 | 0.5 | 0.8 | 1 |"
    yield "|---|---|---|---|---|---|"
    for scenes, share in itertools.product((12, 20), (0.7, 0.85, 0.95)):
        cells = [scene_coverage(scenes, 3, share, alike) for alike in (0.0, 0.5, 0.8, 1.0)]
        yield f"| {scenes} of 3 | {share} | " + " | ".join(f"{one:.3f} ({naive:.3f})" for one, naive in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(as_markdown(), encoding="utf-8")
