"""Every finding: its code, how serious it is, and what the student and the instructor read.

A finding is something noticed about a submission. It never raises; it stands in the evidence and in the
report. `CATALOGUE` holds the wording once; a stage fills in the particulars. The message is read by the student: its
particulars are the harness's own words, numbers, and names that the student gave himself before any held-out image was
there. What is not (another student's name, the text of an exception) is the `detail`, which only the instructor reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["info", "warning", "error"]


class Finding(BaseModel):
    """One thing noticed about one submission."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    message: str
    detail: str = ""  # for the instructor only

    @property
    def whole_message(self) -> str:
        """The message with its detail, for an instructor."""
        return with_detail(self.message, self.detail)

    def told_to_student(self) -> Finding:
        """The same with its detail in the message: only where it can hold nothing that is secret."""
        return self.model_copy(update={"message": self.whole_message, "detail": ""})


@dataclass(frozen=True, slots=True)
class _Kind:
    severity: Severity
    wording: str  # for str.format; says what was seen and what to do
    code: str = ""  # where one code has two wordings; else the key


CATALOGUE: dict[str, _Kind] = {
    # intake
    "nothing-handed-in": _Kind(
        "error", "The submission holds neither a notebook nor a model. Hand in notebook.ipynb or model.*."
    ),
    "part-missing": _Kind("error", "The assignment asks for a {part}, and there is none."),
    "unsafe-path": _Kind("error", "The submission holds the unsafe name {name}; none of it was unpacked."),
    "unsafe-member": _Kind("error", "{name} is a {kind}, not a plain file, and was left out. Hand in plain files."),
    "archive-unreadable": _Kind("error", "The archive {name} cannot be read: {reason}. Hand in a .zip."),
    "archive-too-large": _Kind("error", "The submission was not unpacked: {reason}."),
    "duplicate-name": _Kind("warning", "{name} appears more than once; the first one counts."),
    "file-unreadable": _Kind("error", "The file {name} cannot be read: {reason}."),
    "several-notebooks": _Kind("warning", "There are several notebooks; {name} was graded, not {others}."),
    "several-models": _Kind("warning", "There are several models; {name} was graded, not {others}."),
    "duplicate-id": _Kind(
        "warning", "Several submissions would have the id {name}, so each has a number; this one is called {id}."
    ),
    # intake: downloads, tries, groups
    "earlier-tries": _Kind(
        "info", "There is more than one try. The newest with files counts ({name}); {count} earlier: {others}."
    ),
    "beside-download": _Kind(
        "warning", "{name} lies among a download of {lms}, but is not named as one of its files: taken as it is."
    ),
    "lms-id-claimed-twice": _Kind(
        "error",
        "Several submissions claim the {lms} id {id} ({count} of them). Until somebody has found out whose each is, no "
        "mark of theirs is exported.",
    ),
    "lms-name-ambiguous": _Kind(
        "error",
        "The file name {name} can be read as that of more than one participant of {lms}, so this was taken as nobody's "
        "and its mark is not exported. Find out in {lms} who handed it in.",
    ),
    "lms-time-ambiguous": _Kind(
        "warning",
        "The file name {name} holds more than one time; {time} was taken. If that is not when it was handed in, put "
        "the right time into times.csv.",
    ),
    "lms-metadata-unreadable": _Kind("warning", "What the LMS says in {name} cannot be read: {reason}."),
    "marks-of-another": _Kind(
        "warning",
        "Marks that a person gave under the id {id} belong to another submission, which had this id before. They were "
        "not taken over: mark this one for itself.",
    ),
    "listed-name-shared": _Kind(
        "warning",
        "More than one participant is called {name}, as somebody in groups.csv or times.csv is, so neither list was "
        "used for any of them. Put the LMS's own id beside the name there.",
    ),
    "group-handed-in-twice": _Kind(
        "warning",
        "The group {group} handed in more than once ({names}), and when is not known, so each was graded. "
        "Put the times into times.csv.",
    ),
    "group-without-members": _Kind("warning", "In groups.csv the group {group} has no members."),
    # read
    "no-saved-outputs": _Kind("info", "The notebook was saved without its outputs: run it whole, then save it."),
    "step-missing": _Kind(
        "warning", "The step '{name}' was not found in the notebook. Give it a heading of that name."
    ),
    "step-uncommented": _Kind(
        "info", "The step '{name}' (cell {cell}) has code without a word about it. Say what it does, and why."
    ),
    "question-missing": _Kind("warning", "The question '{name}' was not found in the notebook. Keep its heading."),
    "question-unanswered": _Kind("warning", "The question '{name}' (cell {cell}) has no answer below it."),
    "accuracy-claim-differs": _Kind(
        "warning",
        "The notebook reports an accuracy of {claimed:.1%} ({kind}, code cell {cell}); on the {images} held-out "
        "images the model reaches {measured:.1%} [{low:.1%}, {high:.1%}].",
    ),
    "not-reproduced": _Kind(
        "warning",
        "Run again, the notebook makes a model that reaches {rerun:.1%}; the one handed in reaches {handed_in:.1%} "
        "(difference {difference:+.1%}). Fix the random seeds, and hand in the model that the notebook makes.",
    ),
    "reproduced": _Kind(
        "info",
        "Run again, the notebook makes a model that reaches {rerun:.1%}, and the one handed in {handed_in:.1%} "
        "(difference {difference:+.1%}).",
    ),
    "rerun-made-nothing": _Kind(
        "info",
        "Run again, the notebook leaves no model that was not there before, so it does not show that it makes the one "
        "handed in. A file that is only touched, renamed or copied is not made.",
    ),
    "rerun-saved-again": _Kind(
        "info",
        "Run again, the notebook leaves a model that answers as the one handed in to the last digit: it was loaded and "
        "saved again, or the training gives the same numbers each time. It does not count as reproduced.",
    ),
    # what was changed to run it
    "notebook-changed": _Kind("info", "{cells} code cells were changed to run here ({rules}); the report shows how."),
    "package-missing": _Kind(
        "warning",
        "The notebook installs {what}, which is not in the grading environment. Do without it, or ask for it to be "
        "added to the assignment's requirements.",
    ),
    "download-left-out": _Kind(
        "info", "A download was left out ({what}): there is no network. Hand the file in beside the notebook."
    ),
    "archive-not-there": _Kind(
        "info", "{what} was not unpacked: it is neither in the submission nor given by the assignment."
    ),
    "colab-stand-in": _Kind("info", "{what} is not here: drives and uploads do nothing, paths lead to the submission."),
    "empty-answer": _Kind("info", "{what} got the empty answer: nobody types while grading."),
    "rule-failed": _Kind("info", "A cell was left as it was, because a rule could not be applied ({what})."),
    # execute
    "notebook-unreadable": _Kind("error", "The notebook {name} cannot be read: {reason}."),
    "python-assumed": _Kind("info", "The notebook {why}; it was run as Python 3."),
    "harness-path-write": _Kind(
        "warning", "Cell {cell} tried to write to {path}, which belongs to the grading; nothing came of it."
    ),
    "cell-error": _Kind("error", "Cell {cell} stopped with {error}."),
    "cell-timeout": _Kind(
        "error",
        "Cell {cell} was still running after {seconds:g} s and was stopped. Train for fewer epochs, or on smaller "
        "images.",
    ),
    "notebook-timeout": _Kind("error", "The notebook was still running after {seconds:g} s in all."),
    "notebook-memory": _Kind("error", "The notebook used more than {limit}. Use smaller batches."),
    "notebook-runner-killed": _Kind("error", "The notebook's kernel or its runner died: {reason}."),
    "output-truncated": _Kind("warning", "The notebook's outputs were cut: {reason}."),
    "network-attempt": _Kind("warning", "Cell {cell} tried the network ({what}); there is none while grading."),
    "outside-read": _Kind("warning", "Cell {cell} tried to read {path}, which is not part of the submission."),
    "no-model-produced": _Kind(
        "warning", "The notebook ended without writing a model; the one handed in was graded instead."
    ),
    "environment-missing": _Kind(
        "error",
        "Not graded yet: {what}, and it is not built on the grading machine, which says nothing of the submission. "
        "The instructor builds it once: {command}",
    ),
    "weights-missing": _Kind(
        "error",
        "Cell {cell} needs {what}, which the grading machine does not have. The instructor gets them once (and adds "
        "them where assignment.toml lists weights): harness weights fetch {name}",
    ),
    # convert
    "no-model": _Kind("error", "There is no model to grade. Save one with harness.handin.save."),
    "model-unreadable": _Kind("error", "The model {name} cannot be loaded."),
    "model-not-converted": _Kind("warning", "The model runs as it is, not as ONNX: {reason}."),
    "conversion-differs": _Kind(
        "warning",
        "The ONNX form answers differently from the original (largest difference {difference:.2g}); "
        "the original was graded.",
    ),
    "preprocessing-assumed": _Kind(
        "info", "No pre-processing is declared in handin.json, so this was assumed: {what}."
    ),
    "handin-json-invalid": _Kind("error", "handin.json is not as it should be: {reason}."),
    "labels-missing": _Kind("warning", "There is no labels.txt; the classes were taken in alphabetical order."),
    "labels-invalid": _Kind("error", "labels.txt is not as it should be: {reason}."),
    "answers-vary": _Kind(
        "warning",
        "The model answers differently each time on the same image. Its ONNX form, which was graded, does not. "
        "Switch dropout and augmentation off before saving (model.eval()).",
    ),
    "labels-wrong-count": _Kind("error", "The model has {outputs} outputs, but there are {labels} labels ({names})."),
    "class-missing": _Kind("error", "The model does not know the class {name}."),
    "class-unknown": _Kind("info", "The model's class {name} is none of the assignment's."),
    # predict
    "prediction-failed": _Kind(
        "error",
        "The model gave no usable answers: {reason}. Try the file that you handed in on photographs of your own.",
    ),
    "outputs-not-probabilities": _Kind(
        "warning", "The outputs do not sum to 1, so they were taken as logits and put through a softmax."
    ),
    "constant-output": _Kind("error", "The model gives the same answer whatever the image."),
    "answers-depend-on-order": _Kind(
        "error",
        "Asked twice for the same image, the model answers differently (a probability changes by up to "
        "{difference:.2g}; {images} images were asked twice), so its accuracy waits for a person. An answer may "
        "depend on the image alone. Switch dropout and augmentation off before saving (model.eval()).",
    ),
    # evaluate
    "labels-swapped": _Kind(
        "error",
        "The labels look mixed up: with {swaps} the accuracy would be {would:.1%} instead of {is_:.1%}. "
        "Check the order in labels.txt.",
    ),
    "preprocessing-mismatch": _Kind(
        "error",
        "The pre-processing does not fit the model: as declared {is_:.1%} on {images} images, with "
        "{other} {would:.1%}.",
    ),
    # inspect
    "no-layer-frozen": _Kind(
        "warning",
        "None of the {layers} pre-trained {backbone} layers is as it was, and they moved by {moved:.0%} "
        "(median). Freeze them before the first fit.",
    ),
    "backbone-unused": _Kind(
        "error",
        "The file holds pre-trained {backbone} weights, but the answers do not rest on them: {why}.",
    ),
    "backbone-use-unclear": _Kind(
        "warning",
        "It could not be shown that the answers rest on the pre-trained {backbone} weights in the file: {why}. A "
        "person has to look at the graph.",
    ),
    "untrained-head": _Kind(
        "error",
        "The output layer looks untrained: its weights cannot be told from {initialisation}, and {right} of {images} "
        "images right is no more than guessing among {classes} classes. Train it, then save.",
    ),
    "backbone-preprocessing": _Kind(
        "warning",
        "The declared pre-processing is not the one that {backbone} was trained with, so its frozen layers see "
        "pixels on a scale that they do not know.",
        code="preprocessing-mismatch",
    ),
    "trained-from-scratch": _Kind(
        "warning", "No pre-trained backbone was recognised in the model: it looks trained from scratch."
    ),
    "unknown-operators": _Kind("info", "Multiply-adds leave out operators that cannot be counted here."),
    # across submissions
    "model-copied": _Kind("warning", "The model is the same as that of {other}: {how}."),
    "model-copied-disguised": _Kind(
        "warning",
        "The model is all but the same as that of {other}: {how}. Training from one seed on the same data can lead "
        "there, too.",
        code="model-copied",
    ),
    # benchmark
    "benchmark-failed": _Kind("warning", "The speed could not be measured: {reason}."),
    "benchmark-outputs-differ": _Kind(
        "error",
        "In the benchmark the model answered differently than before on the same images, so its time does not count "
        "until a person has looked.",
    ),
    "stateful-model": _Kind(
        "warning",
        "The model can answer one call otherwise than the next ({operators}), so its time does not count until a "
        "person has looked. Export it for inference, without dropout and random operators.",
    ),
    "benchmark-unsteady": _Kind("info", "The timing was unsteady: {reason}."),
    # audit
    "dataset-unreadable-images": _Kind("warning", "{count} image files of the data set cannot be read."),
    "dataset-unusable": _Kind("error", "The data set cannot be read: {reason}."),
    "dataset-leak": _Kind(
        "error",
        "{count} of the data set lie in two splits at once ({example}): what the model is tested on, it was trained "
        "on. Take the copies out.",
    ),
    "dataset-burst": _Kind(
        "warning",
        "{what} ({example}). Photographs of one scene count as one: keep them in one split, and take new scenes.",
    ),
    "dataset-shared-with-other": _Kind(
        "warning", "{count} of the data set are the same photographs as another submission's ({example})."
    ),
    "comparison-cut": _Kind(
        "info",
        "Not all images {what} were compared, because very many are alike. What is said of copies and scenes holds "
        "for those that were; look at the others yourself.",
    ),
    "answers-not-compared": _Kind(
        "warning",
        "The model has so many labels ({labels:,}) that its answers were not compared with those of other models; its "
        "weights were.",
    ),
    "dataset-cut": _Kind("warning", "The data set has {count} more images than are looked at; the first {most} count."),
    "dataset-too-few-images": _Kind(
        "warning", "{classes}: fewer than {least} readable images. Take more photographs of each object."
    ),
    "dataset-too-many-classes": _Kind("warning", "The data set has {classes} classes; at most {most} are asked for."),
    "dataset-too-few-classes": _Kind("warning", "The data set has {classes} classes; at least {least} are asked for."),
    "dataset-mislabelled": _Kind(
        "warning", "{count} of the data set seem to lie in the wrong class ({example}). Look at them."
    ),
    "dataset-two-labels": _Kind(
        "warning",
        "{count} of the data set lie in several classes at once, as one photograph ({example}): at most one label is "
        "right. Take the others out.",
    ),
    "dataset-box-faults": _Kind("warning", "{count} of the data set have faulty boxes ({example}). Correct them."),
    "dataset-annotation-unreadable": _Kind("warning", "{count} of the data set cannot be used ({example})."),
    "withheld-too-few": _Kind(
        "warning",
        "Of {classes} fewer than {least} images could be withheld, so the score on them says little: there are too "
        "few, or they show too few scenes.",
    ),
    "withheld-impossible": _Kind("error", "Nothing can be withheld of the data set to grade on: {reason}."),
    "seen-better-than-rerun": _Kind(
        "warning",
        "The model handed in has {seen:.1%} on the withheld images, which it has seen, and the one that the "
        "rerun trained without them {rerun:.1%}: the difference {difference:+.1%} is more than chance.",
    ),
    "rerun-too-slow": _Kind(
        "warning",
        "In {limit:.0f} minutes the rerun finished {done} of {total} epochs; all of them would take about "
        "{minutes:.0f} minutes on these cores.",
    ),
    "rerun-fewer-epochs": _Kind(
        "warning", "It was therefore run again with {share:.0%} of the epochs, as the assignment says."
    ),
    "embedded-data": _Kind(
        "warning",
        "The notebook's source carries up to {information:,} bytes of data ({usual:,} are usual), most "
        "in {where} ({there:,}). A trained model, or withheld images, could be written there: a person has to look. "
        "Leave out what the notebook does not need.",
    ),
    "embedded-in-dataset": _Kind(
        "warning",
        "The names, lists and annotations of the data set carry up to {information:,} bytes of data; {usual:,} are "
        "usual for its images. A trained model could be written there: a person has to look.",
        code="embedded-data",
    ),
    "embedded-in-images": _Kind(
        "warning",
        "{count} images of the data set look like data, not like photographs ({example}). A trained model could be "
        "written there: a person has to look. Take them out.",
        code="embedded-data",
    ),
    "rerun-names-replaced": _Kind(
        "info",
        "The names of the images carry more than the names that cameras and people give, so the rerun saw numbers in "
        "their place; names that stand in the notebook were kept.",
    ),
    "rerun-files-left-out": _Kind(
        "info",
        "{count} files were not given to the rerun, because they are no part of the data set that could be understood "
        "and written anew ({example}).",
    ),
    "rerun-without-model": _Kind(
        "error",
        "Only a model that the rerun trains is graded, and the notebook wrote none. Save it beside the notebook.",
    ),
    # grading
    "hand-in-time-unknown": _Kind(
        "info", "When this was handed in is not known, so nothing was taken off for lateness. Put it into times.csv."
    ),
    "sandbox-off": _Kind("warning", "This was run without a sandbox (--sandbox none)."),
    "engine-failed": _Kind("error", "The sandbox engine failed; this says nothing of the submission."),
    "machine-busy": _Kind(
        "error",
        "The time ran out while other work had the machine's cores (on average {cores:.1f} of {cpus} were left); this "
        "says nothing of the submission. Grade it again when the machine is quiet.",
    ),
    "harness-defect": _Kind("error", "The harness itself failed ({reason}); this says nothing of the submission."),
}

# What to do about a cell that stopped, by what it stopped with (harness/stages/execute/advice.py decides which).
ADVICE: dict[str, str] = {
    "own-module": "Hand in {name}.py beside the notebook: it is imported, and not there",
    "no-package": "{name} is not in the grading environment: do without it, or ask for it to be added to the "
    "assignment's requirements",
    "moved-name": "{name} is not in the installed version: write it as today's documentation of the package has it",
    "nobody-types": "Nobody types while grading: give the value in the code instead",
    "no-network": "There is no network while grading: hand the file in beside the notebook, or use the data and "
    "weights that the assignment gives",
    "no-file": "{name} is neither in the submission nor a place where the assignment gives its images: hand it in "
    "beside the notebook, and name it relative to the notebook",
    "not-written": "{name} is used before anything defines it: fill in the step that should, and run all cells from "
    "the top before you hand in",
    "left-open": "Fill in what the assignment left open in this cell",
    "no-python": "This cell is no valid Python: correct it, and run all cells from the top before you hand in",
    "no-gpu": "There is no graphics card here: choose the device with torch.cuda.is_available()",
    "no-pictures": "There were no images to work on: read them from the folder that the assignment names",
    "too-few-pictures": "The assignment's data set has fewer images than this cell counts on: take the number from "
    "the data",
    "two-shapes": "Shapes do not fit: take the number of classes and images from the data, not as a fixed number",
}


# Why the answers of a model do not rest on a backbone, as part of a sentence.
BACKBONE_DOUBTS = {
    "read-as-data": "no layer applies them to what comes of the pixels, they are only read as numbers",
    "not-carried": "when its layers are given what they saw in another image, the answer does not become the one to "
    "that image",
    "no-effect": "with a part of those weights shuffled, where images pass through them, it answers as before",
    "activations-differ": "some of its layers make something else of an image than the pre-trained ones do",
    "unusual-graph": "before, between or beside its layers stands what no ordinary network has there",
    "same-answers": "it says the same of every image",
    "not-run": "the graph does not run with its layers opened",
}


def backbone_doubt(kind: str) -> str:
    """What speaks against the use of a backbone. Raises `KeyError` for a kind that is not there: our mistake."""
    return BACKBONE_DOUBTS[kind]


def advice(kind: str, **particulars: str) -> str:
    """What to do, without a full stop at its end. Raises `KeyError` for a kind that is not there: our mistake."""
    return ADVICE[kind].format(**{key: one_line(value, 100) for key, value in particulars.items()})


def finding(code: str, *, detail: str = "", **particulars: object) -> Finding:
    """The finding `code` with its wording filled in. `detail`: foreign text, for the instructor only.

    Raises `KeyError` for a code, or a particular, that the catalogue does not have: our mistake.
    """
    kind = CATALOGUE[code]
    plain = {key: one_line(value) if isinstance(value, str) else value for key, value in particulars.items()}
    message = kind.wording.format(**plain)
    return Finding(code=kind.code or code, severity=kind.severity, message=message, detail=one_line(detail))


def with_detail(sentence: str, detail: str) -> str:
    """`It stopped.` and `no such file` -> `It stopped: no such file.`"""
    if not detail:
        return sentence
    end = "." if sentence.endswith(".") else ""
    return f"{sentence.removesuffix('.')}: {detail.removesuffix('.')}{end}"


def one_line(text: str, limit: int = 300) -> str:
    """Control characters and line breaks out, cut at `limit`: the text may be a student's."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
