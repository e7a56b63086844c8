"""When a stranger's git repository was last committed to: read by `apart/submissions/commit_time.py`."""

from __future__ import annotations

import datetime
from pathlib import Path

from harness.inputs.submissions.child import Unreadable, ask_alone, path_text


def last_commit(git_folder: Path) -> datetime.datetime | None:
    """The committer's time of HEAD, with its zone; None when the repository is empty or cannot be read."""
    try:
        at = ask_alone("last commit", folder=path_text(git_folder.absolute()))
        return datetime.datetime.fromisoformat(at) if isinstance(at, str) else None
    except (Unreadable, ValueError):
        return None
