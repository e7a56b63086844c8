"""How far a training came, by what an executed notebook shows; and the same notebook with fewer epochs.

`pace FILE` prints `[done, total]`, epochs of all trainings that began, or `null`. `fewer FILE SHARE TARGET` writes the
notebook with every `epochs = N` as that share of N, at least 1, and prints whether anything changed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_SHOWN = re.compile(r"\bepoch\D{0,3}(\d{1,5})\s*(?:/|of)\s*(\d{1,5})\b", re.IGNORECASE)
_SET = re.compile(r"\b((?:n_?|num_?|max_?|nb_?)?epochs?\s*=\s*)(\d{1,5})\b", re.IGNORECASE)


def main(what: str, file: str, share: str = "", target: str = "") -> None:
    if what == "pace":
        print(json.dumps(pace(Path(file).read_bytes())))
        return
    fewer = with_fewer_epochs(Path(file).read_bytes(), float(share))
    if fewer is not None:
        Path(target).write_bytes(fewer)
    print(json.dumps(fewer is not None))


def pace(executed: bytes) -> tuple[int, int] | None:
    """Epochs that were finished and those of all trainings that began, by lines `Epoch 3/30`; None when none was."""
    shown = [(int(a), int(b)) for text in _outputs(executed) for a, b in _SHOWN.findall(text)]
    trainings: list[tuple[int, int]] = []
    for number, total in shown:
        if trainings and trainings[-1][1] == total and number >= trainings[-1][0]:
            trainings[-1] = (number, total)
        else:
            trainings.append((number, total))
    if not trainings:
        return None
    done = sum(number for number, _ in trainings) - 1  # the last line is of an epoch that was under way
    total = sum(total for _, total in trainings)
    return (done, total) if 0 < done < total else None


def with_fewer_epochs(notebook: bytes, share: float) -> bytes | None:
    """The notebook with fewer epochs; None when nothing would change."""
    document = _parsed(notebook)
    if document is None:
        return None
    changed = False
    for cell in document["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = _text(cell.get("source"))
        fewer = _SET.sub(lambda found: f"{found[1]}{max(1, int(int(found[2]) * share))}", source)
        changed = changed or fewer != source
        cell["source"] = fewer
    return json.dumps(document).encode() if changed else None


def _outputs(executed: bytes) -> list[str]:
    document = _parsed(executed) or {"cells": []}
    cells = [cell for cell in document["cells"] if isinstance(cell, dict)]
    outputs = [output for cell in cells for output in cell.get("outputs") or [] if isinstance(output, dict)]
    return [_text(output.get("text")) for output in outputs if output.get("output_type") == "stream"]


def _parsed(notebook: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(notebook)
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(document, dict) and isinstance(document.get("cells"), list)
    return document if is_one else None


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
