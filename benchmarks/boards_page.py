"""`tox -e boards`: computes the figures of docs/boards.md and compares them, or with `write` writes the page."""

from __future__ import annotations

import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

from harness.bench.boards import evaluation, published

PAGE = Path(__file__).parent.parent / "docs" / "boards.md"


def main(arguments: list[str]) -> int:
    """Return 0 when no figure is worse than on the page."""
    with threadpool_limits(1):
        found = evaluation.evaluate(published.PUBLISHED, print)
    if arguments == ["write"]:
        PAGE.write_text(evaluation.as_markdown(found), encoding="utf-8")
        return 0
    worse = evaluation.worse(found, PAGE.read_text(encoding="utf-8"))
    for line in worse:
        print(f"worse than {PAGE.name}: {line}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
