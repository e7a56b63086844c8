"""What a run keeps is its owner's only, and what somebody else may have put there is not believed."""

import os
import stat
from pathlib import Path

import pytest
from example_evidence import benchmark, conversion, evaluation, evidence

from harness.errors import MachineError
from harness.files.private import keep_to_owner, private_file, private_folder
from harness.gradebook.database import Gradebook
from harness.grading.reference import write
from harness.inputs.assignment.limits import ResourceLimits
from harness.sandbox.none import NoProtection
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_the_callers_umask_counts_only_where_it_is_stricter(umask: int, tmp_path: Path):
    keep_to_owner()
    (tmp_path / "file").touch()
    assert mode(tmp_path / "file") == 0o600
    os.umask(0o277)
    keep_to_owner()
    (tmp_path / "other").touch()
    assert mode(tmp_path / "other") == 0o400


def test_folders_and_files_are_closed_whatever_they_were(umask: int, tmp_path: Path):
    (tmp_path / "old").mkdir(mode=0o777)
    (tmp_path / "old.txt").touch(mode=0o666)
    assert [mode(private_folder(tmp_path / name)) for name in ("new", "old")] == [0o700, 0o700]
    assert [mode(private_file(tmp_path / name)) for name in ("new.txt", "old.txt")] == [0o600, 0o600]


def test_store_and_gradebook_are_the_owners(umask: int, tmp_path: Path):
    store = Store(tmp_path / "deep" / "store")
    (tmp_path / "file").write_text("content")
    blob = store.put(tmp_path / "file", "file")
    store.keep("ab" * 32, b"{}")
    Gradebook(tmp_path / "book.sqlite")
    assert mode(store.folder) == mode(store.folder / "blobs") == mode(store.folder / "results") == 0o700
    assert mode(store.path(blob).parent) & 0o077 == 0
    assert mode(tmp_path / "book.sqlite") == 0o600


def test_a_trained_references_files_are_the_owners_even_over_older_ones(umask: int, tmp_path: Path):
    store = Store(tmp_path / "store")
    (tmp_path / "model").write_text("weights")
    made = conversion(model=store.put(tmp_path / "model", "model.onnx"))
    predict = evidence().predict
    assert isinstance(predict, Done)
    reference = Reference(
        backbone="mobilenet_v2", conversion=made, predictions=predict.value, evaluation=evaluation(),
        latency=benchmark().model, training_seconds=1.0, seed=0,
    )  # fmt: skip
    folder = tmp_path / "baseline"
    folder.mkdir()
    names = ("model.onnx", "labels.txt", "handin.json", "baseline.json")
    for name in names:
        (folder / name).touch()
        (folder / name).chmod(0o666)
    write(reference, StageContext(NoProtection(), store, ResourceLimits()), folder)
    assert {name: mode(folder / name) for name in names} == dict.fromkeys(names, 0o600)
    assert (folder / "model.onnx").read_text() == "weights" and len(list(folder.iterdir())) == len(names)


@as_root
@pytest.mark.parametrize("part", [".", "blobs", "results"])
def test_a_store_of_another_user_is_refused(tmp_path: Path, part: str):
    folder = Store(tmp_path / "store").folder
    os.chown(folder / part, 65534, 65534)
    with pytest.raises(MachineError, match="belongs to another user") as caught:
        Store(folder)
    assert caught.value.exit_status == 3


@pytest.mark.parametrize("part", [".", "blobs", "results"])
@pytest.mark.parametrize("writable", [0o020, 0o002], ids=oct)
def test_a_store_that_others_can_write_is_refused(tmp_path: Path, part: str, writable: int):
    folder = Store(tmp_path / "store").folder
    (folder / part).chmod(0o700 | writable)
    with pytest.raises(MachineError, match="other users may write there"):
        Store(folder)


def test_a_kept_file_that_was_changed_is_not_used(tmp_path: Path):
    store = Store(tmp_path / "store")
    (tmp_path / "file").write_text("what was kept")
    blob = store.put(tmp_path / "file", "file")
    store.path(blob).write_text("what was made of it")
    assert not store.has(blob)
    with pytest.raises(MachineError, match="was changed"):
        store.path(blob)
    assert store.put(tmp_path / "file", "file") == blob  # kept anew
    assert store.path(blob).read_text() == "what was kept"


def test_a_change_in_the_time_of_a_run_is_seen_as_well(tmp_path: Path):
    """Also one that keeps size and time of change."""
    store = Store(tmp_path / "store")
    (tmp_path / "file").write_text("right")
    blob = store.put(tmp_path / "file", "file")
    place = store.path(blob)
    times = place.stat()
    place.write_text("wrong")
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not store.has(blob)


def test_a_kept_result_that_was_changed_is_done_again(tmp_path: Path):
    store = Store(tmp_path / "store")

    def run(count: int):
        made = Done(value=DatasetAudit(classes={"mug": count}, unreadable=()))
        return StageCache(store, "env").run("audit", 1, DatasetAudit, lambda: made)

    run(1)
    assert run(2).cached
    files = [path for path in (store.folder / "results").rglob("*") if path.is_file()]
    [kept] = [path for path in files if b'"mug":1' in path.read_bytes()]
    kept.write_bytes(kept.read_bytes().replace(b'"mug":1', b'"mug":9'))
    assert not run(2).cached
    assert run(3).result.value.classes == {"mug": 2}
