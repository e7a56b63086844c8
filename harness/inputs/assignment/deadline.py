"""The table `deadline`: the deadline, its time zone, and the cost of each late day."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from harness.errors import nearest
from harness.inputs.assignment.sections import Section


def _to_penalty(value: object) -> object:
    """Check a penalty: `"10%"` of the points, or a number of points; it is kept as written."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:g}"
    if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+)?\s*%?", value.strip()):
        raise ValueError("a penalty is a percentage of the points, for example '10%', or a number of points")
    return value.strip()


def _to_moment(value: object) -> object:
    """Check a moment: it needs a time of day, because a date does not say when the day ends."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        raise ValueError("a deadline needs a time of day, for example 2025-11-03T23:59:00")
    return value


class Deadline(Section):
    """The deadline, and the cost of each late day (`harness/grading/rubric/late.py`)."""

    at: Annotated[datetime.datetime, BeforeValidator(_to_moment)]
    time_zone: str = Field("", description="name of the course's time zone; needed unless `at` has an offset")
    grace_minutes: float = Field(0, ge=0, le=10_080)
    penalty_per_day: Annotated[str, BeforeValidator(_to_penalty)] = "10%"
    max_days: int | None = Field(None, ge=0, le=3660, description="days late that are taken; any by default")
    after_max_days: Literal["no-points", "no-further-penalty"] = "no-points"

    @model_validator(mode="after")
    def _has_a_time_zone(self) -> Deadline:
        if self.time_zone:
            try:
                zoneinfo.ZoneInfo(self.time_zone)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                hint = nearest(self.time_zone, zoneinfo.available_timezones(), "for example 'Europe/Amsterdam'")
                raise ValueError(f"no time zone {self.time_zone!r}; {hint}") from None
        elif self.at.tzinfo is None:
            raise ValueError("time_zone is missing, for example 'Europe/Amsterdam'")
        return self

    @property
    def zone(self) -> datetime.tzinfo:
        """The course's time zone."""
        if self.time_zone:
            return zoneinfo.ZoneInfo(self.time_zone)
        assert self.at.tzinfo is not None
        return self.at.tzinfo

    @property
    def local(self) -> datetime.datetime:
        """The deadline in the course's time zone, as a naive time."""
        return self.at.astimezone(self.zone).replace(tzinfo=None) if self.at.tzinfo else self.at

    @property
    def instant(self) -> datetime.datetime:
        return self.local.replace(tzinfo=self.zone)

    @property
    def is_percent(self) -> bool:
        return self.penalty_per_day.endswith("%")

    def points_per_day(self, max_points: float) -> float:
        number = float(self.penalty_per_day.rstrip("% "))
        return number * max_points / 100 if self.is_percent else number
