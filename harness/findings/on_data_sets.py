"""What is said of a student's own data set."""

from __future__ import annotations

from harness.findings.kind import Kind

KINDS: dict[str, Kind] = {
    # audit
    "dataset-unreadable-images": Kind(
        "warning", "{count} image files of the data set cannot be read ({names}). Export them as JPEG or PNG."
    ),
    "dataset-unusable": Kind("error", "The data set cannot be read: {reason}."),
    "dataset-merged-sets": Kind(
        "warning",
        "{count} stand in several of the lists train, val and test, as camera-capture writes them with Merge Sets. So "
        "what training calls validation was measured on images that it learnt from. Measure on others.",
    ),
    "dataset-leak": Kind(
        "error",
        "{count} of the data set lie in two splits at once ({example}): what the model is tested on, it was trained "
        "on. Take the copies out.",
    ),
    "dataset-burst": Kind(
        "warning",
        "{what} ({example}). Photographs of one scene count as one: keep them in one split, and take new scenes.",
    ),
    "dataset-shared-with-other": Kind(
        "warning", "{count} of the data set are the same photographs as another submission's ({example})."
    ),
    "comparison-cut": Kind(
        "info",
        "Not all images {what} were compared, because very many are alike. What is said of copies and scenes holds "
        "for those that were; look at the others yourself.",
    ),
    "dataset-cut": Kind("warning", "The data set has {count} more images than are looked at; the first {most} count."),
    "dataset-odd-files": Kind(
        "warning",
        "Files of the data set that were left out: {count}. Each is a link or a device, its name leads outside, or it "
        "is there twice. Hand in the photographs themselves, each under a name of its own.",
    ),
    "dataset-too-few-images": Kind(
        "warning", "{classes}: fewer than {least} readable images. Take more photographs of each object."
    ),
    "dataset-too-many-classes": Kind("warning", "The data set has {classes} classes; at most {most} are asked for."),
    "dataset-too-few-classes": Kind("warning", "The data set has {classes} classes; at least {least} are asked for."),
    "dataset-mislabelled": Kind(
        "warning", "{count} of the data set seem to lie in the wrong class ({example}). Look at them."
    ),
    "dataset-two-labels": Kind(
        "warning",
        "{count} of the data set lie in several classes at once, as one photograph ({example}): at most one label is "
        "right. Take the others out.",
    ),
    "dataset-box-faults": Kind("warning", "{count} of the data set have faulty boxes ({example}). Correct them."),
    "dataset-annotation-unreadable": Kind("warning", "{count} of the data set cannot be used ({example})."),
    "withheld-too-few": Kind(
        "warning",
        "Of {classes} fewer than {least} images could be withheld, so the score on them says little: there are too "
        "few, or they show too few scenes.",
    ),
    "withheld-impossible": Kind("error", "Nothing can be withheld of the data set to grade on: {reason}."),
}

SENTENCES = {
    "withheld-needs-two-classes": "images of at least two classes are needed on both sides of the split",
    "compared-within": "of the data set with each other",
    "compared-across": "of the data set with those of other submissions",
}
