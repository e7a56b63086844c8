"""`!wget`, `!curl`, `!gdown`, `!kaggle`, `!git clone`: there is no network while grading."""

from __future__ import annotations

import re

from ..cell import comment_out, in_shell_cell, shell_lines
from ..rule_context import Setting

TITLE = "Downloads are left out: there is no network, and the assignment's data and weights are given"
ON = True

_DOWNLOAD = re.compile(
    r"(?:^|&&|;|\|)\s*(?:sudo\s+)?(wget|curl|gdown|aria2c|kaggle|git\s+clone|git\s+lfs|gsutil|aws\s+s3|rclone|axel)\b"
)
_ADDRESS = re.compile(r"(?:https?|ftp|gs|s3)://[^\s'\"]+")


def apply(source: str, setting: Setting) -> str:
    def change(command: str) -> str | None:
        found = _DOWNLOAD.search(command)
        if found is None:
            return None
        address = _ADDRESS.search(command)
        setting.note("download-left-out", address[0] if address else command)
        return f": not run: {command}" if in_shell_cell(source) else comment_out(f"!{command}")

    return shell_lines(source, change)
