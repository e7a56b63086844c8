"""Renders the images of an example on all cores, and again only when what draws them has changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

Job = TypeVar("Job")
_STAMP = ".rendered"
_SAID_EVERY = 50  # images


def rendered(
    out: Path, code: Iterable[Path], seed: int, lay_out: Callable[[], Sequence[Job]], render: Callable[[Job], None]
) -> bool:
    """Call `render` for each job of `lay_out`, which makes the folders anew. False when the images were there already.

    `code`: the files that decide what is drawn. How far it is stands on stderr: `50/280 images`.
    """
    wanted, stamp = _identity(code, seed), out / _STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    stamp.unlink(missing_ok=True)
    jobs = lay_out()
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.imap_unordered(render, jobs, chunksize=4), 1):
            if done % _SAID_EVERY == 0 or done == len(jobs):
                print(f"{done}/{len(jobs)} images", file=sys.stderr)
    stamp.write_text(wanted)
    return True


def _identity(code: Iterable[Path], seed: int) -> str:
    digest = hashlib.sha256()
    for file in code:
        digest.update(file.read_bytes())
    return f"{digest.hexdigest()} seed {seed}\n"
