"""Folders of pytest's own are closed to other users; the sandbox's own user is one."""

from __future__ import annotations

from pathlib import Path


def readable_to_the_sandbox(folder: Path) -> Path:
    """The folder, which the sandbox's own user can now reach."""
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    return folder
