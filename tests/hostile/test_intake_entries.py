"""One entry of a class, whatever it holds or is called: it costs itself, and nobody else's place is taken."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from harness.inputs.submission import Submission
from harness.inputs.submissions import collect

MODEL = b"a model"


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    """Anna and Bert, as they hand in beside whoever comes."""
    for name in ("anna", "bert"):
        (tmp_path / "submissions" / name).mkdir(parents=True)
        (tmp_path / "submissions" / name / "model.onnx").write_bytes(MODEL)
    return tmp_path / "submissions"


def taken(given: Path, tmp_path: Path) -> dict[str, Submission]:
    """By the name that people read. The harness's own process stays small."""
    work = tmp_path / f"work-{given.name}"
    work.mkdir()
    before = _peak_bytes()
    found = {one.student: one for one in collect(given, work)}
    assert _peak_bytes() - before < 300 * 10**6
    return found


def _peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def codes(one: Submission) -> list[str]:
    return [finding.code for finding in one.findings]


def as_alone(found: dict[str, Submission], *names: str) -> None:
    for name in names or ("anna", "bert"):
        one = found[name]
        assert (one.model, one.findings, one.origin.source) == (Path("model.onnx"), (), "plain"), name
        assert one.origin.handed_in is None


def zipped(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.hostile(line=76, expected="F of that entry; the rest as alone")
def test_a_members_damage_in_a_zip_that_looks_like_a_download(attacks: Path, tmp_path: Path, got):
    """It ended the run with zlib.error: every student's zip was opened to see whether it is a class's."""
    found = taken(attacks / "run-stopped-in-intake" / "zips", tmp_path)
    assert codes(found["aad"]) == ["archive-unreadable"]
    as_alone(found, "bert", "cora")
    got(found["aad"].findings[0].message)


@pytest.mark.hostile(line=(76, 78), expected="F of that entry; the rest as alone")
@pytest.mark.parametrize("kind", ["nb1", "nb2"])
def test_a_timestamp_in_a_students_own_folder(attacks: Path, tmp_path: Path, got, kind: str):
    """nb1 ended the run: "several nbgrader assignments"; nb2 gave its student a time of his choice."""
    found = taken(attacks / "run-stopped-in-intake" / kind, tmp_path)
    assert set(found) == {"anna", "zz-mallory"}
    as_alone(found, "anna", "zz-mallory")
    got("plain, without a time")


YAML = {
    "broken": b"a: [",
    "billion laughs": b"".join(
        b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10) if n else b"lol") for n in range(12)
    ),
    "an object": b"!!python/object/apply:os.system ['touch /tmp/harness-was-here']",
    "deep": b"[" * 1_000_000,
    "others' names": b"anna: {':submitters': [{':name': X}]}\nbert: {':submitters': [{':name': Y}]}\n",
    "a year too far": b"submission_1: {':created_at': 99999-01-01 00:00:00 Z}\n",
}


@pytest.mark.hostile(line=76, expected="F of that entry; the rest as alone")
@pytest.mark.parametrize("where", ["beside the others", "in his own folder", "in his own zip"])
@pytest.mark.parametrize("kind", YAML)
def test_gradescopes_metadata_by_a_student(incoming: Path, tmp_path: Path, got, where: str, kind: str):
    """It ended the run with exit status 2, as if the instructor's download were broken."""
    members = [("submission_metadata.yml", YAML[kind]), ("submission_1/model.onnx", MODEL)]
    if where == "in his own zip":
        (incoming / "mallory.zip").write_bytes(zipped(*members))
    for name, content in members if where != "in his own zip" else ():
        file = incoming / ("mallory" if "own" in where else "") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    found = taken(incoming, tmp_path)
    assert len(found) == 3 and {one.origin.source for one in found.values()} == {"plain"}
    as_alone(found)
    assert not Path("/tmp/harness-was-here").exists()
    got("plain")


@pytest.mark.hostile(line=76, expected="F of that entry; the rest as alone")
@pytest.mark.parametrize("name", [b"\xe9" * 200 + b".onnx", b"\xff" * 120 + b".ipynb", b"\x80" * 250 + b".zip"])
def test_a_name_that_is_no_utf_8(incoming: Path, tmp_path: Path, got, name: bytes):
    """200 letters of Latin-1 are 400 bytes of UTF-8: the run ended with exit status 3, as if the disk were full."""
    (incoming.parent / "x").write_bytes(MODEL)
    (incoming.parent / "x").rename(os.fsdecode(os.fsencode(incoming) + b"/" + name))
    found = taken(incoming, tmp_path)
    as_alone(found)
    [other] = [one for one in found.values() if one.student not in ("anna", "bert")]
    got(", ".join(codes(other)) or "taken")


@pytest.mark.hostile(line=76, expected="F of that entry; the rest as alone")
@pytest.mark.parametrize("alone", [True, False])
def test_an_archive_that_is_a_fifo_is_not_waited_for(incoming: Path, tmp_path: Path, got, alone: bool):
    """Whoever opens it waits for a writer: intake did for ten minutes."""
    place = tmp_path / "only" if alone else incoming
    place.mkdir(exist_ok=True)
    os.mkfifo(place / "mallory.zip")
    before = time.monotonic()
    found = taken(place, tmp_path)
    assert time.monotonic() - before < 100
    assert codes(found["mallory"]) == ["unsafe-member"]
    got(found["mallory"].findings[0].message)


RECEIPTS = [b"\xff" * 700, b"Name: " + b"x" * 5_000, b"Name: Anna (anna)", b"\x00", b"Name: (" * 100]


@pytest.mark.hostile(line=(76, 78), expected="F of that entry; the rest as alone")
@pytest.mark.parametrize("content", RECEIPTS, ids=range(len(RECEIPTS)))
def test_a_receipt_by_a_student(incoming: Path, tmp_path: Path, got, content: bytes):
    name = "hw_anna_attempt_2025-01-01-00-00-00"
    (incoming / f"{name}.txt").write_bytes(content)
    (incoming / f"{name}_model.onnx").write_bytes(b"mine")
    found = taken(incoming, tmp_path)
    as_alone(found)
    assert found["anna"].origin.lms_id == ""
    got("plain")


@pytest.mark.hostile(line=77, expected="L counted like all others")
def test_a_tars_hidden_members_and_archives_in_archives(attacks: Path, tmp_path: Path, got):
    """4 GB were inflated for a file of 4.6 KB, and 3 GB for one of 4 KB, counted by nobody; 120 GB would be 136 KB."""
    before = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = taken(attacks / "tar-skipped-bomb", tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert set(codes(found["t4"])) == set(codes(found["mallory"])) == {"archive-too-large"}
    held = [path.stat().st_size for one in found.values() for path in one.root.rglob("*") if path.is_file()]
    assert sum(held) < 100_000
    used = after.ru_utime + after.ru_stime - before[1].ru_utime - before[1].ru_stime
    got(f"{found['t4'].findings[0].message} {used:.1f} s of processor time")


@pytest.mark.hostile(line=77, expected="L counted like all others", makes_much=True)
@pytest.mark.parametrize(("kind", "folder"), [("zip", ".git"), ("tar.gz", "__MACOSX"), ("7z", ".venv/lib")])
def test_what_is_left_out_counts_in_every_kind_of_archive(incoming: Path, tmp_path: Path, got, kind: str, folder: str):
    """Beside the bomb stands what is honest: a notebook, which is not taken alone."""
    members = {f"{folder}/pack": bytes(120 * 10**6), "notebook.ipynb": b"{}"}
    file = incoming / f"mia.{kind}"
    if kind == "zip":
        file.write_bytes(zipped(*members.items()))
    elif kind == "7z":
        import py7zr

        with py7zr.SevenZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(content, name)
    else:
        import tarfile

        with tarfile.open(file, "w:gz", compresslevel=1) as packed:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                packed.addfile(info, io.BytesIO(content))
    if kind == "tar.gz":  # level 1 packs zeros by 1:230, which is within the ratio of 500; by 1:1,000 the others
        file.write_bytes(_repacked(file.read_bytes()))
    found = taken(incoming, tmp_path)
    assert codes(found["mia"]) == ["archive-too-large"]
    as_alone(found)
    got(found["mia"].findings[0].message)


def _repacked(content: bytes) -> bytes:
    import gzip

    return gzip.compress(gzip.decompress(content), 9)


@pytest.mark.hostile(line=78, expected="not believed")
def test_a_file_that_is_called_as_another_participants(attacks: Path, tmp_path: Path, got):
    """It made Mal participant 111, who is Vera, with her time."""
    found = taken(attacks / "lms-name-spoof" / "moodle", tmp_path)
    assert {name: (one.origin.lms_id, f"{one.origin.handed_in:%d %B}") for name, one in found.items()} == {
        "Vera Victim": ("111", "03 November"),
        "Jan Jansen": ("222", "03 November"),
        "Mal Lory": ("333", "01 December"),
    }
    assert (found["Vera Victim"].root / "model.onnx").stat().st_size > 1000
    got("Mal Lory is 333, handed in on 1 December")


@pytest.mark.hostile(line=78, expected="not believed")
def test_a_display_name_that_is_anothers_with_her_number(tmp_path: Path, got):
    """victimvera_4711_99999 was user 4711, and the newest file of that user counted."""
    given = tmp_path / "canvas"
    given.mkdir()
    for name, content in (
        ("victimvera_4711_88001_model.onnx", b"hers"),
        ("jansenjan_4712_88002_model.onnx", b"his"),
        ("victimvera_4711_99999_555_88003_model.onnx", b"mine"),
    ):
        (given / name).write_bytes(content)
    found = taken(given, tmp_path)
    assert (found["victimvera"].root / "model.onnx").read_bytes() == b"hers"
    assert codes(found["victimvera"]) == []
    [other] = [one for one in found.values() if one.origin.lms_id not in ("4711", "4712")]
    assert other.origin.lms_id == "" and codes(other) == ["lms-name-ambiguous"]
    got(other.findings[0].message)


@pytest.mark.hostile(line=78, expected="not believed")
def test_a_time_in_the_name_of_a_file(tmp_path: Path, got):
    """Of two times in a name the last one counted, which the student wrote."""
    given = tmp_path / "blackboard"
    given.mkdir()
    real = "hw_mal_attempt_2025-12-01-10-00-00"
    for name in (f"{real}.txt", f"{real}_x_attempt_2025-01-01-00-00-00_model.onnx", f"{real}_y.ipynb"):
        (given / name).write_bytes(b"Name: Mal Lory (mal)\n")
    [one] = taken(given, tmp_path).values()
    assert f"{one.origin.handed_in:%Y-%m-%d}" == "2025-12-01" and one.origin.earlier == ()
    assert {path.name for path in one.root.iterdir()} == {"x_attempt_2025-01-01-00-00-00_model.onnx", "y.ipynb"}
    got("2025-12-01")


@pytest.mark.hostile(line=79, expected="F on both, neither exported")
def test_two_that_claim_one_id(tmp_path: Path, got):
    """Both rows had the id, and an LMS takes the last one."""
    given = tmp_path / "moodle"
    for name in ("Vera Victim_111", "Mal Lory_111", "Jan Jansen_222"):
        (given / f"{name}_assignsubmission_file_").mkdir(parents=True)
        (given / f"{name}_assignsubmission_file_" / "model.onnx").write_bytes(MODEL)
    found = taken(given, tmp_path)
    assert {name: codes(one) for name, one in found.items()} == {
        "Vera Victim": ["lms-id-claimed-twice"], "Mal Lory": ["lms-id-claimed-twice"], "Jan Jansen": [],
    }  # fmt: skip
    got(f"{found['Mal Lory'].findings[0].message} (what is exported: tests/unit/export/test_left_out.py)")


@pytest.mark.hostile(line=76, expected="F of that entry; the rest as alone")
def test_the_command_ends_well_whatever_lies_in_the_folder(incoming: Path, attacks: Path, got):
    """All attacks of this kind in one class."""
    (incoming / "zz.zip").write_bytes((attacks / "run-stopped-in-intake" / "zips" / "aad.zip").read_bytes())
    (incoming / "bomb.tar.bz2").write_bytes((attacks / "tar-skipped-bomb" / "t4.tar.bz2").read_bytes())
    (incoming / "submission_metadata.yml").write_bytes(YAML["billion laughs"])
    (incoming / "hw_x_attempt_2025-01-01-00-00-00.txt").write_bytes(b"\xff")
    command = [sys.executable, "-m", "harness", "intake", str(incoming), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    rows = json.loads(done.stdout)["submissions"]
    assert any(not row["findings"] for row in rows)
    got("exit status 1, as something cannot be read; the others are shown")
