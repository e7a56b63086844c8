"""What `tox -e boards` runs: the figures of docs/boards.md again, or with the argument `write` the page itself."""

from __future__ import annotations

import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

from harness.bench.boards import evaluation, published

PAGE = Path(__file__).parent.parent / "docs" / "boards.md"


def main(arguments: list[str]) -> int:
    """0 when no figure is worse than the page says."""
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
