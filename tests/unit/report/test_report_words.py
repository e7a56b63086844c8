"""Text and numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report import units
from harness.report.plain import cut, plain, terminal_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\x00\x07\x9bb", "ab"),
        ("one\r\ntwo\u2028three\tfour", "one\ntwo\nthree\tfour"),
        ("👩\u200d🎓", "👩\u200d🎓"),
        ("שלום عربي 鈴木", "שלום عربي 鈴木"),
        ("e" + "\u0301" * 40, "e" + "\u0301" * 4),
        ("\ud800x", "x"),
    ],
)
def test_plain_text_has_nothing_that_hides_or_reorders(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_plain_text_is_plain_already(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil.example\x07link\x1b]8;;\x1b\\", "link"),
        ("10%\r50%\r100%\nnext", "100%\nnext"),
        ("unfinished \x1b[", "unfinished "),
        ("\x1bc\x1b(Bend", "end"),
    ],
)
def test_a_terminal_s_text_has_no_codes(text: str, shown: str) -> None:
    assert terminal_text(text) == shown


@given(st.text(max_size=200), st.integers(1, 100))
def test_cut_text_says_how_much_is_missing(text: str, limit: int) -> None:
    shown, left_out = cut(text, limit)
    assert len(text) - left_out == min(len(text), limit)
    assert (shown == text) == (left_out == 0)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (units.percent(0.8604), "86.0%"),
        (units.percent(float("nan")), "–"),
        (units.percent(1e30), ">10,000%"),
        (units.percent_interval((0.79, 0.913)), "79.0–91.3%"),
        (units.percentage_points(-0.067), "−6.7"),
        (units.percentage_points(0.0001), "0.0"),
        (units.milliseconds(12.345), "12.3\u202fms"),
        (units.milliseconds(1234.5), "1,234\u202fms"),
        (units.milliseconds(0.0123), "0.0123\u202fms"),
        (units.seconds(0), "0\u202fs"),
        (units.seconds(0.42), "0.42\u202fs"),
        (units.seconds(59.7), "1\u202fmin 0\u202fs"),
        (units.seconds(75), "1\u202fmin 15\u202fs"),
        (units.seconds(7265), "2\u202fh 1\u202fmin"),
        (units.size(999), "999\u202fbytes"),
        (units.size(9_104_233), "9.1\u202fMB"),
        (units.size(999_999), "1\u202fMB"),
        (units.count(2_230_277), "2.23\u202fmillion"),
        (units.count(6405), "6,405"),
        (units.points(33.3333), "33.33"),
        (units.points(40.0), "40"),
        (units.times(1.2845), "1.28×"),
        (units.times(0.034), "0.034×"),
        (units.times(12.6), "13×"),
        (units.probability(0.0312), "= 0.031"),
        (units.probability(1e-9), "< 0.001"),
        (units.confidence(0.9999), ">99%"),
        (units.confidence(0.871), "87%"),
        (units.tiny(3.1e-7), "0.0000003"),
        (units.tiny(0.0), "0"),
    ],
)
def test_a_number_is_readable(shown: str, expected: str) -> None:
    assert shown == expected
