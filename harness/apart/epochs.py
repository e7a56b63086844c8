"""Reads from an executed notebook how far its training came, and rewrites a notebook with fewer epochs.

`pace FILE` prints `[done, total]`, the epochs of all trainings that began, or `null`. `fewer FILE SHARE TARGET` writes
the notebook with every `epochs = N` reduced to that share of N, at least 1, and prints whether anything changed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from .notebook_file import NoNotebook, cells, is_code, outputs, read, source, source_key, text

_LARGEST = 64 * 2**20  # bytes
_SHOWN = re.compile(r"\bepoch\D{0,3}(\d{1,5})\s*(?:/|of)\s*(\d{1,5})\b", re.IGNORECASE)
_SET = re.compile(r"\b((?:n_?|num_?|max_?|nb_?)?epochs?\s*=\s*)(\d{1,5})\b", re.IGNORECASE)


def main(what: str, file: str, share: str = "", target: str = "") -> None:
    if what == "pace":
        print(json.dumps(pace(Path(file))))
        return
    fewer = with_fewer_epochs(Path(file), float(share))
    if fewer is not None:
        Path(target).write_bytes(fewer)
    print(json.dumps(fewer is not None))


def pace(executed: Path) -> tuple[int, int] | None:
    """Finished epochs, and planned epochs of all trainings that began, by lines `Epoch 3/30`; None without any."""
    shown = [(int(a), int(b)) for said in _outputs(executed) for a, b in _SHOWN.findall(said)]
    trainings: list[tuple[int, int]] = []
    for number, total in shown:
        if trainings and trainings[-1][1] == total and number >= trainings[-1][0]:
            trainings[-1] = (number, total)
        else:
            trainings.append((number, total))
    if not trainings:
        return None
    done = sum(number for number, _ in trainings) - 1  # the last line's epoch was not finished
    total = sum(total for _, total in trainings)
    return (done, total) if 0 < done < total else None


def with_fewer_epochs(notebook: Path, share: float) -> bytes | None:
    """The notebook's bytes with fewer epochs; None when nothing would change."""
    try:
        document = read(notebook, _LARGEST)
    except NoNotebook:
        return None
    changed = False
    for cell in filter(is_code, cells(document)):
        before = source(cell)
        fewer = _SET.sub(lambda found: f"{found[1]}{max(1, int(int(found[2]) * share))}", before)
        changed = changed or fewer != before
        cell[source_key(cell)] = fewer
    return json.dumps(document).encode() if changed else None


def _outputs(executed: Path) -> list[str]:
    try:
        document = read(executed, _LARGEST)
    except NoNotebook:
        return []
    shown = [output for cell in cells(document) for output in outputs(cell)]
    return [text(output.get("text")) for output in shown if output.get("output_type") == "stream"]
