"""Why a criterion gives its points, and what lateness takes: the words beside a mark."""

from __future__ import annotations

_ACCURACY = {
    "accuracy-none": "There is no accuracy. {why}",
    "accuracy-no-reference": "There is no reference to compare with.",
    "accuracy-depends-on-order": "Asked twice for the same image, the model answers differently, so an accuracy says "
    "nothing: a person looks at it.",
    "accuracy-unsettled": "The pre-processing or the labels are not declared, and what was assumed may be wrong, so a "
    "person decides. As assumed: {reason}",
    "accuracy-marked": "{accuracy:.3f} against the reference's {reference:.3f} on {images} images: "
    "difference {difference:+.3f} [{low:+.3f}, {high:+.3f}]. All points from {full_at:+.2f}, none at {zero_at:+.2f}.",
}

_SPEED = {
    "latency-no-model": "There is no model to time.",
    "latency-not-measured": "The speed was not measured: {why}",
    "latency-other-model": "It was not the same model: while timed it answered differently than before.",
    "latency-stateful": "It can answer one call otherwise than the next ({operators}): a person decides.",
    "latency-no-reference": "The reference was not timed beside it.",
    "latency-unsteady": "The timing was too unsteady for points: {ratio:.2f} times the reference's latency, 95 % "
    "interval {low:.2f} to {high:.2f}, which is {least:.2f} to {most:.2f} of {points:g} points. A person decides.",
    "latency-marked": "{model} ms (median) against the reference's {reference} ms: {ratio:.2f} times "
    "[{low:.2f}, {high:.2f}]. All points up to {full_at:g} times, none at {zero_at:g} times.",
    "board-no-model": "There is no model to predict for.",
    "board-not-predicted": "Nothing is predicted for a board: {why}",
    "board-no-reference": "The reference could not be predicted on the board.",
    "board-not-listed": "What its {operators} does while it runs is not in the prediction: a person decides.",
    "board-too-large": "By an estimate of its memory the model does not fit {boards}.",
    "board-marked": "Predicted for {board}: {ratio:.2f} times the reference's time there [{low:.2f}, {high:.2f}], "
    "which is {band!r}. All points up to {full_at!r}, none from {zero_at!r}.",
}

_BACKBONE = {
    "backbone-no-model": "There is no model to look into. {why}",
    "backbone-not-looked-into": "The model could not be looked into: {why}",
    "backbone-not-recognised": "None of the backbones that this assignment names was recognised in the model.",
    "backbone-not-rested-on": "The model carries {backbone} weights, but its answers do not rest on them.",
    "backbone-not-shown": "It could not be shown that the answers rest on the {backbone} weights.",
    "backbone-kept": "{frozen} of {layers} pre-trained {backbone} layers are as they were.",
    "backbone-kept-compressed": "{frozen} of {layers} pre-trained {backbone} layers are as they were, apart from "
    "{changes}.",
    "backbone-changes-rounding": "rounding",
    "backbone-changes-pruning": "pruning ({zeros:.0%} of their weights are zero)",
    "backbone-changes-both": "rounding and pruning ({zeros:.0%} of their weights are zero)",
    "backbone-beside-another": "Another network stands beside the pre-trained {backbone} layers: {new:,} of "
    "{total:,} parameters are new. A person decides.",
    "backbone-too-compressed": "Too much of the {backbone} weights was rounded or set to zero to tell whether they "
    "were trained.",
    "backbone-reused-in-part": "{judged} The model has {reused} of the backbone's {layers} layers: all points from "
    "{full_at:.0%} of them, none below {zero_at:.0%}.",
    "backbone-moved": "{frozen} of {layers} pre-trained {backbone} layers are as they were; they moved by {moved:.1%} "
    "(median). All points up to {full_at:.0%}, none at {zero_at:.0%}.",
}

_NOTEBOOK = {
    "notebook-no-code": "The notebook has no code to run.",
    "notebook-ran": "All {cells} code cells ran.",
    "notebook-stopped": "{ran} of {cells} code cells ran. {why}",
    "notebook-not-run": "The notebook was not run. {why}",
    "notebook-unchanged": "Nothing that costs points was changed.",
    "notebook-changed-by-one": "Changed by {rules} rule: {names}.",
    "notebook-changed-by": "Changed by {rules} rules: {names}.",
}

_DATA_SET = {
    "data-set-none": "There is no data set to look at. {why}",
    "data-set-clean": "{images} readable images in {classes} classes, with no fault that was looked for.",
    "data-set-faulty": "{images} readable images in {classes} classes; {taken} of the points.",
}

_BY_A_PERSON = {
    "waits": "Waits for a person to mark it.",
    "waits-with-questions": "Waits for a person to mark it. Questions: {questions}.",
    "predicted-all": "It answered for all {images} images.",
    "rests-on-own-word": "A person decides, because this rests on what the student's own code said of itself (stage "
    "{stages}). By that it would be: {reason}",
    "rerun-in-doubt": "A person decides whether the rerun trained this model. {why} Measured: {reason}",
    "may-not-judge-by": "A person decides: the criterion would judge by {what}, which it may not.",
    "machine-failed": "Not judged, because the machine failed, not the submission: {reason}",
    "mark-again": "A person has to mark it again. {otherwise}",
    "was-given": "Was given {points:g} points{by} {given_for}: confirm or change it.",
    "was-given-more": "Was given {points:g} points{by}, more than the {most:g} there are now: mark it again.",
}

_LATE = {
    "late": "Handed in {when}{said}, {days} late for the deadline {limit}: {rule}.",
    "late-but-how-much": "{clock} says that it was late, but not how late. Put the time into times.csv, or mark it.",
    "late-no-points": "after {days} days there are no points",
    "late-share": "{penalty} of the points a day",
    "late-points": "{penalty} points a day",
    "late-at-most": "{rule}, for {days} at most",
}

# For what a person's mark was given that does not count here.
GIVEN_FOR = {
    "other content": "for earlier content",
    "unknown": "before it was recorded for what",
    "one of several": "under a name that several submissions have",
}

SENTENCES = {**_ACCURACY, **_SPEED, **_BACKBONE, **_NOTEBOOK, **_DATA_SET, **_BY_A_PERSON, **_LATE}
