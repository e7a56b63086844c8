"""Which model is taken of what a notebook wrote."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.agent.notebook.produced import Produced, Wanted, produced
from harness.inputs.submissions.companions import COMPANION_NAMES
from harness.inputs.submissions.parts import MODEL_SUFFIXES, SAVED_MODEL


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The folder in which the notebook ran, the submission, and a folder to pack in."""
    folders = (tmp_path / "work", tmp_path / "handed-in", tmp_path / "scratch")
    for folder in folders:
        folder.mkdir()
    return folders


def write(file: Path, content: str = "x") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def wanted(**changes: int) -> Wanted:
    return replace(Wanted(MODEL_SUFFIXES, SAVED_MODEL, COMPANION_NAMES, 6, 12, 10**6), **changes)


def sent(places: tuple[Path, Path, Path], **changes: int) -> dict[str, Produced]:
    work, handed_in, scratch = places
    return produced(work, (handed_in,), scratch, wanted(**changes))


def found(places: tuple[Path, Path, Path], **changes: int) -> dict[str, Path]:
    """What the student calls it -> the file."""
    return {one.path: one.file for one in sent(places, **changes).values()}


def test_a_folder_that_tensorflow_saved_is_one_zip_of_its_plain_files(places: tuple[Path, Path, Path]):
    work = places[0]
    write(work / "export/1/saved_model.pb", "graph")
    write(work / "export/1/variables/variables.index", "index")
    write(work / "labels.txt", "cat\ndog")
    secret = write(places[1].parent / "secret")
    (work / "export/1/assets").symlink_to(secret)
    os.mkfifo(work / "export/1/variables/pipe")
    made = sent(places)
    assert {name: one.path for name, one in made.items()} == {
        "saved_model-0.zip": "export/1",
        "beside-0.txt": "labels.txt",
    }
    with zipfile.ZipFile(made["saved_model-0.zip"].file) as archive:
        assert sorted(archive.namelist()) == ["saved_model.pb", "variables/variables.index"]
        assert archive.read("saved_model.pb") == b"graph"


def test_a_file_of_a_model_comes_before_a_folder(places: tuple[Path, Path, Path]):
    write(places[0] / "saved_model.pb")
    model = write(places[0] / "final.h5")
    assert list(found(places)) == ["final.h5", "saved_model"] and found(places)["final.h5"] == model


def test_a_folder_that_was_handed_in_counts_when_its_weights_are_new(places: tuple[Path, Path, Path]):
    """The graph of a SavedModel is the same after another training."""
    work, handed_in, _ = places
    for place in (handed_in, work):
        write(place / "export/saved_model.pb", "graph")
        write(place / "export/variables/variables.data-00000-of-00001", "weights")
    write(work / "export/assets/note.txt", "new")
    assert found(places) == {}
    write(work / "export/variables/variables.data-00000-of-00001", "others")
    assert set(found(places)) == {"export"}


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(name: str, content: bytes, mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


MODEL = bytes(range(256)) * 20
HANDED_IN = {  # name -> what was handed in, of which the notebook makes /work/.../model.onnx
    "model.onnx": MODEL,
    "notes.bin": MODEL,
    ".cache/deep/er/still/and/more/below/x": MODEL,
    "data.zip": packed({"a/b.txt": MODEL}),
    "data.tar": tarred("x", MODEL, "w"),
    "data.tar.xz": tarred("x", MODEL, "w:xz"),
    "data.gz": gzip.compress(MODEL),
    "data.bz2": bz2.compress(MODEL),
    "data.xz": lzma.compress(MODEL),
}


@pytest.mark.parametrize("name", HANDED_IN)
def test_what_was_there_before_is_not_made(name: str, places: tuple[Path, Path, Path]):
    """Touched, renamed, copied, written again or unpacked: times say nothing, the content was there."""
    work, handed_in, _ = places
    for place in (work, handed_in):
        write(place / name).write_bytes(HANDED_IN[name])
    made = work / "out/model.onnx"
    write(made).write_bytes(MODEL)
    os.utime(made)
    assert found(places) == {}
    made.write_bytes(MODEL + b"x")
    assert found(places) == {"out/model.onnx": made}


def test_an_archive_that_is_packed_anew_is_what_it_holds(places: tuple[Path, Path, Path]):
    """A torch or Keras file is a zip; the same tensors in another order, under other names, are no new model."""
    work, handed_in, _ = places
    tensors = {"m/data/0": b"0" * 5000, "m/data/1": b"1" * 300}
    write(handed_in / "model.pth").write_bytes(packed(tensors))
    made = write(work / "best.pth")
    again = {f"archive/{index}": content for index, content in enumerate(reversed(tensors.values()))}
    made.write_bytes(packed(again, zipfile.ZIP_STORED))
    assert found(places) == {}
    made.write_bytes(packed(again | {"archive/0": b"2" * 300}))
    assert found(places) == {"best.pth": made}


def test_damaged_archives_beside_it_do_not_matter(places: tuple[Path, Path, Path]):
    handed_in = places[1]
    write(handed_in / "a.zip").write_bytes(packed({"x": MODEL})[:-30])
    write(handed_in / "b.gz").write_bytes(gzip.compress(MODEL)[:-20])
    write(handed_in / "c.tar").write_bytes(tarred("x", MODEL, "w")[:700])
    broken = bytearray(packed({"x": MODEL}))
    broken[40:60] = b"\xff" * 20
    write(handed_in / "d.zip").write_bytes(bytes(broken))
    made = write(places[0] / "model.onnx")
    made.write_bytes(MODEL)
    assert found(places) == {"model.onnx": made}


def test_nothing_is_taken_where_the_zip_cannot_be_written(places: tuple[Path, Path, Path]):
    write(places[0] / "saved_model.pb")
    places[2].rmdir()
    assert found(places) == {}


def test_every_model_is_sent_the_likeliest_first(places: tuple[Path, Path, Path]):
    work = places[0]
    for at, name in enumerate(("old.onnx", "new.onnx", "deep/er/best.h5", "model.pth", "notes.txt")):
        os.utime(write(work / name, name), (at, at))
    assert list(found(places)) == ["model.pth", "new.onnx", "old.onnx", "deep/er/best.h5"]
    assert list(found(places, most_models=2)) == ["model.pth", "new.onnx"]
    assert list(found(places, most_bytes=17)) == ["model.pth", "new.onnx"]  # 9 and 8 bytes
    assert list(found(places, most_bytes=1)) == ["model.pth"]


def test_a_model_under_another_name_is_known_by_its_content(places: tuple[Path, Path, Path]):
    write(places[0] / "model_best.pth.tar").write_bytes(packed({"m/data.pkl": b"", "m/version": b"3"}))
    write(places[0] / "images.npz").write_bytes(packed({"a.npy": b""}))
    assert list(found(places)) == ["model_best.pth.tar"]


def test_what_may_belong_to_a_model_comes_with_it(places: tuple[Path, Path, Path]):
    work = places[0]
    for name in ("out/model.onnx", "Labels.TXT", "out/class_indices.json", "out/history.json", "x/model.py"):
        write(work / name)
    assert set(found(places)) == {"out/model.onnx", "Labels.TXT", "out/class_indices.json", "x/model.py"}
    assert [name for name in sent(places) if name.startswith("beside-")] == [
        "beside-0.txt",
        "beside-1.json",
        "beside-2.py",
    ]
    assert len(found(places, most_companions=1)) == 2


def test_an_onnx_file_with_its_weights_beside_it_is_sent_whole(places: tuple[Path, Path, Path]):
    """As torch.onnx.export writes it; the file beside it would stay behind."""
    import onnx
    from onnx import TensorProto, helper

    work, secret = places[0], write(places[1].parent / "secret.bin", "1234")
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], b"abcdefgh", raw=True)
    model = helper.make_model(helper.make_graph([], "g", [], [], [weight]))
    onnx.save(model, work / "net.onnx", save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    made = found(places)["net.onnx"]
    assert onnx.load(made, load_external_data=False).graph.initializer[0].raw_data == b"abcdefgh"
    # A link out of the folder is no such file: the model is sent as it is.
    (work / "net.onnx.data").unlink()
    (work / "net.onnx.data").symlink_to(secret)
    assert found(places)["net.onnx"] == work / "net.onnx"
