"""The user's cache folder of the harness."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from harness.errors import MachineError


def default_folder() -> Path:
    """$HARNESS_CACHE, else the user's cache folder, `harness` in it: on Linux $XDG_CACHE_HOME, else ~/.cache.

    Where another system keeps caches elsewhere, an existing ~/.cache/harness of an earlier version is still used.
    Raises `MachineError` when there is no home folder either.
    """
    if given := os.environ.get("HARNESS_CACHE"):
        return Path(given).resolve()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).resolve() / "harness"
    try:
        earlier = Path.home().resolve() / ".cache" / "harness"
    except RuntimeError as error:
        raise MachineError(
            "there is no home folder to keep results in", "set HARNESS_CACHE to a folder that you may write"
        ) from error
    return earlier if earlier.is_dir() else platformdirs.user_cache_path("harness", appauthor=False).resolve()
