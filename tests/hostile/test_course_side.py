"""A whole run over submissions that are odd, copied or hostile; and a course side and a machine that are."""

from __future__ import annotations

import csv
import fcntl
import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import onnx
import onnx_classifier
import pytest
from command_line import grade
from PIL import Image
from small_course import Course, hand_in, notebook

from harness.report.export import results_schema

FORMULA = '=HYPERLINK("http:||evil")'


@pytest.fixture(scope="module")
def places(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cache and the assignment, of this module's own."""
    return small_course.copied(tmp_path_factory.mktemp("places"), "course with space")


@pytest.fixture(scope="module")
def cache(places: tuple[Path, Path]) -> Path:
    return places[0]


@pytest.fixture(scope="module")
def assignment(places: tuple[Path, Path]) -> Path:
    return places[1]


def write_model(folder: Path, model: object, reference: Path) -> None:
    folder.mkdir(parents=True)
    onnx_classifier.save(model, folder / "model.onnx")
    for name in ("labels.txt", "handin.json"):
        shutil.copy(reference / name, folder / name)


@pytest.fixture(scope="module")
def graded(small_course: Course, assignment: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory):
    """(results by student's name, out) of one run."""
    folder = tmp_path_factory.mktemp("run")
    submissions, out, reference = folder / "submissions", folder / "out", small_course.reference
    submissions.mkdir()
    hand_in(submissions, "the reference", reference)
    write_model(submissions / "first", onnx_classifier.classifier(seed=1), reference)
    copied = onnx.load(str(submissions / "first" / "model.onnx"))
    copied.producer_name, copied.graph.initializer[0].name = "me", "own"
    for node in copied.graph.node:
        node.input[:] = ["own" if name == "head" else name for name in node.input]
    write_model(submissions / "second", copied, reference)
    write_model(submissions / "honest", onnx_classifier.classifier(seed=2), reference)
    node = onnx.helper.make_node("RandomNormalLike", ["logits"], ["r"], scale=100.0)
    more = onnx.helper.make_node("Add", ["logits", "r"], ["o"])
    write_model(
        submissions / "changes its mind", onnx_classifier.classifier(seed=3, after=[node, more], output="o"), reference
    )
    (submissions / FORMULA).mkdir()
    for name in ("+1", "@SUM(A1)", "-2", "tab\there", "new\nline", 'O\'Brien "Zoë" & <b>Ünal'):
        (submissions / name).mkdir()
    (submissions / "Zoe").mkdir()
    (submissions / "Zoë").mkdir()
    poses = json.loads(notebook("print(1)"))
    poses["metadata"] = {"nbgrader": {"points": 100}, "harness": {"marks": 100}}
    poses["cells"][0]["metadata"] = {"nbgrader": {"grade": True, "points": 50, "score": 50, "grade_id": "x"}}
    hand_in(submissions, "poses", notebook__ipynb=json.dumps(poses))
    shadows = "import json\nfrom harness.handin import save\nprint(json.dumps([save.__name__]))"
    for name in ("harness.py", "agent.py", "sitecustomize.py", "nbclient.py"):
        folder = submissions / "shadows"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("raise SystemExit(7)")
    (submissions / "shadows" / "notebook.ipynb").write_text(notebook(shadows))
    shows = (
        "from IPython.display import HTML, SVG, display, Javascript, Markdown, Math\n"
        "display(HTML('<script>pwned=1</script><iframe src=//evil></iframe><form action=//evil></form>'))\n"
        'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="pwned=1"/>\'))\n'
        "display(Javascript('pwned=1'), Markdown('[x](javascript:pwned=1) ![y](//evil)'))\n"
        "display(Math(r'\\href{javascript:1}{x}'))\n"
        "print('\\x1b[31m' * 20000 + '</pre><script>pwned=1</script>')\n"
    )
    hand_in(submissions, "shows", notebook__ipynb=notebook(shows))
    _write_data_set(hand_in(submissions, "data", reference))
    done = grade(submissions, assignment, out, cache)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    read = json.loads((out / "results.json").read_text())
    jsonschema.validate(read, results_schema())
    return {row["student"]: row for row in read["submissions"]}, out


def _write_data_set(place: Path) -> None:
    mug = place / "dataset" / "mug"
    mug.mkdir(parents=True)
    (place / "dataset" / "other").symlink_to("/etc")
    (place / "dataset" / ".git").mkdir()
    (mug / "Thumbs.db").write_bytes(b"x")
    (mug / "page.jpg").write_text("<!doctype html>")
    (mug / "zero.png").write_bytes(b"")
    (mug / "drawing.svg").write_text("<svg/>")
    Image.new("RGB", (1, 1)).save(mug / "one.png")
    Image.new("CMYK", (50, 50)).save(mug / "cmyk.jpg")
    Image.new("I;16", (50, 50)).save(mug / "sixteen.png")
    Image.new("RGB", (30_000, 4)).save(mug / "wide.png")
    Image.new("P", (50, 50)).save(mug / "palette.png", transparency=0)
    frames = [Image.new("P", (20, 20), number) for number in range(3)]
    frames[0].save(mug / "animated.gif", save_all=True, append_images=frames[1:])
    Image.new("RGB", (60, 60), "red").save(mug / "cut.jpg")
    (mug / "cut.jpg").write_bytes((mug / "cut.jpg").read_bytes()[:300])
    bomb = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" + bytes(4)
    (mug / "bomb.png").write_bytes(bomb)
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    (mug / "one.xml").write_text(
        f'<!DOCTYPE a [<!ENTITY l0 "lol"><!ENTITY x SYSTEM "file:///etc/passwd">{lol}]>'
        "<annotation><object><name>&l9;&x;</name><bndbox><xmin>NaN</xmin><xmax>-5</xmax></bndbox></object></annotation>"
    )


def codes(row: dict) -> set[str]:
    return {finding["code"] for finding in row["findings"]}


def message(row: dict, code: str) -> str:
    return next(finding["message"] for finding in row["findings"] if finding["code"] == code)


@pytest.mark.hostile(line=43, expected="F identical weights")
def test_copied_models_are_told_apart_from_honest_ones_and_name_no_student(graded, got):
    rows, _ = graded
    assert "the reference solution" in message(rows["the reference"], "model-copied")
    assert "that of another submission" in message(rows["first"], "model-copied")
    assert rows["first"]["same_model_as"] == ["second"]
    assert "weights are identical" in message(rows["second"], "model-copied")
    assert "model-copied" not in codes(rows["honest"])
    got(message(rows["second"], "model-copied"))


@pytest.mark.hostile(line=44, expected="F outputs differ from predict stage")
def test_a_model_that_answers_otherwise_while_it_is_timed_is_named(graded, got):
    rows, _ = graded
    assert "benchmark-outputs-differ" in codes(rows["changes its mind"])
    assert "benchmark-outputs-differ" not in codes(rows["honest"])
    got(message(rows["changes its mind"], "benchmark-outputs-differ"))


@pytest.mark.hostile(line=15, expected="ignored")
def test_metadata_that_pose_as_points_give_none(graded, got):
    rows, _ = graded
    assert rows["poses"]["points"] == 20  # it ran, and has no model
    got("20 points, for running")


@pytest.mark.hostile(line=51, expected="F, both graded")
def test_two_students_with_one_id_are_both_graded(graded, got):
    rows, _ = graded
    ids = {rows[name]["id"] for name in ("Zoe", "Zoë")}
    assert len(ids) == 2 and all(id.startswith("Zoe-") for id in ids)
    assert all("duplicate-id" in codes(rows[name]) for name in ("Zoe", "Zoë"))
    got(" and ".join(sorted(ids)))


@pytest.mark.hostile(line=57, expected="exports carry it harmless")
def test_formulas_in_names_are_text_in_the_csv_and_ids_stay_inside(graded, got):
    rows, out = graded
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        cells = [
            value for row in csv.DictReader(file) for name, value in row.items() if name in ("submission", "student")
        ]
    assert "'" + FORMULA in cells
    assert not [value for value in cells if value.startswith(("=", "+", "-", "@", "\t", "\n"))]
    assert not [value for value in cells if "\n" in value or "\t" in value]
    assert 'O\'Brien "Zoë" & <b>Ünal' in cells  # what is harmless stays as it is
    assert {page.name for page in (out / "students").iterdir() if page.is_dir()} == {row["id"] for row in rows.values()}
    got("'" + FORMULA)


class _Found(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.mark.hostile(line=14, expected="shown harmless")
def test_what_a_notebook_shows_is_harmless_in_its_page(graded, got):
    rows, out = graded
    folder = out / "students" / rows["shows"]["id"]
    page = (folder / "index.html").read_text()
    found = [*_Found(page).tags, *_Found((folder / "notebook.html").read_text()).tags]
    frames = [attributes for tag, attributes in found if tag == "iframe"]
    assert len(frames) == 1 and frames[0]["sandbox"] is None
    policies = [a["content"] for t, a in found if a.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 2 and not any("unsafe" in policy for policy in policies)
    assert not {tag for tag, _ in found} & {"form", "object", "embed", "base"}
    assert not [name for _, attributes in found for name in attributes if name.startswith("on")]
    assert not [
        a for _, a in found if "evil" in str(a.get("src", "")) + str(a.get("href", "")) + str(a.get("action", ""))
    ]
    got("text, in a sandboxed frame with a policy of its own")


@pytest.mark.hostile(line=60, expected="works")
def test_files_named_like_the_harness_own_harm_nobody(graded, got):
    rows, _ = graded
    assert rows["shadows"]["stages"]["execute"]["status"] == "ok", rows["shadows"]
    got("the notebook ran, and harness.handin is ours")


@pytest.mark.hostile(line=(46, 48), expected="read right or F; counted")
def test_images_of_every_kind_are_read_or_counted(graded, got):
    rows, _ = graded
    row = rows["data"]
    assert row["stages"]["audit"]["status"] == "ok"
    assert row["dataset"]["classes"] == {"mug": 6}  # one, cmyk, sixteen, wide, palette, animated
    assert sorted(Path(name).name for name in row["dataset"]["unreadable"]) == [
        "bomb.png",
        "cut.jpg",
        "page.jpg",
        "zero.png",
    ]
    assert "unsafe-member" in codes(row)
    got("6 read, 4 counted as unreadable, the link left out")


@pytest.mark.hostile(line=47, expected="F")
def test_an_annotation_that_expands_without_end_ends_nothing(graded, got):
    rows, _ = graded
    assert rows["data"]["stages"]["audit"]["status"] == "ok"
    assert "root:" not in json.dumps(rows["data"])
    got("nothing was expanded or read")


@pytest.mark.hostile(line=52, expected="exit 3 or clear error")
@pytest.mark.parametrize("kind", ["full", "read-only"])
def test_an_output_folder_that_cannot_be_written(graded, assignment: Path, cache: Path, tmp_path: Path, got, kind: str):
    _, _ = graded
    out, submissions = tmp_path / "out", tmp_path / "s"
    (submissions / "mia").mkdir(parents=True)
    out.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={'60k' if kind == 'full' else '1m'}", "tmpfs", out], check=True
    )
    try:
        if kind == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", out], check=True)
        done = grade(submissions, assignment, out, cache)
        left = [file for file in out.rglob("*") if file.is_file() and file.suffix in (".html", ".json", ".csv")]
        assert all(file.read_text().rstrip().endswith(("</html>", "}")) or file.suffix == ".csv" for file in left)
    finally:
        subprocess.run(["umount", out], check=True)
    assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr
    got(done.stderr.splitlines()[-2])


@pytest.mark.hostile(line=52, expected="exit 3 or clear error")
def test_the_output_folder_of_another_assignment_is_left_alone(
    graded, assignment: Path, cache: Path, tmp_path: Path, got
):
    _, out = graded
    folder = tmp_path / "course"
    shutil.copytree(assignment.parent, folder)
    (folder / "assignment.toml").write_text(assignment.read_text().replace("Three colours", "Another"))
    (tmp_path / "s" / "mia").mkdir(parents=True)
    before = (out / "results.json").read_bytes()
    done = grade(tmp_path / "s", folder / "assignment.toml", out, cache)
    assert done.returncode == 2 and (out / "results.json").read_bytes() == before
    got(done.stderr.splitlines()[-2])


@pytest.mark.hostile(line=56, expected="second refuses")
def test_a_second_run_into_one_folder_refuses(assignment: Path, cache: Path, tmp_path: Path, got):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "s" / "mia").mkdir(parents=True)
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = grade(tmp_path / "s", assignment, out, cache)
    assert done.returncode == 2 and "another run" in done.stderr
    got(done.stderr.splitlines()[-2])


CIRCUMSTANCES = {
    "locale C": {"LC_ALL": "C"},
    "locale C, taken at its word": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "no HOME": {"HOME": ""},
    "read-only HOME": {"HOME": "/proc"},
    "another time zone": {"TZ": "Pacific/Kiritimati"},
    "warnings as errors": {"PYTHONWARNINGS": "error"},
}


@pytest.mark.hostile(line=(55, 59, 60), expected="works")
@pytest.mark.parametrize("kind", [*CIRCUMSTANCES, "umask 077, TMPDIR with space", "its own name shadowed"])
def test_the_same_grades_whatever_the_circumstances(
    graded, assignment: Path, cache: Path, tmp_path: Path, got, kind: str
):
    submissions, out = tmp_path / "hand ins", tmp_path / "the reports"
    hand_in(submissions, "Zoë Ünal İ", notebook__ipynb=notebook("print('ı')"))
    temporary = tmp_path / "tmp with space"
    temporary.mkdir()
    more: dict = dict(CIRCUMSTANCES.get(kind, {}))
    if kind.startswith("umask"):
        more |= {
            "TMPDIR": str(temporary),
            "command": ["bash", "-c", f'umask 077; exec "{sys.executable}" -m harness "$@"', "x"],
        }
    if kind.startswith("its own"):
        for name in ("harness", "json", "numpy", "agent", "tempfile", "pydantic"):
            (temporary / f"{name}.py").write_text("raise SystemExit(7)")
        entry = "from harness.cli.main import main; main()"
        more |= {"cwd": temporary, "command": [sys.executable, "-P", "-c", entry]}
    done = grade(submissions, assignment, out, cache, **more)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    (row,) = json.loads((out / "results.json").read_text())["submissions"]
    assert (row["student"], row["points"]) == ("Zoë Ünal İ", 20)
    got(f"{kind}: works")
