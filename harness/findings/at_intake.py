"""What is said of what was handed in, before anything of it runs."""

from __future__ import annotations

from harness.findings.kind import Kind

KINDS: dict[str, Kind] = {
    # intake
    "nothing-handed-in": Kind(
        "error",
        "The submission holds neither a notebook nor a model. Hand in notebook.ipynb or model.*. It holds: {there}.",
    ),
    "file-in-place-of-another": Kind("error", "{names}: {what}. To mend it, {way_out}."),
    "notebook-exported": Kind("error", "{name} is {what}, which cannot be run. To mend it, {way_out}."),
    "part-missing": Kind("error", "The assignment asks for a {part}, and none was handed in."),
    "unsafe-path": Kind("error", "The submission holds the unsafe name {name}; none of it was unpacked."),
    "unsafe-member": Kind("error", "{name} is a {kind}, not a plain file, and was left out. Hand in plain files."),
    "archive-unreadable": Kind("error", "The archive {name} cannot be read: {reason}. Hand in a .zip."),
    "archive-too-large": Kind("error", "The submission was not unpacked: {reason}."),
    "manifest-mismatch": Kind(
        "warning",
        "The files are not those that `harness check` packed; {name} differs from them ({differences}). They were "
        "graded as they are. After a change, run `harness check` again and hand in its new handin.zip.",
    ),
    "manifest-unreadable": Kind(
        "warning", "{name} is no manifest of `harness check`, so the files were not compared with it."
    ),
    "folder-left-out": Kind("info", "{name}/ was left out: {what}."),
    "duplicate-name": Kind("warning", "The name {name} appears more than once. The first file of that name was taken."),
    "file-unreadable": Kind("error", "The file {name} cannot be read: {reason}."),
    "several-notebooks": Kind("warning", "There are several notebooks; {name} was graded, not {others}."),
    "companion-elsewhere": Kind("info", "{name} was taken as the model's {what}."),
    "own-code-cut": Kind(
        "warning",
        "{count} files lie beside and below predict.py; only the {most} nearest to it go into the sandbox with it. Put "
        "the data set elsewhere.",
    ),
    "companion-unclear": Kind(
        "warning",
        "No {what} lies beside the model, and there are several elsewhere ({names}); none was used. Put one beside it.",
    ),
    "checkpoint-taken": Kind(
        "info",
        "Of {count} checkpoints in one folder, {name} was taken: the loss in its name ({loss}) is the lowest, so "
        "jetson-inference's onnx_export.py takes it, too.",
    ),
    "checkpoint-tied": Kind(
        "warning",
        "Of {count} checkpoints in one folder, {name} was taken: the loss in its name ({loss}) is the lowest, and the "
        "last of those with this loss. jetson-inference's onnx_export.py may take another of these; keep only one.",
        code="checkpoint-taken",
    ),
    "checkpoint-without-loss": Kind(
        "warning",
        "Of {count} checkpoints in one folder, {name} was taken, the last: jetson-inference's onnx_export.py takes "
        "none, because no name has a loss below 10,000. The training has diverged, or the files were renamed.",
        code="checkpoint-taken",
    ),
    "checkpoints-passed-over": Kind("info", "Checkpoints passed over: {others}."),
    "duplicate-id": Kind(
        "warning", "Several submissions would have the id {name}, so each has a number; this one is called {id}."
    ),
    # intake: downloads, tries, groups
    "earlier-tries": Kind(
        "info",
        "There is more than one try. The newest one with files was graded ({name}). Not graded: {count} earlier "
        "({others}).",
    ),
    "beside-download": Kind(
        "warning",
        "{name} lies in a download of {lms}, but {lms} gives no file such a name. It was taken as a submission of its "
        "own.",
    ),
    "lms-id-claimed-twice": Kind(
        "error",
        "{count} submissions claim the {lms} id {id}, so their marks are not exported. For the instructor: find out "
        "whose "
        "each is.",
    ),
    "lms-name-ambiguous": Kind(
        "error",
        "The file name {name} can be read as that of more than one participant of {lms}, so it is not known "
        "whose this is and its mark is not exported. For the instructor: find out in {lms} who handed it in.",
    ),
    "lms-time-ambiguous": Kind(
        "warning",
        "The file name {name} holds more than one time. {time} was taken as the time of handing in. For the "
        "instructor: if "
        "that is wrong, put the right time into times.csv.",
    ),
    "lms-metadata-unreadable": Kind("warning", "What the LMS says in {name} cannot be read: {reason}."),
    "marks-of-another": Kind(
        "warning",
        "Marks that a person gave under the id {id} belong to another submission, which had this id before. They "
        "were not taken over. For the instructor: mark this one for itself.",
    ),
    "listed-name-shared": Kind(
        "warning",
        "More than one participant is called {name}, as somebody in groups.csv or times.csv is, so neither list was "
        "used for any of them. For the instructor: put the LMS's own id beside the name there.",
    ),
    "group-handed-in-twice": Kind(
        "warning",
        "The group {group} handed in more than once ({names}). It is not known when, so each was graded. "
        "For the instructor: put the times into times.csv.",
    ),
    "no-submission": Kind("error", "Is on the roster, and handed in nothing that is known to be theirs."),
    "group-without-members": Kind("warning", "In groups.csv the group {group} has no members."),
}
