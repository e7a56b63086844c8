"""Formats numbers for people, with units."""

from __future__ import annotations

import math

from harness.stages.evidence.record import Interval

MINUS = "\u2212"
_THIN = "\u202f"  # narrow no-break space, between a number and its unit


def percent(share: float, digits: int = 1) -> str:
    """0.86 -> `86.0%`. Shares from a student's weights may be huge or NaN."""
    if not math.isfinite(share):
        return "–"
    if share > 100:
        return ">10,000%"
    return f"{100 * share:.{digits}f}%"


def percent_interval(interval: Interval, digits: int = 1) -> str:
    """(0.79, 0.913) -> `79.0–91.3%`."""
    low, high = interval
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f}%"


def signed(value: float, digits: int = 1) -> str:
    """-0.25 -> `−0.3`, with a real minus, and no sign for what rounds to zero."""
    shown = f"{abs(value):.{digits}f}"
    if float(shown) == 0:
        return shown
    return f"{MINUS if value < 0 else '+'}{shown}"


def percentage_points(difference: float) -> str:
    """-0.067 -> `−6.7`: in percentage points, without the unit."""
    return signed(100 * difference)


def percentage_points_interval(interval: Interval) -> str:
    low, high = interval
    return f"{percentage_points(low)} to {percentage_points(high)}"


def ap(value: float | None) -> str:
    """Average precision, 0 to 1, to as many digits as a student's are rounded to: 0.7144 -> `0.714`."""
    return "–" if value is None else f"{value:.3f}"


def ap_interval(interval: Interval) -> str:
    """(0.642, 0.78) -> `0.642–0.780`."""
    low, high = interval
    return f"{low:.3f}–{high:.3f}"


def level(value: float) -> str:
    """A score of a box, or a precision, 0 to 1: 0.714 -> `0.71`."""
    return f"{value:.2f}"


def ap_difference(value: float) -> str:
    """-0.067 -> `−0.067`."""
    return signed(value, 3)


def ap_difference_interval(interval: Interval) -> str:
    low, high = interval
    return f"{ap_difference(low)} to {ap_difference(high)}"


def milliseconds(value: float) -> str:
    """Three significant figures."""
    return f"{_significant(value)}{_THIN}ms"


def seconds(value: float) -> str:
    """0.42 -> `0.42 s`; 75 -> `1 min 15 s`."""
    if value < 10:
        return f"{value:.2g}{_THIN}s" if value >= 0.01 else f"<{_THIN}0.01{_THIN}s" if value > 0 else f"0{_THIN}s"
    if value < 59.5:
        return f"{value:.0f}{_THIN}s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{_THIN}h {minutes}{_THIN}min" if hours else f"{minutes}{_THIN}min {rest}{_THIN}s"


def size(count: float) -> str:
    """Bytes, in powers of 1000."""
    return f"{_scaled(count, ('bytes', 'kB', 'MB', 'GB', 'TB'))}"


def count(number: float) -> str:
    """1234567 -> `1.23 million`; under 10,000 as it is."""
    if number < 10_000:
        return f"{number:,.0f}"
    return _scaled(number, ("", "thousand", "million", "billion", "trillion"))


def points(value: float) -> str:
    """At most two decimals: 12.5, 40, 33.33."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", MINUS)


def points_interval(interval: Interval) -> str:
    """(11.5, 13.0) -> `11.5–13`."""
    low, high = interval
    return f"{points(low)}–{points(high)}"


def times(ratio: float) -> str:
    """1.284 -> `1.28×`; from 10 on without decimals."""
    return f"{_ratio(ratio)}×"


def times_interval(interval: Interval) -> str:
    low, high = interval
    return f"{_ratio(low)}–{_ratio(high)}×"


def probability(value: float) -> str:
    """A p-value: `= 0.031`, `< 0.001`."""
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"


def confidence(share: float) -> str:
    """Whole percents, but never a certainty: 0.997 -> `>99%`."""
    return ">99%" if share > 0.99 else percent(share, 0)


def tiny(value: float) -> str:
    """3.1e-7 -> `0.0000003`: one significant figure, without an exponent."""
    return f"{float(f'{value:.1g}'):.10f}".rstrip("0").rstrip(".")


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def _significant(value: float, figures: int = 3) -> str:
    if value >= 10 ** (figures - 1):
        return f"{value:,.0f}"
    shown = f"{value:.{figures}g}"
    return f"{value:.{figures}f}" if "e" in shown else shown


def _scaled(value: float, units: tuple[str, ...]) -> str:
    step = 0
    while abs(value) >= 999.5 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    number = f"{value:,.0f}" if step == 0 else _significant(value)
    return f"{number}{_THIN}{units[step]}" if units[step] else number
