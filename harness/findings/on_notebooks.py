"""What is said of a notebook: how it reads, what was changed to run it, how it ran, and what its rerun made."""

from __future__ import annotations

from harness.findings.kind import Kind

KINDS: dict[str, Kind] = {
    # read
    "no-saved-outputs": Kind("info", "The notebook was saved without its outputs: run it whole, then save it."),
    "half-characters": Kind(
        "info",
        "The notebook holds {count} half characters, as of an emoji that was cut in two; a sign stands in the place of "
        "each. Type them again.",
    ),
    "step-missing": Kind("warning", "The step '{name}' was not found in the notebook. Give it a heading of that name."),
    "step-uncommented": Kind(
        "info",
        "The step '{name}' (cell {cell}) has code, but hardly a word says what it does. Say what it does, and why.",
    ),
    "question-missing": Kind("warning", "The question '{name}' was not found in the notebook. Keep its heading."),
    "question-unanswered": Kind("warning", "The question '{name}' (cell {cell}) has no answer below it."),
    # what was changed to run it
    "notebook-changed": Kind(
        "info", "The harness changed {cells} code cells so that they run here ({rules}). The report shows each change."
    ),
    "package-missing": Kind(
        "warning",
        "The notebook installs {what}, which is not in the grading environment. Do without it, or ask for it to be "
        "added to the assignment's requirements.",
    ),
    "download-left-out": Kind(
        "info", "A download was left out ({what}): there is no network. Hand the file in beside the notebook."
    ),
    "archive-not-there": Kind(
        "info", "{what} was not unpacked: it is neither in the submission nor given by the assignment."
    ),
    "colab-stand-in": Kind(
        "info",
        "{what} is not available here. Mounting a drive or uploading a file does nothing, and a drive's paths lead to "
        "the submission.",
    ),
    "restart-left-out": Kind(
        "info", "{what} was left out: it ends or restarts the kernel, and the cells after it would not run."
    ),
    "empty-answer": Kind("info", "{what} got an empty text as its answer, because nobody types while grading."),
    "rule-failed": Kind("info", "A cell was left as it was, because a rule could not be applied ({what})."),
    # execute
    "notebook-unreadable": Kind("error", "The notebook {name} cannot be read: {reason}."),
    "python-assumed": Kind("info", "The notebook {why}; it was run as Python 3."),
    "harness-path-write": Kind(
        "warning", "Cell {cell} tried to write to {path}, which belongs to the grading. The write had no effect."
    ),
    "image-missing": Kind(
        "warning",
        "Cell {cell} shows the image {path}, which is not there; the run went on. Hand it in beside the notebook.",
    ),
    "cell-error": Kind("error", "Cell {cell} stopped with {error}."),
    "cell-timeout-loop": Kind(
        "error",
        "Cell {cell} was still running after {seconds:g} s and was stopped. See whether its loop ends, and that "
        "nothing in it waits.",
        code="cell-timeout",
    ),
    "cell-timeout-idle": Kind(
        "error",
        "Cell {cell} did nothing for {seconds:g} s and was stopped. It waits for something that does not come here: a "
        "GPU, the network, an answer, or a process that has ended. Take out what waits.",
        code="cell-timeout",
    ),
    "cell-timeout-flood": Kind(
        "error",
        "Cell {cell} was still writing output after {seconds:g} s and was stopped. See whether its loop ends, and "
        "print less.",
        code="cell-timeout",
    ),
    "cell-timeout": Kind(
        "error",
        "Cell {cell} was still running after {seconds:g} s and was stopped. Train for fewer epochs, or on smaller "
        "images.",
    ),
    "notebook-timeout": Kind("error", "The notebook was still running after {seconds:g} s in all and was stopped."),
    "notebook-memory": Kind("error", "The notebook used more than {limit}. Use smaller batches."),
    "notebook-memory-flood": Kind(
        "error",
        "Cell {cell} wrote output without end until the notebook had used more than {limit}. See whether its loop "
        "ends, and print less.",
        code="notebook-memory",
    ),
    "kernel-ended": Kind(
        "error",
        "Cell {cell} ended the kernel, by a call such as exit() or by a crash in a library. Leave that out, and run "
        "all cells from the top before you hand in.",
        code="notebook-runner-killed",
    ),
    "notebook-runner-killed": Kind("error", "The notebook's kernel or its runner died: {reason}."),
    "output-truncated": Kind("warning", "The notebook's outputs were cut: {reason}."),
    "network-attempt": Kind("warning", "Cell {cell} tried the network ({what}); there is none while grading."),
    "outside-read": Kind("warning", "Cell {cell} tried to read {path}, which is not part of the submission."),
    "environment-missing": Kind(
        "error",
        "Not graded yet: {what}, and it is not built on the grading machine. This says nothing of the submission. "
        "For the instructor: build it once with {command}",
    ),
    "weights-missing": Kind(
        "error",
        "Cell {cell} needs {what}, which the grading machine does not have. For the instructor: fetch them once, and "
        "name them where assignment.toml lists weights: harness weights fetch {name}",
    ),
    # rerun
    "not-reproduced": Kind(
        "warning",
        "Run again, the notebook makes a model that reaches {rerun:.1%}; the one handed in reaches {handed_in:.1%} "
        "(difference {difference:+.1%} [{low:+.1%}, {high:+.1%}], McNemar's test p = {p:.3f}). Fix the random seeds, "
        "and hand in the model that the notebook makes.",
    ),
    "reproduced": Kind(
        "info",
        "Run again, the notebook makes a model that reaches {rerun:.1%}, and the one handed in {handed_in:.1%} "
        "(difference {difference:+.1%} [{low:+.1%}, {high:+.1%}], McNemar's test p = {p:.3f}): on these images they do "
        "not differ by more than chance.",
    ),
    "rerun-made-nothing": Kind(
        "info",
        "Run again, the notebook leaves no model that was not there before, so it does not show that it makes the one "
        "handed in. A file that is only touched, renamed or copied is not made.",
    ),
    "rerun-saved-again": Kind(
        "info",
        "Run again, the notebook leaves a model that answers as the one handed in to the last digit: it was loaded and "
        "saved again, or the training gives the same numbers each time. It does not count as reproduced.",
    ),
    "seen-better-than-rerun": Kind(
        "warning",
        "The model handed in is right on {seen:.1%} of the withheld images, which it has seen. The model that the "
        "rerun "
        "trained without them is right on {rerun:.1%}. The difference of {difference:+.1%} is more than chance.",
    ),
    "seen-finds-more-than-rerun": Kind(
        "warning",
        "The detector handed in has an AP50 of {seen:.3f} on the withheld images, which it has seen. The one that the "
        "rerun trained without them has {rerun:.3f}. The difference of {difference:+.3f} is more than chance.",
    ),
    "rerun-too-slow": Kind(
        "warning",
        "In {limit:.0f} minutes the rerun finished {done} of {total} epochs; all of them would take about "
        "{minutes:.0f} minutes on these cores.",
    ),
    "rerun-fewer-epochs": Kind(
        "warning", "The rerun was too slow, so it was done with {share:.0%} of the epochs, as the assignment says."
    ),
    "embedded-data": Kind(
        "warning",
        "The notebook's source carries up to {information:,} bytes of data ({usual:,} are usual), most "
        "in {where} ({there:,}). A trained model, or withheld images, could be written there: a person has to look. "
        "Leave out what the notebook does not need.",
    ),
    "embedded-in-dataset": Kind(
        "warning",
        "The names, lists and annotations of the data set carry up to {information:,} bytes of data; {usual:,} are "
        "usual for its images. A trained model could be written there: a person has to look.",
        code="embedded-data",
    ),
    "embedded-in-images": Kind(
        "warning",
        "{count} images of the data set look like data, not like photographs ({example}). A trained model could be "
        "written there: a person has to look. Take them out.",
        code="embedded-data",
    ),
    "rerun-names-replaced": Kind(
        "info",
        "The names of the images carry more than the names that cameras and people give, so the rerun saw numbers in "
        "their place; names that stand in the notebook were kept.",
    ),
    "rerun-files-left-out": Kind(
        "info",
        "{count} files were not given to the rerun, because they are no part of the data set that could be understood "
        "and written anew ({example}).",
    ),
    "rerun-without-model": Kind(
        "error",
        "Only a model that the rerun trains is graded, and the notebook wrote none. Save it beside the notebook.",
    ),
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

SENTENCES = {
    "run-before-last-cell": "it stopped before the last cell",
}
