"""What is said of the grading itself: times, the machine, the harness."""

from __future__ import annotations

from harness.findings.kind import Kind

KINDS: dict[str, Kind] = {
    # grading
    "hand-in-time-unknown": Kind(
        "info",
        "It is not known when this was handed in, so nothing was taken off for lateness. For the instructor: put the "
        "time "
        "into times.csv.",
    ),
    "grade-borderline": Kind(
        "info",
        "The {points:g} points are measured. On other images like these, or timed again, they would be {low:g} to "
        "{high:g}. The grade boundary at {boundaries} points lies between these, so a person decides. For the "
        "instructor: "
        "mark {criteria} by hand; the measured points may stay.",
    ),
    "held-out-repeated": Kind(
        "info",
        "{count} of the {images} held-out images repeat images that a model may have been trained on, so what was "
        "measured on them may be too high. For the instructor: held_out.accept_repeated in assignment.toml accepts "
        "them.",
    ),
    "sandbox-off": Kind("warning", "This was run without a sandbox (--sandbox none)."),
    "engine-failed": Kind(
        "error", "The sandbox engine on the grading machine failed. This says nothing of the submission."
    ),
    "machine-busy": Kind(
        "error",
        "The time ran out while other work had the machine's cores (on average {cores:.1f} of {cpus} were left). This "
        "says nothing of the submission. For the instructor: grade it again when the machine is quiet.",
    ),
    "harness-defect": Kind("error", "The harness itself failed ({reason}). This says nothing of the submission."),
}
