"""When a stranger's git repository was last committed to, read without git.

Git would read the repository's own .git/config, and that can name programs to run. So of dulwich only what reads
references and objects is used, never its `Repo`, which reads configuration and goes where a `.git` file or `commondir`
says. Nothing outside the folder is read: no link is followed, no absolute reference and no alternate store of objects.
What a commit says of its time is its committer's own claim.
"""

from __future__ import annotations

import datetime
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dulwich.object_store import BaseObjectStore, DiskObjectStore
from dulwich.objects import Commit
from dulwich.refs import HEADREF, DiskRefsContainer, Ref, check_ref_format

from .sources import Unreadable

_READ = ("HEAD", "packed-refs", "refs", "objects")


def last_commit(git_folder: Path) -> datetime.datetime:
    """The committer's time of HEAD, with its zone. Raises `Unreadable`, or what dulwich does, when it has none."""
    if not git_folder.is_dir() or git_folder.is_symlink():
        raise Unreadable(".git is no folder")
    for path in _below(git_folder):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise Unreadable(".git holds a link or a special file")
    id = _References(os.fspath(git_folder))[HEADREF]
    with closing(_Objects(os.fspath(git_folder / "objects"))) as objects:
        commit = objects[id]
    if not isinstance(commit, Commit):
        raise Unreadable("HEAD is no commit")
    zone = datetime.timezone(datetime.timedelta(seconds=commit.commit_timezone))
    return datetime.datetime.fromtimestamp(commit.commit_time, zone)


def _below(git_folder: Path) -> Iterator[Path]:
    """What may be read, links not followed."""
    for name in _READ:
        top = git_folder / name
        if os.path.lexists(top):
            yield top
            for folder, folders, files in os.walk(top):
                yield from (Path(folder) / name for name in (*folders, *files))


class _References(DiskRefsContainer):
    def read_loose_ref(self, name: Ref) -> bytes | None:
        """Its content. Raises `Unreadable` for a name that leads out of `refs`: dulwich checks only names it writes."""
        if name != HEADREF and not (name.startswith(b"refs/") and check_ref_format(name)):
            raise Unreadable("HEAD names no branch")
        return super().read_loose_ref(name)


class _Objects(DiskObjectStore):
    @property
    def alternates(self) -> list[BaseObjectStore]:
        """None: they are folders anywhere on this machine."""
        return []
