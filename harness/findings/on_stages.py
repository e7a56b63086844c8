"""Why a stage has no result. Pure words: a reason is fit for both the instructor and the student."""

from __future__ import annotations

# What a job in the sandbox did. `what` is the subject: "The benchmark", "Reading the data set".
_JOBS = {
    "job-timeout": "{what} did not end within {seconds:g} s",
    "job-memory": "{what} used more than {gigabytes:.1f} GB of memory",
    "job-killed": "{what} was killed from inside the sandbox",
    "job-output": "{what} sent results that are too large or malformed",
    "job-failed": "{what} failed",
    "job-unusable": "{what} sent something unusable: {why}.",
    "advice-model-py": "model.py must only define build_model, which builds the model and does nothing else",
    "advice-onnx": "save the model as ONNX, which brings no code of its own",
    "engine-failed-times": "The sandbox engine failed {times} times.",
    "environment-needed": "{what}. For the instructor: {command}",
}

_NOT_ASKED = {
    "not-asked": "This assignment does not ask for it.",
    "notebooks-not-asked": "This assignment does not look at notebooks.",
    "data-sets-not-asked": "This assignment does not look at data sets.",
    "no-rerun-asked": "This assignment grades the notebook as it was handed in, without running it.",
    "no-board-asked": "No board is asked for.",
}

_NOT_THERE = {
    "not-done": "It was not done.",
    "of-another-task": "Assignments of another task have it.",
    "not-read": "The notebook was not read.",
    "not-timed-yet": "It is timed when all submissions have been examined.",
    "no-notebook": "No notebook was handed in.",
    "no-data-set": "No data set was handed in.",
    "no-withheld-part": "There is no data set of which a part could be withheld, so the notebook was not run.",
    "no-usable-model": "There is no usable model.",
    "no-model-at-all": "There is no model: none was handed in, and the notebook saved none.",
    "no-predictions": "There are no predictions to score.",
    "no-labelled-images": "There are no labelled images here to score the model on.",
}

_WRONG = {
    "reading-unusable": "Reading the notebook gave something unusable: {why}.",
    "not-looked-into": "The model cannot be looked into: {why}.",
    "kernels-not-listed": "The model's kernels cannot be listed: {why}.",
    "not-tried-on-worse": "The model was not tried on worse images: {why}.",
    "no-detector": "It is no detector: {why}",
    "not-in-precision": "It does not become {precision}: {why}",
    "not-timed": "It could not be timed: {why}",
    "layers-not-timed": "The model's layers could not be timed: {why}",
    "torch-only": "The model does not become ONNX, so only the engine torch can run it.",
    "own-code-no-graph": "The student's own code answers, so there is no model to look into or to time.",
    "native-not-timed": "The model runs as it is, not as ONNX, so its speed cannot be compared.",
    "native-not-looked-into": "The detector runs as it is, not as ONNX, so its layers are not known.",
    "native-not-predicted": "The model runs as it is, not as ONNX, so its layers are not known.",
    "no-peaks-published": "The peak speed of these boards is not published, so no time can be predicted.",
    "reference-wrote-no": "The reference code did not write {files}.",
    "reference-not-trained-here": "the reference could not be trained on this data set",
}

SENTENCES = {**_JOBS, **_NOT_ASKED, **_NOT_THERE, **_WRONG}
