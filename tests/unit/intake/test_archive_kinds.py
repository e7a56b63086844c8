"""Archives as people's programs make them: with backslashes, in parts, in volumes, with an environment, or a model."""

from __future__ import annotations

import io
import tarfile
import unicodedata
from pathlib import Path

import pytest
from downloads import NOTEBOOK, codes, files, unpacked, with_names, zipped

from harness.apart.submissions.budget import Budget, UnpackLimits
from harness.apart.submissions.noticed import Stopped
from harness.apart.submissions.passed_over import environments, parts_of, passed_over
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.split_archives import bundles

HAND_IN = {"notebook.ipynb": NOTEBOOK, "model.onnx": b"onnx", "labels.txt": b"a\nb"}


def taken(given: Path, tmp_path: Path, **limits: int) -> dict[str, Submission]:
    return {one.id: one for one in collect(given, tmp_path / "work", UnpackLimits(**limits))}


def as_7z(members: dict[str, bytes]) -> bytes:
    import py7zr

    stream = io.BytesIO()
    with py7zr.SevenZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(content, name)
    return stream.getvalue()


def as_tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


PACKERS = {"zip": with_names, "tar.gz": as_tar, "7z": as_7z}


# --- backslashes --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z"])
def test_backslashes_are_separators(tmp_path: Path, kind: str):
    members = {f"work\\of anna\\{name}": content for name, content in HAND_IN.items()}
    mixed = {"work/of anna\\extra/more.txt": b"x"} if kind != "7z" else {}
    unpacked({f"anna.{kind}": PACKERS[kind]({**members, **mixed})}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert files(one) == {*HAND_IN, *(["extra/more.txt"] if mixed else [])}
    assert codes(one) == []


def test_folders_with_backslashes_and_twins_of_slashes(tmp_path: Path):
    members = {
        "a\\": b"",
        "a\\notebook.ipynb": NOTEBOOK,
        "a/notebook.ipynb": b"second",
        "b\\sub\\": b"",
        "b/sub/x.txt": b"1",
    }
    unpacked({"anna.zip": with_names(members)}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert files(one) == {"a/notebook.ipynb", "b/sub/x.txt"}
    assert codes(one) == ["duplicate-name"]
    assert (one.root / "a/notebook.ipynb").read_bytes() == NOTEBOOK


def test_a_classs_zip_with_backslashes_of_which_some_members_have_both(tmp_path: Path):
    of_anna = {f"class\\anna/{name}": content for name, content in HAND_IN.items()}
    of_bert = {f"class\\bert\\work\\{name}": content for name, content in HAND_IN.items()}
    (tmp_path / "class.zip").write_bytes(with_names({**of_anna, **of_bert}))
    found = taken(tmp_path / "class.zip", tmp_path)
    assert {id: files(one) for id, one in found.items()} == {"anna": set(HAND_IN), "bert": set(HAND_IN)}


def test_what_was_unpacked_with_backslashes_in_its_names_on_a_disk_is_sorted_into_folders(tmp_path: Path):
    unpacked({"anna/x.txt": b"x"}, tmp_path / "given")
    for name, content in HAND_IN.items():
        (tmp_path / "given" / "anna" / f"results\\{name}").write_bytes(content)
    (tmp_path / "given" / "anna" / "..\\up.txt").write_bytes(b"a name like any other here")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert files(one) == {"x.txt", "..\\up.txt", *(f"results/{name}" for name in HAND_IN)}


@pytest.mark.parametrize("name", ["a\\../b", "a/..\\b", "\\a", "D:\\a", "\\\\?\\C:\\a", "/\\a", "..\\a"])
def test_a_backslash_leads_nowhere_outside(name: str):
    with pytest.raises(Stopped):
        Budget(UnpackLimits()).path(name)


def test_backslashes_nest_no_deeper_than_slashes():
    assert Budget(UnpackLimits()).path("\\".join(["a"] * 32)) is not None
    with pytest.raises(Stopped):
        Budget(UnpackLimits()).path("\\".join(["a"] * 33))


# --- downloads in parts -------------------------------------------------------------------------


def test_a_folder_from_drive_in_two_zips_and_the_model_by_itself(tmp_path: Path):
    stem = "TL week 6-20260614T101112Z"
    parts = {
        f"anna/{stem}-001.zip": zipped({"TL week 6/a/notebook.ipynb": NOTEBOOK, "TL week 6/labels.txt": b"b\na"}),
        f"anna/{stem}-003.zip": zipped({"TL week 6/a/1.jpg": b"1", "TL week 6/labels.txt": b"another"}),
        "anna/final-002.h5": b"h5",
    }
    unpacked(parts, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert files(one) == {"a/notebook.ipynb", "a/1.jpg", "labels.txt", "final.h5"}
    assert (one.root / "labels.txt").read_bytes() == b"b\na"
    assert codes(one) == ["duplicate-name"]
    assert (one.model, one.notebook) == (Path("final.h5"), Path("a/notebook.ipynb"))


def test_loose_parts_of_one_download_are_one_submission(tmp_path: Path):
    stamp = "anna-20260614T101112Z-1"
    unpacked(
        {
            f"{stamp}-001.zip": zipped({"anna/notebook.ipynb": NOTEBOOK}),
            f"{stamp}-002.zip": zipped({"anna/model.onnx": b"1"}),
            "bert.zip": zipped(HAND_IN),
        },
        tmp_path / "given",
    )
    found = taken(tmp_path / "given", tmp_path)
    assert {frozenset(files(one)) for one in found.values()} == {
        frozenset({"notebook.ipynb", "model.onnx"}),
        frozenset(HAND_IN),
    }


def test_a_damaged_part_costs_that_part(tmp_path: Path):
    parts = {"anna/work-001.zip": zipped({"notebook.ipynb": NOTEBOOK}), "anna/work-002.zip": b"PK\x03\x04 cut off"}
    unpacked({**parts, **{f"bert/{name}": content for name, content in HAND_IN.items()}}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert one.notebook is not None and codes(one) == ["archive-unreadable"]


@pytest.mark.parametrize("kind", ["zip", "7z"])
def test_volumes_are_joined(tmp_path: Path, kind: str):
    whole = PACKERS[kind](HAND_IN)
    third = len(whole) // 3
    volumes = {f"anna/work.{kind}.00{n + 1}": whole[n * third : None if n == 2 else (n + 1) * third] for n in range(3)}
    unpacked({**volumes, "bert/notebook.ipynb": NOTEBOOK, "bert/model.onnx": b""}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert files(one) == set(HAND_IN) and codes(one) == []


@pytest.mark.parametrize(
    ("names", "said"),
    [(["work.7z.001", "work.7z.003"], "work.7z.002 is missing"), (["work.z01", "work.zip"], "work.z01, work.zip")],
)
def test_volumes_that_cannot_be_joined_are_named(tmp_path: Path, names: list[str], said: str):
    unpacked({f"anna/{name}": b"PK\x03\x04" for name in names}, tmp_path / "given")
    unpacked({f"anna/{name}": content for name, content in HAND_IN.items()}, tmp_path / "given")
    unpacked({"bert/notebook.ipynb": NOTEBOOK}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert codes(one) == ["archive-unreadable"] and said in one.findings[0].message
    assert one.model == Path("model.onnx")


def test_numbers_that_are_no_parts_join_nothing():
    archives = [Path(name) for name in ("lab-001.zip", "lab-003.zip", "x-002.zip")]
    assert [one.is_split for one in bundles(archives, [Path("photo-004.jpg")])] == [False] * 3
    drive = [Path("a-20260614T101112Z-001.zip")]
    assert bundles(drive, [Path("photo-003.jpg"), Path("m-001.onnx")])[0].alone == ()
    assert bundles(drive, [Path("photo-002.jpg")])[0].alone == ((Path("photo-002.jpg"), "photo.jpg"),)


def test_a_folder_that_is_called_like_ours_is_in_nobodys_way(tmp_path: Path):
    unpacked(
        {"anna/work.zip": zipped(HAND_IN), "anna/work.zip.unpacked/x.txt": b"x", "bert/notebook.ipynb": NOTEBOOK},
        tmp_path / "given",
    )
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert one.model is not None and codes(one) == [] and (one.root / "work.zip.unpacked" / "x.txt").is_file()


# --- what lies in an archive beside the model ---------------------------------------------------


def test_labels_in_a_zip_beside_notebook_and_model_are_found_and_a_zip_of_images_stays(tmp_path: Path):
    outside = {"anna/notebook.ipynb": NOTEBOOK, "anna/model.onnx": b"1"}
    inside = {"anna/rest.zip": zipped({"labels.txt": b"b\na"}), "anna/images.zip": zipped({"a/1.jpg": b"1"})}
    unpacked({**outside, **inside, "bert/notebook.ipynb": NOTEBOOK}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["anna"]
    assert [companion.path.name for companion in one.models[0].companions] == ["labels.txt"]
    assert "images.zip" in files(one)


def test_a_declaration_beside_the_model_names_the_classes_so_a_zip_of_labels_is_not_opened(tmp_path: Path):
    outside = {
        "anna/notebook.ipynb": NOTEBOOK,
        "anna/model.onnx": b"1",
        "anna/handin.json": b"{}",
        "anna/model.py": b"",
    }
    unpacked(
        {**outside, "anna/yolo.zip": zipped({"classes.txt": b"b\na"}), "bert/n.ipynb": NOTEBOOK}, tmp_path / "given"
    )
    assert "yolo.zip" in files(taken(tmp_path / "given", tmp_path)["anna"])


# --- what is passed over ------------------------------------------------------------------------

VENV = {
    "proj/my env/pyvenv.cfg": b"home",
    "proj/my env/lib/python3.11/site-packages/a/t.ipynb": b"{}",
    "proj/my env/Scripts/x": b"",
}
CONDA = {"env/conda-meta/history": b"", "env/lib/a.py": b"", "env/bin/python": b"x"}


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z", "folder"])
def test_environments_are_told_by_what_is_in_them_and_cost_no_file(tmp_path: Path, kind: str):
    own = {f"proj/{name}": content for name, content in HAND_IN.items()}
    many = {f"proj/my env/lib/p/{n}.py": b"" for n in range(40)} | {
        f"proj/node_modules/{n}/i.js": b"" for n in range(40)
    }
    members = {
        **many,
        **own,
        **VENV,
        **{f"proj/{name}": content for name, content in CONDA.items()},
        "proj/lib/my.py": b"1",
    }
    if kind == "folder":
        unpacked({f"anna/{name}": content for name, content in members.items()}, tmp_path / "given")
    else:
        unpacked({f"anna.{kind}": PACKERS[kind](members)}, tmp_path / "given")
    unpacked({"bert/notebook.ipynb": NOTEBOOK}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path, files=12)["anna"]
    assert files(one) == {*HAND_IN, "lib/my.py"}
    said = {found.message for found in one.findings}
    assert said == {
        "proj/my env/ was left out: a virtual environment.",
        "proj/env/ was left out: a conda environment.",
        "proj/node_modules/ was left out: installed packages of JavaScript.",
    }


def test_work_in_an_environments_own_folder_is_taken():
    within = environments(["venv/pyvenv.cfg", "venv/lib/x.py", "venv/TL.ipynb"])
    kept = [
        n
        for n in ("venv/TL.ipynb", "venv/data/1.jpg", "venv/lib/x.py", "venv/pyvenv.cfg")
        if not passed_over(parts_of(n), within)
    ]
    assert kept == ["venv/TL.ipynb", "venv/data/1.jpg"]
    of_all = environments(["pyvenv.cfg"])
    assert passed_over(["notebook.ipynb"], of_all) is None and passed_over(["Lib", "x.py"], of_all) is not None


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z", "folder"])
def test_the_folder_that_is_too_much_is_named(tmp_path: Path, kind: str):
    members = {**HAND_IN, **{f"data/raw/{n // 5}/{n}.jpg": b"" for n in range(30)}, "data/x.csv": b""}
    if kind == "folder":
        unpacked({f"anna/{name}": content for name, content in members.items()}, tmp_path / "given")
    else:
        unpacked({f"anna.{kind}": PACKERS[kind](members)}, tmp_path / "given")
    unpacked({"bert/notebook.ipynb": NOTEBOOK}, tmp_path / "given")
    [found] = taken(tmp_path / "given", tmp_path, files=20)["anna"].findings
    assert (
        found.code == "archive-too-large"
        and "; data/raw holds 1" in found.message
        and "of the 20 files" in found.message
    )


def test_a_folder_of_much_that_is_passed_over_is_named_where_members_or_bytes_are_limited(tmp_path: Path):
    content = {"notebook.ipynb": NOTEBOOK, **{f"a/.git/{n}": b"12345" * 1000 for n in range(50)}}
    for limits, said in (
        ({"members": 40}, "a/.git holds 40 of the 40 members"),
        ({"total_bytes": 10**5}, "a/.git holds"),
    ):
        with pytest.raises(Stopped) as stopped:
            budget = Budget(UnpackLimits(**limits))
            for name, data in content.items():
                path = budget.path(name)
                budget.member(name, 0 if path else len(data))
            budget.count(50 * 5000)
        assert said in stopped.value.noticed.particulars["reason"]


# --- Unicode's forms ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z", "folder"])
def test_names_are_composed(tmp_path: Path, kind: str):
    name = "thé/café.jpg"
    members = {"notebook.ipynb": NOTEBOOK, unicodedata.normalize("NFD", name): b"1"}
    if kind == "folder":
        unpacked({f"anna/{name}": content for name, content in members.items()}, tmp_path / "given")
    else:
        unpacked({f"anna.{kind}": PACKERS[kind](members)}, tmp_path / "given")
    unpacked({"bert/notebook.ipynb": NOTEBOOK}, tmp_path / "given")
    assert files(taken(tmp_path / "given", tmp_path)["anna"]) == {"notebook.ipynb", name}
