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
    "dataset-two-labels-of-boxes": Kind(
        "warning",
        "{count} of the data set are copies of one photograph with boxes of different classes ({example}): at most one "
        "annotation is right. Take the others out.",
        code="dataset-two-labels",
    ),
    "dataset-box-faults": Kind("warning", "{count} of the data set have faulty boxes ({example}). Correct them."),
    "dataset-no-boxes": Kind(
        "error",
        "The data set has no boxes: no annotation of Pascal VOC, COCO, YOLO, Open Images or Custom Vision was found in "
        "it that has an object. Draw a box around each object, and hand the annotations in with the images.",
    ),
    "dataset-not-annotated": Kind(
        "warning",
        "No annotation names these images: {count} of the data set ({names}). Training passes over them. Draw what is "
        "on them, or take them out.",
    ),
    "dataset-without-boxes": Kind(
        "info",
        "Images whose annotation has no box: {count} ({names}). train_ssd.py passes over them, so they teach nothing, "
        "not even what is no object. If they show an object, draw its box.",
    ),
    "dataset-unboxed-objects": Kind(
        "info",
        "The reference is sure of objects where no box was drawn: {count}, on {images} of the {looked_at} images that "
        "were looked at (for example {label} on {picture}). It can be wrong: look at them, and draw the "
        "boxes that are missing, since an object without one is learnt as background.",
    ),
    "dataset-boxes-left-out": Kind(
        "warning",
        "Boxes that are left out: {boxes}, on {names}. They have no class or no area in the image, or the image has "
        "more than 100. Correct them: such an image cannot be graded on.",
    ),
    "dataset-objects-near": Kind(
        "warning",
        "Of some classes ({classes}), nine of ten objects cover more than {share:.0%} of the image: the camera never "
        "stood far away, so nothing is learnt of small objects. Take photographs from farther away, too.",
    ),
    "dataset-lists-background": Kind(
        "warning",
        "labels.txt of the data set lists BACKGROUND. train_ssd.py adds it by itself, so the model gets a class that "
        "is never drawn. Take the line out; only the labels.txt beside the model has it.",
    ),
    "dataset-listed-twice": Kind("warning", "labels.txt of the data set lists {classes} twice. Keep one line of each."),
    "dataset-other-case": Kind(
        "warning",
        "Names differ in upper and lower case alone: {names}. Training compares them letter by letter, and takes them "
        "for different classes. Write them alike in labels.txt and in all annotations.",
    ),
    "dataset-not-listed": Kind(
        "warning",
        "Boxes were drawn of classes that labels.txt lacks: {classes}. Training passes over these boxes. Add the "
        "classes, or correct the annotations.",
    ),
    "dataset-never-drawn": Kind(
        "warning",
        "labels.txt lists classes of which no box was drawn: {classes}. The model cannot learn them. Draw them, or "
        "take the lines out.",
    ),
    "dataset-class-void": Kind(
        "warning", "A class is called void: detectNet never shows it on the board. Give the class another name."
    ),
    "dataset-not-utf8": Kind(
        "warning",
        "{names}: not UTF-8, or with a byte-order mark. Training misreads the names of classes, or stops. Save them "
        "as UTF-8 without a mark.",
    ),
    "dataset-outlines": Kind(
        "info", "Objects that are drawn as polygons or masks: {count}. The box around each is what counts here."
    ),
    "dataset-annotation-unreadable": Kind("warning", "{count} of the data set cannot be used ({example})."),
    "withheld-too-few": Kind(
        "warning",
        "Of {classes} fewer than {least} images could be withheld, so the score on them says little: there are too "
        "few, or they show too few scenes.",
    ),
    "withheld-impossible": Kind("error", "Nothing can be withheld of the data set to grade on: {reason}."),
}

SENTENCES = {
    "withheld-needs-boxes": "images with boxes are needed on both sides of the split, and each box has to be usable",
    "withheld-needs-two-classes": "images of at least two classes are needed on both sides of the split",
    "compared-within": "of the data set with each other",
    "compared-across": "of the data set with those of other submissions",
}
