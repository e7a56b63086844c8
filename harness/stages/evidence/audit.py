"""The stage `audit`: the content and faults of a student's own data set."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Blob, Record, Share

Layout = Literal["class-folders", "split-folders", "voc", "coco", "yolo", "open-images", "custom-vision"]


class Leak(Record):
    """Two images of one scene in different splits of the student's."""

    picture: str
    split: str
    other: str
    other_split: str
    kind: Literal["copy", "burst"]  # one photograph, or two of one scene


class MislabelSuspect(Record):
    """An image that is probably in the wrong class."""

    picture: str
    label: str
    looks_like: str
    probability: Share  # of `looks_like`, by a model that did not see the image


class BoxFault(Record):
    picture: str
    kind: Literal["not-a-number", "empty", "outside", "tiny", "doubled", "unlisted", "no-class", "wrong-size"]
    label: str


class SharedImage(Record):
    """An image that another submission has, too."""

    picture: str
    other: str  # the other submission's id
    other_picture: str


class DrawnObject(Record):
    """An object as the student drew it. The corners are shares of the upright image's sides."""

    label: str
    box: tuple[Share, Share, Share, Share]  # left, top, right, bottom
    ignored: bool = False  # VOC's `difficult`, COCO's crowd


class ObjectSizes(Record):
    """The objects of one class, and how much of their images they cover."""

    objects: int  # ignored ones included
    smallest: Share  # of the image's area
    tenth: Share  # a tenth of the objects covers at most this
    median: Share
    largest: Share


class WithheldImage(Record):
    """An image that the sandbox re-encoded: one withheld from the notebook, or one that is only looked at."""

    picture: str
    label: str
    file: Blob
    width: int = 0  # of the student's upright image, in pixels; 0 where there are no boxes
    height: int = 0
    objects: tuple[DrawnObject, ...] = ()  # not published


class UnboxedObject(Record):
    """What the reference is sure to see on an image where the student drew no box."""

    picture: str
    label: str  # a class of the data set
    score: Share  # the reference's
    box: tuple[Share, Share, Share, Share]  # left, top, right, bottom, as shares of the upright image's sides
    on_thumbnail: tuple[Share, Share, Share, Share]  # the same as shares of the square that the report shows


class DatasetAudit(Record):
    """The student's own data set. Images are named by their paths in it; sets have two or more."""

    classes: dict[str, int]  # name -> readable images
    unreadable: tuple[str, ...]  # file names, at most 100
    layout: Layout = "class-folders"
    splits: dict[str, int] = {}  # the student's own: train, val, test, other -> readable images
    unlabelled: int = 0  # readable images without a class
    heldout: dict[str, int] = {}  # class -> images withheld from the notebook
    groups: tuple[tuple[str, ...], ...] = ()  # sets that the split keeps on one side
    duplicates: tuple[tuple[str, ...], ...] = ()  # equal pixels
    near_duplicates: tuple[tuple[str, ...], ...] = ()  # one scene: altered copies and bursts
    leaks: tuple[Leak, ...] = ()
    scene_spread: dict[str, float] = {}  # class -> mean cosine distance of its images; empty without embeddings
    reference_spread: float | None = None  # the same for the course's training images, mean over the classes
    mislabelled: tuple[MislabelSuspect, ...] = ()
    two_labels: tuple[tuple[str, ...], ...] = ()  # copies of one photograph in several classes
    box_faults: tuple[BoxFault, ...] = ()
    objects: dict[str, ObjectSizes] = {}  # class -> its boxes
    not_annotated: tuple[str, ...] = ()  # images that no annotation names, at most 100
    without_boxes: tuple[str, ...] = ()  # images whose annotation has no box, at most 100
    known: tuple[WithheldImage, ...] = ()  # for detection: some images of the training part; not published
    searched: tuple[WithheldImage, ...] = ()  # small copies, to look for objects without a box; not published
    looked_at: int = 0  # images on which the reference looked for objects without a box
    unboxed: tuple[UnboxedObject, ...] = ()  # the surest first
    shared: tuple[SharedImage, ...] = ()
    blurred: tuple[str, ...] = ()
    badly_exposed: tuple[str, ...] = ()
    from_elsewhere: tuple[str, ...] = ()  # images probably from a shop or a stock library
    smallest: tuple[int, int] | None = None  # width and height in pixels, of the image with the fewest
    largest: tuple[int, int] | None = None
    aspects: tuple[float, float] | None = None  # width / height: lowest and highest
    compared_by: Literal["embeddings", "hashes"] = "hashes"  # how images of one scene were searched
    parts_compared: bool = False  # whether cropped, turned by some degrees, framed copies were looked for, too
    withheld: tuple[WithheldImage, ...] = ()
    labels: dict[str, str] = {}  # image -> class; not published
    own_test: tuple[str, ...] = ()  # images of the student's own test split
    pixels: dict[str, str] = {}  # image -> SHA-256 of its pixels; not published
    greys: Blob | None = None  # .npy uint8, (images, 128, 128), in the order of `pixels`
    keypoints: Blob | None = None  # .npy uint8, (images, 257, 132), in the order of `pixels`
    thumbnails: Blob | None = None  # .npy uint8, (shown, side, side, 3)
    shown: tuple[str, ...] = ()  # the images of `thumbnails`
    drawn: dict[str, tuple[DrawnObject, ...]] = {}  # on the images of `thumbnails`, as shares of those; not published
    samples: tuple[str, ...] = ()  # images with boxes, some of each class
    objects_sha256: str = ""  # of the boxes of all images; not published
