"""Gradescope runs this in its own container: checks the submission by `harness check`, and writes results.json.

It goes into autograder.zip as it is, and imports nothing of the harness: whatever goes wrong there, Gradescope gets a
result.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

AUTOGRADER = Path("/autograder")
SECONDS = 2100  # Gradescope ends a run after 40 minutes at most
LONGEST = 8000  # characters of one output
NOT_RUN = (
    "The autograder could not check this submission, which says nothing about it. Tell your course. What it said:\n\n"
)


def main() -> None:
    """Write /autograder/results/results.json."""
    started = time.monotonic()
    results = AUTOGRADER / "results" / "results.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    found = checked() | {"execution_time": round(time.monotonic() - started)}
    results.unlink(missing_ok=True)  # the submission's own code ran before
    results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def checked() -> dict[str, Any]:
    """The whole of results.json but the time."""
    package, submission = AUTOGRADER / "source" / "package", AUTOGRADER / "submission"
    command = [sys.executable, "-m", "harness", "check", str(submission), "--assignment", str(package)]
    try:
        done = subprocess.run(
            [*command, "--no-zip", "--json", "--annotations", "none"],
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode not in (0, 1):
            return not_run(said)
        return as_results(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return not_run(f"It was not done after {SECONDS} seconds.")
    except (OSError, ValueError, KeyError) as error:
        return not_run(f"{type(error).__name__}: {error}")


def as_results(check: dict[str, Any]) -> dict[str, Any]:
    """What `harness check --json` says, as Gradescope has it: steps without points, then criteria."""
    steps = [step(one) for one in check["steps"]]
    criteria = [criterion(one) for one in check["criteria"]]
    expected = f"Expected: {check['expected']:g} of {check['max_points']:g} points; "
    expected += f"{check['open_points']:g} are given by a person, or cannot be known here."
    return {
        "score": round(sum(one.get("score", 0.0) for one in criteria), 2),
        "output": short(f"{check['figures_mean']}\n\n{expected}"),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [*steps, *criteria],
    }


def step(one: dict[str, Any]) -> dict[str, Any]:
    """A step of grading: passed or failed, without points."""
    lines = [one["state"], one["what"], *one["mend"], *one["notes"]]
    test = {"name": one["title"], "output": short("\n".join(filter(None, lines))), "output_format": "text"}
    if one["state"] != "cannot be known here":
        test["status"] = "passed" if one["state"] == "fine" else "failed"
    return test


def criterion(one: dict[str, Any]) -> dict[str, Any]:
    """A line of the rubric: with points where they can be told."""
    test = {"name": one["title"], "output": short(f"{one['state']}\n{one['reason']}"), "output_format": "text"}
    if one["state"] == "expected":
        test |= {"score": one["points"], "max_score": one["max_points"]}
    return test


def not_run(said: str) -> dict[str, Any]:
    """The result where there is none."""
    return {"score": 0, "output": short(NOT_RUN + said[-LONGEST:]), "output_format": "text", "visibility": "visible"}


def short(text: str) -> str:
    """The text, cut where it is too long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


if __name__ == "__main__":
    main()
