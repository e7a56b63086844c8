"""`google.colab`: a stand-in of that package lies where the kernel imports it from (`agent/site/stand_ins`)."""

from __future__ import annotations

import re

from ..rule_context import Setting

TITLE = "google.colab is a stand-in: mounting a drive, uploading and downloading do nothing and say so"
ON = True

STAND_IN = "google_colab"  # folder in agent/site/stand_ins, put on the kernel's PYTHONPATH

_SHOWN = re.compile(r"\bgoogle\.colab\b")


def apply(source: str, setting: Setting) -> str:
    if _SHOWN.search(source):
        setting.note("colab-stand-in", "google.colab")
    return source
