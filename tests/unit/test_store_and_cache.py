"""Nothing twice: blobs by content, results by the content of their inputs."""

import os
import stat
from pathlib import Path

import pytest

from harness.errors import MachineError
from harness.files.user_folders import default_folder
from harness.stages.cache import StageCache, canonical
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def audit(count: int) -> Done[DatasetAudit]:
    return Done(value=DatasetAudit(classes={"mug": count}, unreadable=()))


def test_a_blob_is_kept_once_whatever_its_name(store: Store, tmp_path: Path):
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"same")
    one, two = store.put(tmp_path / "a", "a.txt"), store.put(tmp_path / "b", "b.txt")
    assert store.path(one) == store.path(two)
    assert store.path(one).read_bytes() == b"same"
    assert (one.name, one.bytes) == ("a.txt", 4)


def test_a_stage_runs_once_for_the_same_inputs(store: Store):
    runs = []

    def work() -> Done[DatasetAudit]:
        runs.append(1)
        return audit(len(runs))

    first = StageCache(store, "env").run("audit", {"a": 1, "b": 2}, DatasetAudit, work)
    again = StageCache(store, "env").run("audit", {"b": 2, "a": 1}, DatasetAudit, work)
    assert (first.cached, again.cached) == (False, True)
    assert first.result == again.result
    for cache, inputs in (
        (StageCache(store, "env"), {"a": 2, "b": 2}),
        (StageCache(store, "other"), {"a": 1, "b": 2}),
        (StageCache(store, "env", force=True), {"a": 1, "b": 2}),
    ):
        assert not cache.run("audit", inputs, DatasetAudit, work).cached
    assert len(runs) == 4


def test_force_runs_a_stage_again_once_and_not_for_everyone_who_asks(store: Store):
    """The course's own images are asked for by every submission of a run."""
    runs = []

    def work():
        runs.append(1)
        return audit(5)

    StageCache(store, "env").run("audit", 1, DatasetAudit, work)
    forced = StageCache(store, "env", force=True)
    for _ in range(3):
        forced.run("audit", 1, DatasetAudit, work)
    assert len(runs) == 2


def test_a_hand_ins_failure_is_kept_and_an_exception_is_not(store: Store):
    cache = StageCache(store, "env")
    failure = Failed(status="timeout", reason="It did not end.")
    cache.run("audit", 1, DatasetAudit, lambda: failure)
    assert cache.run("audit", 1, DatasetAudit, lambda: audit(1)).result == failure
    with pytest.raises(ZeroDivisionError):
        cache.run("audit", 2, DatasetAudit, lambda: 1 / 0)
    assert not cache.run("audit", 2, DatasetAudit, lambda: audit(1)).cached


def test_a_damaged_entry_or_a_lost_blob_means_doing_it_again(store: Store, tmp_path: Path):
    cache = StageCache(store, "env")
    (tmp_path / "nb").write_bytes(b"{}")
    blob = store.put(tmp_path / "nb", "executed.ipynb")
    ran = Execution(notebook=blob, code_cells=1, executed_cells=1, errors=(), produced=())
    cache.run("execute", 1, Execution, lambda: Done(value=ran))
    assert cache.run("execute", 1, Execution, lambda: Done(value=ran)).cached
    store.path(blob).unlink()
    assert not cache.run("execute", 1, Execution, lambda: Done(value=ran)).cached
    for kept in (store.folder / "results").rglob("*"):
        if kept.is_file():
            kept.write_bytes(b'{"status": "ok"')
    store.put(tmp_path / "nb", "executed.ipynb")
    assert not cache.run("execute", 1, Execution, lambda: Done(value=ran)).cached


def test_keys_refuse_what_has_no_content(store: Store):
    assert canonical({"b": 1, "a": Blob(name="n", sha256="s", bytes=1)})
    for nothing in (object(), Path("/x")):  # what lies at a path may change
        with pytest.raises(TypeError):
            canonical({"a": nothing})


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError) as caught:
        Store(tmp_path / "file" / "store")
    assert "HARNESS_CACHE" in caught.value.do


def test_where_results_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("HARNESS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "harness"


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_what_is_mounted_can_be_read_by_the_sandbox_and_results_by_their_owner(tmp_path: Path, mask: int):
    """A blob is mounted, and the sandbox has a user of its own; the folders above are closed to everybody else."""
    before = os.umask(mask)
    try:
        store = Store(tmp_path / "store")
        (tmp_path / "a").write_bytes(b"x")
        (tmp_path / "a").chmod(0o600)
        blob = store.put(tmp_path / "a", "a")
        store.keep("ab" * 32, b"{}")
    finally:
        os.umask(before)

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    [result] = (path for path in (store.folder / "results").rglob("*") if path.is_file())
    assert (mode(store.path(blob)), mode(result)) == (0o644, 0o600)
    assert [mode(store.folder / name) for name in ("", "blobs", "results")] == [0o700] * 3


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path):
    for who in (0o020, 0o002):
        folder = tmp_path / f"{who}"
        Store(folder)
        (folder / "blobs").chmod(0o700 | who)
        with pytest.raises(MachineError, match="other users may write"):
            Store(folder)
        (folder / "blobs").chmod(0o755)
        Store(folder)
