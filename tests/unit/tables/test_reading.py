"""Tables as spreadsheets of many settings write them, and tables that are none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pandas
import pytest

from harness.errors import UsageError
from harness.report.tables import reading
from harness.report.tables.reading import read_number, read_table
from harness.report.tables.writing import write_csv, write_xlsx

COLUMNS = ("submission", "points", "comment")
LINES = [["Submission", "points", "comment"], ["s0", "17,5", "Zoë; fine"], ["", "", ""], ["s1", "3", 'two\nlines "x"']]


def written(separator: str) -> str:
    return "\r\n".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in LINES)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n"])
def test_every_dialect_of_csv_is_the_same_table(tmp_path: Path, separator: str, encoding: str, first: str):
    file = tmp_path / "marks.csv"
    file.write_bytes((first.format(separator) + written(separator)).encode(encoding))
    frame = read_table(file, COLUMNS)
    assert frame.to_dict("index") == {
        2: {"submission": "s0", "points": "17,5", "comment": "Zoë; fine"},
        4: {"submission": "s1", "points": "3", "comment": 'two\nlines "x"'},
    }


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("x")', "- one\n- two", "+1", "@x", " =1+1", "O'Brien", "'quoted'", "a;=b"]
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_text_is_no_formula_on_its_way_out_and_itself_again_on_its_way_back(tmp_path: Path, text: str, kind: str):
    frame = pandas.DataFrame({"comment": [text], "points": [17.5]})
    file = tmp_path / f"table.{kind}"
    if kind == "csv":
        write_csv(frame, file)
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in file.read_text("utf-8-sig").split("\n")[1:])
    else:
        write_xlsx(frame, file, "table")
        assert openpyxl.load_workbook(file).active["A2"].data_type == "s"
    back = read_table(file, ("comment", "points")).loc[2]
    assert back["comment"].replace("'", "") == text.strip().replace("'", "")
    assert read_number(back["points"]) == 17.5
    if text != "a;=b":  # what would be a formula after a semicolon keeps its apostrophe
        assert back["comment"] == text.strip()


@pytest.mark.parametrize(
    ("text", "number"),
    [("17", 17), ("17,5", 17.5), ("17.5", 17.5), ("-3", -3)]
    + [(text, None) for text in ("1.234,5", "nan", "inf", "1e9", "0x1", "٣", "", "=1", "9" * 10)],
)
def test_only_a_plain_number_is_one(text: str, number: float | None):
    assert read_number(text) == number


def test_a_file_that_is_no_table_says_what_to_do(tmp_path: Path):
    bad = {
        "picture.csv": b"\x89PNG\r\n\x1a\n\0\0\0",
        "empty.csv": b"",
        "other.csv": b"name,grade\nx,1\n",
        "twice.csv": b"submission,points,comment,points\n",
        "open.csv": b'submission,points,comment\n"s0,1,x\n',
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=name) as caught:
            read_table(tmp_path / name, COLUMNS)
        assert caught.value.do
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path / "gone.csv", COLUMNS)


def test_an_xlsx_that_unpacks_to_too_much_or_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "_MOST_UNPACKED", 10**5)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("x", bytes(10**5 + 1))
    with pytest.raises(UsageError, match="too large when unpacked"):
        read_table(tmp_path / "bomb.xlsx", COLUMNS)
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as parts:
        parts.writestr("x", "y")
    with pytest.raises(UsageError, match=r"cannot be read as \.xlsx"):
        read_table(tmp_path / "other.xlsx", COLUMNS)
