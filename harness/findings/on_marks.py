"""Why a criterion gives its points, and what lateness takes: the words beside a mark."""

from __future__ import annotations

_ACCURACY = {
    "accuracy-none": "There is no accuracy. {why}",
    "accuracy-no-reference": "There is no reference to compare with.",
    "accuracy-depends-on-order": "The model was asked twice for the same image and answered differently, so its "
    "accuracy says nothing. A person looks at it.",
    "accuracy-unsettled": "The submission does not declare the pre-processing or the labels, and what was assumed in "
    "their place may be wrong. A person decides. With what was assumed: {reason}",
    "accuracy-marked": "The model is right on {accuracy:.1%} of {images} images, the reference on {reference:.1%}. The "
    "difference is {difference:+.1f} percentage points (95 % interval {low:+.1f} to {high:+.1f}). A difference of "
    "{full_at:+g} or better earns all points, {zero_at:+g} or worse none.",
}

_DETECTION = {
    "ap-none": "There is no average precision. {why}",
    "ap-depends-on-order": "The detector was asked twice for the same image and answered differently, so its scores "
    "say nothing. A person looks at it.",
    "ap-unsettled": "The submission does not declare what its labels mean or how its pixels are scaled, and what was "
    "assumed may be wrong. A person decides. With what was assumed: {reason}",
    "ap-marked": "The detector has an {measure} of {own:.3f} on {images} images, the reference {reference:.3f}. The "
    "difference is {difference:+.3f} (95 % interval {low:+.3f} to {high:+.3f}). A difference of {full_at:+g} or better "
    "earns all points, {zero_at:+g} or worse none.",
    "counts-none": "No objects were counted. {why}",
    "counts-marked": "A board shows as many objects as there are on {exact} of {images} images ({share:.1%}, 95 % "
    "interval {low:.1f} % to {high:.1f} %). {full_at:g} % or more earn all points, {zero_at:g} % or fewer none.",
    "counts-marked-against": "A board shows as many objects as there are on {exact} of {images} images ({share:.1%}), "
    "with the reference on {reference:.1%}. The difference is {difference:+.1f} percentage points (95 % interval "
    "{low:+.1f} to {high:+.1f}). A difference of {full_at:+g} or better earns all points, {zero_at:+g} or worse none.",
}

_SPEED = {
    "latency-no-model": "There is no model to time.",
    "latency-not-measured": "The speed was not measured. {why}",
    "latency-other-model": "While it was timed, the model gave other answers than before, so it may not be the same "
    "model.",
    "latency-stateful": "The model can give another answer each time it is asked ({operators}). A person decides.",
    "latency-no-reference": "The reference was not timed beside it.",
    "latency-unsteady": "The time changed too much from one measurement to the next to give points. The model takes "
    "{ratio:.2f} times as long as the reference (95 % interval {low:.2f} to {high:.2f}), which would be {least:.2f} to "
    "{most:.2f} of {points:g} points. A person decides.",
    "latency-marked": "One image takes {model} ms (median), with the reference {reference} ms: {ratio:.2f} times as "
    "long (95 % interval {low:.2f} to {high:.2f}). Up to {full_at:g} times earns all points, {zero_at:g} times or more "
    "none.",
    "board-no-model": "There is no model to predict for.",
    "board-not-predicted": "The time on a board was not predicted. {why}",
    "board-no-reference": "The reference could not be predicted on the board.",
    "board-not-listed": "The prediction leaves out what {operators} does while the model runs. A person decides.",
    "board-too-large": "The model needs more memory than {boards} has, by an estimate. A person decides.",
    "board-marked": "On {board} the model is predicted to take {ratio:.2f} times the reference's time there (90 % "
    "interval {low:.2f} to {high:.2f}), which counts as {band!r}. {full_at!r} or faster earns all points, {zero_at!r} "
    "or "
    "slower none.",
}

_BACKBONE = {
    "backbone-no-model": "There is no model to inspect. {why}",
    "backbone-not-looked-into": "The model's layers could not be inspected. {why}",
    "backbone-not-recognised": "None of the backbones that this assignment names was recognised in the model.",
    "backbone-not-rested-on": "The model holds {backbone} weights, but does not use them for its answers.",
    "backbone-not-shown": "It could not be shown that the model uses the {backbone} weights for its answers. A person "
    "decides.",
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
    "backbone-reused-in-part": "{judged} The model has {reused} of the backbone's {layers} layers. {full_at:.0%} of "
    "them or more earn all points, {zero_at:.0%} or fewer none.",
    "backbone-moved": "{frozen} of {layers} pre-trained {backbone} layers are as they were; they moved by {moved:.1%} "
    "(median). A change of {full_at:.0%} at most earns all points, {zero_at:.0%} or more none.",
}

_NOTEBOOK = {
    "notebook-no-code": "The notebook has no code to run.",
    "notebook-ran": "All {cells} code cells ran.",
    "notebook-stopped": "{ran} of {cells} code cells ran. {why}",
    "notebook-not-run": "The notebook was not run. {why}",
    "notebook-unchanged": "The notebook ran as it was handed in, or with changes that cost no points.",
    "notebook-changed-by-one": "The harness changed the notebook by {rules} rule, so that it runs here: {names}.",
    "notebook-changed-by": "The harness changed the notebook by {rules} rules, so that it runs here: {names}.",
}

_DATA_SET = {
    "data-set-none": "There is no data set to judge. {why}",
    "data-set-clean": "The data set has {images} readable images in {classes} classes. No fault was found.",
    "data-set-faulty": "The data set has {images} readable images in {classes} classes. Faults, and the share of the "
    "points that each takes: {taken}.",
    "data-set-faults-free": "The data set has {images} readable images in {classes} classes. Faults were found that "
    "take no points here.",
}

_BY_A_PERSON = {
    "waits": "A person has to mark this.",
    "waits-with-questions": "A person has to mark this. Questions: {questions}.",
    "predicted-all": "The model answered for all {images} held-out images.",
    "rests-on-own-word": "A person decides, because only the student's own code says this (stage {stages}). It says: "
    "{reason}",
    "rerun-in-doubt": "A person decides whether the rerun trained this model. {why} Measured: {reason}",
    "may-not-judge-by": "A person decides, because the criterion does not say that it reads {what}.",
    "machine-failed": "The grading machine failed, not the submission, so nothing is judged yet. What is known: "
    "{reason}",
    "mark-again": "A person has to mark it again. {otherwise}",
    "was-given": "A person gave {points:g} points{by} {given_for}. They have to be confirmed or changed.",
    "was-given-more": "A person gave {points:g} points{by}, which is more than the {most:g} there are now. It has to "
    "be marked again.",
}

_LATE = {
    "late": "Handed in {when}{said}, {days} late for the deadline {limit}: {rule}.",
    "late-but-how-much": "{clock} says that it was late, but not how late. For the instructor: put the time into "
    "times.csv, or mark it.",
    "late-no-points": "after {days} days there are no points",
    "late-share": "{penalty} of the points a day",
    "late-points": "{penalty} points a day",
    "late-at-most": "{rule}, for {days} at most",
}

# What would have earned more. `points`: all of the criterion's.
_MORE = {
    "more-notebook-runs": "A notebook whose cells all run, from the first to the last, earns all {points:g} points.",
    "more-predicts": "A model that can be loaded and answers for every image earns all {points:g} points.",
    "more-unchanged": "A notebook that runs as it was handed in earns all {points:g} points.",
    "more-without-rules": "A notebook that runs without these changes earns all {points:g} points: {names}.",
    "more-data-set-none": "A data set without faults earns all {points:g} points.",
    "more-data-set": "Mend these faults: {faults}.",
    "more-backbone-kept": "Freeze the pre-trained layers before the first fit. If their weights change by "
    "{full_at:.0%} "
    "at most (median over the layers), that earns all {points:g} points.",
    "more-backbone-whole": "Keep more of the backbone: {full_at:.0%} of its {layers} layers are enough.",
    "more-board": "A model that is predicted to be {full_at!r} on {board} earns all {points:g} points.",
    "more-latency": "A model that takes {most_ms} ms at most for one image ({full_at:g} times the reference's time) "
    "earns all {points:g} points.",
    "more-accuracy": "A model that is right on {wanted:.1%} of these images earns all {points:g} points.",
    "more-ap": "A detector with an {measure} of {wanted:.3f} on these images earns all {points:g} points.",
    "more-ap-labels": "Write the labels in this order: {labels}. AP50 would be {would:.3f} instead of {was:.3f}.",
    "more-ap-scaling": "Declare in handin.json how the pixels are scaled: {way}. AP50 would be {would:.3f} instead of "
    "{was:.3f}.",
    "more-counts": "A detector that counts right on {wanted:.1%} of these images earns all {points:g} points.",
    "more-measured": "{fix}: {was:.1%} -> {would:.1%} of {images} images are right.",
    "more-would-earn": "That would earn about {would:.1f} of {points:g} points.",
    "fix-labels": "Write the labels in this order: {labels}",
}

_SWAP_COLOURS = "Swap red and blue in the declared pre-processing"
_USE_SCALING = 'Use the pixel scaling of preprocess="{name}"'

_NO_SCALING = "raw-0-255"  # a probe of the stage `predict`; `harness.handin.save` calls it "none"


def preprocessing_fix(probe: str) -> str:
    """What to do where the pre-processing `probe` fits better, without a full stop."""
    if probe == "colours-swapped":
        return _SWAP_COLOURS
    return _USE_SCALING.format(name="none" if probe == _NO_SCALING else probe)


# For what a person's mark was given that does not count here.
GIVEN_FOR = {
    "other content": "for earlier content",
    "unknown": "before it was recorded for what",
    "one of several": "under a name that several submissions have",
}

SENTENCES = {
    **_ACCURACY,
    **_DETECTION,
    **_SPEED,
    **_BACKBONE,
    **_NOTEBOOK,
    **_DATA_SET,
    **_BY_A_PERSON,
    **_LATE,
    **_MORE,
}
