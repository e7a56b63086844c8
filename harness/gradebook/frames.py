"""A run's results as frames, for an instructor's own notebook and for what is computed of a whole class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.errors import UsageError
from harness.gradebook.headline import Headline, headline, measure_of
from harness.gradebook.results import Results

if TYPE_CHECKING:
    import pandas

_FILE = "results.json"


def load_results(out: str | Path) -> pandas.DataFrame:
    """The class in the output folder of a `harness grade`: a row for each submission, by its id.

    Columns: student, status, points, max_points, late_days, accuracy with accuracy_low and accuracy_high (where the
    task is detection, ap50 with ap50_low and ap50_high), latency_ms, latency_ratio (to the reference), findings
    (codes), and a column for each criterion's points, by its title. What was not measured, and marks that a person
    still has to give, are missing. Raises `UsageError` without results.
    """
    file = Path(out) / _FILE
    try:
        return class_frame(Results.model_validate_json(file.read_bytes()))
    except OSError as error:
        raise UsageError(f"{file}: there are no results", "give the --out of a `harness grade`") from error
    except ValidationError as error:
        raise UsageError(f"{file}: is not of this version of the harness", "run `harness grade` again") from error


def class_frame(results: Results) -> pandas.DataFrame:
    """The same of results that are there already."""
    import pandas

    score = measure_of(results.assignment.task).lower()
    rows = [
        {
            "submission": row.id,
            "student": row.student,
            "status": row.status,
            "points": row.points,
            "max_points": row.max_points,
            "late_days": row.late_days,
            **_figure(score, headline(row)),
            "latency_ms": row.benchmark.model.p50_ms if row.benchmark else None,
            "latency_ratio": row.benchmark.ratio if row.benchmark else None,
            "findings": tuple(dict.fromkeys(found.code for found in row.findings)),
        }
        for row in results.submissions
    ]
    measured = ("late_days", score, f"{score}_low", f"{score}_high", "latency_ms", "latency_ratio")
    columns = ("submission", "student", "status", "points", "max_points", *measured, "findings")
    frame = pandas.DataFrame.from_records(rows, columns=list(columns)).set_index("submission")
    frame = frame.astype(dict.fromkeys(measured, float))
    marks = marks_frame(results).pivot(index="submission", columns="criterion", values="points")
    marks = marks.reindex(columns=_titles(results))
    return frame.join(marks.rename(columns={name: f"{name} (criterion)" for name in frame.columns}))


def _figure(name: str, figure: Headline | None) -> dict[str, float | None]:
    low, high = figure.interval if figure else (None, None)
    return {name: figure.value if figure else None, f"{name}_low": low, f"{name}_high": high}


def marks_frame(results: Results) -> pandas.DataFrame:
    """A row for each submission and criterion: submission, criterion, points (missing while it waits), of."""
    import pandas

    rows = [(row.id, mark.title, mark.points, mark.max_points) for row in results.submissions for mark in row.marks]
    frame = pandas.DataFrame.from_records(rows, columns=["submission", "criterion", "points", "of"])
    return frame.astype({"points": float, "of": float})


def _titles(results: Results) -> list[str]:
    return list(dict.fromkeys(mark.title for row in results.submissions for mark in row.marks))


def by_criterion(results: Results) -> pandas.DataFrame:
    """For each criterion: marked (submissions), mean_share of its points, and discrimination.

    A share near 0 is a hard criterion, near 1 an easy one. Discrimination is the correlation of its points with the
    points for all else, over the submissions whose every mark is there; missing where it cannot be told: fewer than
    five such submissions, or all alike. Deductions, which have no maximum, are not among the criteria.
    """
    import pandas

    marks = marks_frame(results)
    marks = marks[marks["of"] > 0]
    shares = (marks["points"] / marks["of"]).groupby(marks["criterion"]).agg(["count", "mean"])
    wide = marks.pivot(index="submission", columns="criterion", values="points").dropna()
    found = {}
    for title in wide.columns:
        rest = wide.drop(columns=title).sum(axis=1)
        can_tell = len(wide) >= _FEWEST and wide[title].nunique() > 1 and rest.nunique() > 1
        found[title] = wide[title].corr(rest) if can_tell else float("nan")
    frame = pandas.DataFrame({"marked": shares["count"], "mean_share": shares["mean"]})
    frame["discrimination"] = pandas.Series(found, dtype=float)
    return frame.reindex([title for title in _titles(results) if title in frame.index])


_FEWEST = 5  # submissions for a correlation
