"""The last commit's time is read from real repositories without git, and a hostile one leads nowhere."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from downloads import NOTEBOOK, unpacked

from harness.inputs.submissions import collect
from harness.inputs.submissions.commit_time import last_commit

LONG = "A message that commits share, long enough for git to keep most as changes to another. " * 20
WHEN = "2025-11-03T12:34:56+01:00"


def git(folder: Path, *arguments: str, when: str = WHEN, author: str = "") -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GIT_COMMITTER_DATE": when,
        "GIT_AUTHOR_DATE": author or WHEN,  # else how git packs them depends on how long this takes
    }
    return subprocess.check_output(["git", "-C", str(folder), *arguments], env=environment, text=True, timeout=60)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "lab-anna"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for number in range(40):
        (folder / "notebook.ipynb").write_text(str(number))
        git(folder, "add", ".")
        when = f"2025-11-0{1 + number // 20}T12:{number:02}:00+0{number % 3}:00" if number < 39 else WHEN
        author = f"2025-11-01T10:00:{number // 8:02}+00:00"
        git(folder, "commit", "-q", "-m", f"Number {number}\n\n{LONG}", when=when, author=author)
    return folder


def test_of_loose_objects(repository: Path):
    assert last_commit(repository / ".git") == datetime.datetime.fromisoformat(WHEN)


def test_of_commits_in_a_pack_whole_and_as_a_change_to_another(repository: Path):
    git(repository, "gc", "-q", "--aggressive")
    [index] = (repository / ".git/objects/pack").glob("*.idx")
    listed = [line.split() for line in git(repository, "verify-pack", "-v", str(index)).splitlines()]
    whole = [one[0] for one in listed if len(one) == 5 and one[1] == "commit"]
    changes = {int(one[5]): one[0] for one in listed if len(one) == 7 and one[1] == "commit"}
    assert whole and max(changes) > 1, "no commit is a change to a change"
    for id in (whole[0], changes[1], changes[max(changes)]):
        (repository / ".git/HEAD").write_text(f"{id}\n")
        when = git(repository, "show", "-s", "--format=%cI", id).strip()
        assert last_commit(repository / ".git") == datetime.datetime.fromisoformat(when)


def test_of_a_packed_branch(repository: Path):
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git/refs/heads/main").exists()
    assert last_commit(repository / ".git") == datetime.datetime.fromisoformat(WHEN)


def test_an_empty_repository_has_none(tmp_path: Path):
    git(tmp_path, "init", "-q", "-b", "main")
    assert last_commit(tmp_path / ".git") is None


def _outside(repository: Path, path: str) -> None:
    """Move a part of .git away and leave a link to it."""
    there, here = repository.parent / "outside", (repository / ".git").joinpath(path)
    shutil.move(here, there)
    here.symlink_to(there)


@pytest.mark.parametrize("path", ["HEAD", "refs/heads/main", "refs/heads", "objects", "."])
def test_links_are_not_followed(repository: Path, path: str):
    _outside(repository, path)
    assert last_commit(repository / ".git") is None


def test_of_a_branch_with_any_name_git_takes(repository: Path):
    for name in ("fix#1", "übung/4", "a@b+c"):
        git(repository, "checkout", "-q", "-b", name)
        assert last_commit(repository / ".git") == datetime.datetime.fromisoformat(WHEN)


def test_of_a_branch_that_is_another_name_of_one(repository: Path):
    git(repository, "symbolic-ref", "refs/heads/other", "refs/heads/main")
    git(repository, "symbolic-ref", "HEAD", "refs/heads/other")
    assert last_commit(repository / ".git") == datetime.datetime.fromisoformat(WHEN)


def test_of_a_shallow_clone(repository: Path):
    clone = repository.parent / "clone"
    git(repository.parent, "clone", "-q", "--depth", "1", repository.as_uri(), str(clone))
    assert last_commit(clone / ".git") == datetime.datetime.fromisoformat(WHEN)


def test_another_folders_objects_are_not_read(repository: Path):
    """A clone that borrows them, and a working tree whose .git is a file that says where: each would lead outside."""
    clone = repository.parent / "clone"
    git(repository.parent, "clone", "-q", "--shared", str(repository), str(clone))
    assert (clone / ".git/objects/info/alternates").exists()
    assert last_commit(clone / ".git") is None
    tree = repository.parent / "tree"
    git(repository, "worktree", "add", "-q", str(tree))
    assert (tree / ".git").is_file()
    assert last_commit(tree / ".git") is None
    inner = repository / ".git/worktrees/tree"
    assert (inner / "commondir").exists()
    assert last_commit(inner) is None


@pytest.mark.parametrize(
    "head",
    [
        "ref: refs/../../../etc/passwd", "ref: /etc/passwd", "ref: /dev/stdin", "ref: HEAD", "x" * 10**6, "", "\x00",
        "0" * 40,
    ],
)  # fmt: skip
def test_a_head_that_leads_elsewhere_leads_nowhere(repository: Path, head: str):
    (repository / ".git/HEAD").write_text(head)
    assert last_commit(repository / ".git") is None


def test_a_pipe_is_not_waited_for(repository: Path):
    (repository / ".git/refs/heads/main").unlink()
    os.mkfifo(repository / ".git/refs/heads/main")
    assert last_commit(repository / ".git") is None


def test_a_commit_that_unpacks_to_a_gigabyte_has_none(repository: Path):
    """The process that reads it has memory for less."""
    id = "ab" + "0" * 38
    folder = repository / ".git/objects/ab"
    folder.mkdir(exist_ok=True)
    packer = zlib.compressobj(1)
    piece = bytes(10**7)
    with (folder / id[2:]).open("wb") as file:
        file.write(packer.compress(b"commit 1100000000\0"))
        for _ in range(110):
            file.write(packer.compress(piece))
        file.write(packer.flush())
    (repository / ".git/HEAD").write_text(id)
    assert last_commit(repository / ".git") is None


def test_of_a_pack_larger_than_the_memory_of_the_process_that_reads_it(repository: Path):
    """A clone with data sets in it. The pack has a hole of three gigabytes, which no disk has to hold."""
    git(repository, "gc", "-q")
    [pack] = (repository / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    checksum = pack.read_bytes()[-20:]
    with pack.open("r+b") as file:
        file.seek(3 << 30)
        file.write(checksum)
    assert last_commit(repository / ".git") == datetime.datetime.fromisoformat(WHEN)


def test_a_damaged_pack_has_none(repository: Path):
    git(repository, "gc", "-q")
    for file in (repository / ".git/objects/pack").iterdir():
        content = file.read_bytes()
        file.chmod(0o644)
        for kept in (0, 20, 1100):
            file.write_bytes(content[:kept])
            assert last_commit(repository / ".git") is None or file.suffix not in (".idx", ".pack")
        file.write_bytes(content)
    assert last_commit(repository / ".git") is not None


def test_a_repositorys_configuration_and_hooks_are_never_run(repository: Path, tmp_path: Path):
    marker = tmp_path / "ran"
    program = f"touch {marker}; cat"
    config = f"[core]\n\tfsmonitor = {program}\n\tpager = {program}\n\tsshCommand = {program}\n[include]\n\tpath = /x\n"
    (repository / ".git/config").write_text(config)
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    (tmp_path / "work").mkdir()
    given = tmp_path / "given"
    given.mkdir()
    shutil.move(repository, given / "lab-anna")
    shutil.copytree(given / "lab-anna", given / "lab-piet", symlinks=True)
    found = {one.student: one for one in collect(given, tmp_path / "work")}
    assert set(found) == {"anna", "piet"}
    assert found["anna"].origin.handed_in == datetime.datetime.fromisoformat(WHEN)
    assert "committer" in found["anna"].origin.clock
    assert not marker.exists()
    assert not list((tmp_path / "work").rglob(".git"))


def test_the_assignments_name_comes_from_the_wrapping_folder(tmp_path: Path):
    """With one clone, or users whose names begin alike, only `<assignment>-submissions` tells them apart."""
    given = tmp_path / "lab-1-submissions"
    unpacked({f"lab-1-{user}/notebook.ipynb": NOTEBOOK for user in ("uni-anna", "uni-piet")}, given)
    for folder in given.iterdir():
        git(folder, "init", "-q")
    (tmp_path / "work").mkdir()
    assert {one.student for one in collect(given, tmp_path / "work")} == {"uni-anna", "uni-piet"}
