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
    "part-missing": Kind("error", "The assignment asks for a {part}, and there is none."),
    "unsafe-path": Kind("error", "The submission holds the unsafe name {name}; none of it was unpacked."),
    "unsafe-member": Kind("error", "{name} is a {kind}, not a plain file, and was left out. Hand in plain files."),
    "archive-unreadable": Kind("error", "The archive {name} cannot be read: {reason}. Hand in a .zip."),
    "archive-too-large": Kind("error", "The submission was not unpacked: {reason}."),
    "folder-left-out": Kind("info", "{name}/ was left out: {what}."),
    "duplicate-name": Kind("warning", "{name} appears more than once; the first one counts."),
    "file-unreadable": Kind("error", "The file {name} cannot be read: {reason}."),
    "several-notebooks": Kind("warning", "There are several notebooks; {name} was graded, not {others}."),
    "companion-elsewhere": Kind("info", "{name} was taken as the model's {what}."),
    "companion-unclear": Kind(
        "warning",
        "No {what} lies beside the model, and there are several elsewhere ({names}); none was used. Put one beside it.",
    ),
    "duplicate-id": Kind(
        "warning", "Several submissions would have the id {name}, so each has a number; this one is called {id}."
    ),
    # intake: downloads, tries, groups
    "earlier-tries": Kind(
        "info", "There is more than one try. The newest with files counts ({name}); {count} earlier: {others}."
    ),
    "beside-download": Kind(
        "warning", "{name} lies among a download of {lms}, but is not named as one of its files: taken as it is."
    ),
    "lms-id-claimed-twice": Kind(
        "error",
        "Several submissions claim the {lms} id {id} ({count} of them). Until somebody has found out whose each is, no "
        "mark of theirs is exported.",
    ),
    "lms-name-ambiguous": Kind(
        "error",
        "The file name {name} can be read as that of more than one participant of {lms}, so this was taken as nobody's "
        "and its mark is not exported. Find out in {lms} who handed it in.",
    ),
    "lms-time-ambiguous": Kind(
        "warning",
        "The file name {name} holds more than one time; {time} was taken. If that is not when it was handed in, put "
        "the right time into times.csv.",
    ),
    "lms-metadata-unreadable": Kind("warning", "What the LMS says in {name} cannot be read: {reason}."),
    "marks-of-another": Kind(
        "warning",
        "Marks that a person gave under the id {id} belong to another submission, which had this id before. They were "
        "not taken over: mark this one for itself.",
    ),
    "listed-name-shared": Kind(
        "warning",
        "More than one participant is called {name}, as somebody in groups.csv or times.csv is, so neither list was "
        "used for any of them. Put the LMS's own id beside the name there.",
    ),
    "group-handed-in-twice": Kind(
        "warning",
        "The group {group} handed in more than once ({names}), and when is not known, so each was graded. "
        "Put the times into times.csv.",
    ),
    "no-submission": Kind("error", "Is on the roster, and handed in nothing that is known to be theirs."),
    "group-without-members": Kind("warning", "In groups.csv the group {group} has no members."),
}
