"""What is said of a detector: of its boxes, of its labels, and of its mistakes."""

from __future__ import annotations

from harness.findings.kind import Kind

_SCALING_MEASURED = (
    "No pre-processing is declared in handin.json. Of {objects} objects on {images} training images the detector "
    "finds {best_found:.0%} with {best} (AP50 {best_ap50:.3f}), and {found:.0%} with what is usual for its kind "
    "({own}; AP50 {ap50:.3f}); {low:.0f} to {high:.0f} percentage points more (95 % interval). So the former was "
    "used. Declare it in handin.json."
)
KINDS: dict[str, Kind] = {
    # detect
    "detector-faulty-boxes": Kind(
        "warning",
        "{count:,} of the detector's boxes cannot be boxes: a side is NaN, infinite or far outside of the image, the "
        "right side lies before the left, or the bottom before the top. Each counts as a false alarm.",
    ),
    "detector-boxes-left-out": Kind(
        "warning",
        "{count:,} boxes of the detector were left out, since {why}.",
    ),
    "boxes-of-no-class": Kind(
        "info",
        "{count:,} of the detector's {boxes:,} boxes have a label that means none of the course's classes. They count "
        "in no score, just like what it takes for background.",
    ),
    "detector-depends-on-order": Kind(
        "error",
        "Asked twice for the same image, the detector gives other boxes ({images} images were asked twice), so its "
        "result waits for a person. An answer may depend on the image alone. Switch dropout off before saving "
        "(model.eval()).",
    ),
    "detector-sees-nothing": Kind("warning", "The detector finds nothing in any of the {images} images."),
    "detector-graph-disagrees": Kind(
        "info",
        "The last operators of the detector's graph say other things of its outputs than its answers to images do. "
        "The answers were followed: scores {scores}, boxes {boxes}.",
    ),
    # what a detector's labels mean
    "labels-without-background": Kind(
        "error",
        "{file} does not begin with BACKGROUND, which the detector counts as its label 0. So a Jetson shows every "
        "class under another name: {shown}. Write BACKGROUND as the first line of {file}, or hand in the labels.txt "
        "that train_ssd.py writes beside its checkpoints, which has this line; the data set's labels.txt does not.",
    ),
    "labels-with-background": Kind(
        "warning",
        "{file} begins with BACKGROUND, for which this detector has no label. The names after it were taken. Take "
        "this line out.",
    ),
    "labels-background-elsewhere": Kind(
        "warning", "{file} has BACKGROUND on another line than the first, where it belongs if the detector counts it."
    ),
    "labels-other-form": Kind(
        "info", "{file} spells classes otherwise than the assignment: {names}. They count all the same."
    ),
    "detector-labels-wrong-count": Kind(
        "error", "The detector has {labels} labels{background}, but {file} names {count}."
    ),
    "detector-class-twice": Kind("warning", "Two labels of the detector are named {name}."),
    "detector-labels-misfit": Kind(
        "error",
        "The names of the labels look mixed up: of {seen} objects on training images that the detector finds, "
        "{right:.0%} have the right class as {file} has it, and {would:.0%} {way}. {file} was graded as it is. "
        "Correct it.",
    ),
    "detector-labels-assumed": Kind(
        "warning",
        "There is no labels.txt with the detector, so its labels were taken {way}: {order}. Hand in labels.txt.",
        code="labels-missing",
    ),
    "detector-labels-from-model": Kind(
        "info",
        "There is no labels.txt with the detector, so its labels were taken {way}: {order}.",
        code="labels-from-model",
    ),
    "detector-labels-confirmed": Kind(
        "info",
        "There is no labels.txt with the detector, so its labels were taken {way}: {order}. Of {seen} objects on "
        "training images that it finds, {right:.0%} have the right class so, and nothing else fits clearly better.",
        code="labels-missing",
    ),
    "detector-labels-measured": Kind(
        "warning",
        "There is no labels.txt with the detector. Of {seen} objects on training images that it finds, {right:.0%} "
        "have the right class {way}, and {would:.0%} in the order {order}, so the latter was taken. Hand in "
        "labels.txt.",
        code="labels-measured",
    ),
    "detector-labels-unclear": Kind(
        "warning",
        "There is no labels.txt with the detector, and training images do not show what its labels mean: of {seen} "
        "objects that it finds, {right:.0%} have the right class {way}, and {would:.0%} at best. So its figures wait "
        "for a person. Hand in labels.txt.",
        code="undeclared-unclear",
    ),
    # how its pixels are scaled
    "detector-scaling-misfit": Kind(
        "error",
        "The declared pre-processing does not fit the detector: of {objects} objects on {images} training images it "
        "finds {found:.0%} with what is declared ({own}; AP50 {ap50:.3f}), and {best_found:.0%} with {best} (AP50 "
        "{best_ap50:.3f}); {low:.0f} to {high:.0f} percentage points more (95 % interval). It was graded as declared. "
        "Correct handin.json.",
        code="preprocessing-mismatch",
    ),
    "detector-scaling-measured": Kind("warning", _SCALING_MEASURED, code="preprocessing-measured"),
    "detector-scaling-measured-not-the-board's": Kind(
        "warning",
        f"{_SCALING_MEASURED} jetson-inference on a board gives a detector (pixel - 127) / 128 all the same: for that, "
        "the network itself has to begin with the other scaling when it is exported.",
        code="preprocessing-measured",
    ),
    "detector-scaling-not-measured": Kind(
        "warning",
        "No pre-processing is declared in handin.json, and other scalings of the pixels than what is usual for this "
        "kind of detector could not be tried on training images: {why}. So its figures wait for a person, unless they "
        "give all points as they are. Declare it.",
        code="undeclared-not-measured",
    ),
    "detector-scaling-unclear": Kind(
        "warning",
        "No pre-processing is declared in handin.json, and {images} training images do not show what is meant: of "
        "{objects} objects on them the detector finds {found:.0%} with what is usual for its kind ({own}), and "
        "{best_found:.0%} with {best}. So its figures wait for a person, unless they give all points as they are. "
        "Declare it.",
        code="undeclared-unclear",
    ),
    "detector-hardly-trained": Kind(
        "warning",
        "On {images} training images the detector finds hardly anything: AP50 is {ap50:.3f} at most, "
        "whatever order its labels have{tried}. It shows {boxes:.0f} boxes an image, the surest with a score of "
        "{surest:.2f} on half of the images. It looks hardly trained, or its pre-processing or its labels are unlike "
        "any that were tried. Try the file that you handed in on images that it was trained with.",
    ),
    # score_boxes
    "ap-claim-differs": Kind(
        "warning",
        "The notebook reports an {measure} of {claimed:.3f} (code cell {cell}). Computed in the same way, on the "
        "{images} held-out images the detector reaches {measured:.3f} (95 % interval {low:.3f} to {high:.3f}).",
    ),
}

SENTENCES: dict[str, str] = {
    "left-out-no-score": "their scores are NaN or infinite",
    "left-out-no-class": "they have labels that the model does not have",
    "left-out-too-many": "no more than the {most:,} surest of an image are kept",
    "labels-background-counted": ", its background included",
    "labels-without-a-name": "{name} without a name",
    "labels-by-model": "by the names inside the model",
    "labels-by-data-set": "in the order of the data set's own labels.txt",
    "labels-by-alphabet": "in alphabetical order",
    "labels-one-up": "with BACKGROUND as one more line before the first",
    "labels-one-down": "without the first line",
    "labels-reordered": "in the order {order}",
    "trying-scalings": "trying them",
    "tried-none": "it answered too slowly",
    "tried-scalings": ", and with each of {ways} other usual scalings of the pixels",
    # what goes wrong: these can be quoted as they are
    "finds-objects": "It finds {found} of {objects} objects of the class {name} "
    "({share:.0%}, 95 % interval {low:.0%} to {high:.0%}).",
    "finds-fewer-small": "It finds {found} of {objects} objects of the class {name} ({share:.0%}), but only {few} of "
    "{small} ({few_share:.0%}) that cover less than {below:.0%} of the image.",
    "finds-fewer-overlapped": "Of objects whose box others overlap by a tenth or more it finds {few} of {overlapped} "
    "({few_share:.0%}), of those that lie apart {found} of {apart} ({share:.0%}).",
    "takes-for": "It takes {wrong} of {objects} objects of the class {name} for {other}.",
    "counts-right": "It counts all objects of an image right on {exact} of {images} images ({share:.0%}, 95 % interval "
    "{low:.0%} to {high:.0%}); on average it is off by {error:.1f} objects an image.",
    "false-alarms": "On {alarmed} of {images} images of other things ({share:.0%}, 95 % interval {low:.0%} to "
    "{high:.0%}) it reports objects; false alarms in all: {boxes}.",
    "false-alarms-on-patterns": "On {alarmed} of {images} drawn patterns that show nothing ({share:.0%}, 95 % interval "
    "{low:.0%} to {high:.0%}) it reports objects; false alarms in all: {boxes}.",
    "depends-on-background": "It depends on the background: of {objects} objects on {images} images it finds {own:.0%} "
    "before their own background, and {other:.0%} when they are pasted in the same way before others.",
    "background-not-shown": "Of {objects} objects on {images} images it finds {own:.0%} before their own background, "
    "and {other:.0%} when they are pasted in the same way before others; that does not show that it depends on it.",
    "costs-most": "Of the ways in which images were made worse, {corruption} (severity {severity} of 5) costs most: "
    "AP50 falls from {clean:.3f} to {ap50:.3f} on the same {images} images.",
}

# The usual scalings of a detector's pixels, as part of a sentence.
_PLAIN = {
    "scaled-zero-one": "pixels from 0 to 1",
    "scaled-minus-one-one": "pixels from -1 to 1",
    "ssd-mobilenet": "(pixel - 127) / 128, as jetson-inference's SSD takes it",
    "scaled-imagenet": "ImageNet's mean and standard deviation",
    "scaled-raw": "pixels from 0 to 255 as they are",
    "vgg16-ssd": "123, 117 and 104 taken off the pixels, as for a VGG16",
}
SCALINGS = {
    **_PLAIN,
    **{f"{name}-colours-swapped": f"{way}, with red and blue swapped" for name, way in _PLAIN.items()},
    "another": "{colour}, (pixel x {scale:.4g} - ({mean})) / ({std})",
}
