"""What the boxes of the image sets tell, for a course whose task is detection."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from harness.grading import sample_size
from harness.grading.detection.object_sets import ObjectFolder, classes_of, listed_classes, troubles
from harness.grading.validation.folders import alike
from harness.grading.validation.verdicts import Verdict, doubt, error, fine, images, some

_FEWEST_TRAINING = 10  # images of a class, as `folders.py` has it for class folders
_SPLITS = ("train", "val", "test")
_FAULTS = {  # kind -> what is wrong, and whether the object is lost with its box
    "not-a-number": ("whose sides are no numbers", True),
    "empty": ("without an area", True),
    "outside": ("beyond the image, which are cut to it", False),
    "tiny": ("smaller than 2 % of the image's side, which no detector of 300 pixels sees", False),
    "doubled": ("that lie on another of the same class", False),
    "unlisted": ("of classes that labels.txt does not name", False),
}


def of_objects(sets: Mapping[str, ObjectFolder], places: Mapping[str, str]) -> list[Verdict]:
    """The verdicts. `sets`: those that could be read, by key; `places`: where assignment.toml names each."""
    found = [error(places[one.key], one.what, one.do) for one in troubles(sets.get("held_out"), sets.get("dataset"))]
    for key, one in sets.items():
        found += _of_one(key, one, places[key])
    return found


def _of_one(key: str, one: ObjectFolder, where: str) -> Iterator[Verdict]:
    reading = one.reading
    objects, level = reading.objects(), doubt if key == "dataset" else error
    for names in alike([*objects, *listed_classes(reading)]):
        what = f"the classes {' and '.join(map(repr, names))} differ only by case, spaces or underscores"
        yield error(where, f"{what}: they are different classes here", "give the class one name in all annotations")
    if key == "dataset" and reading.unreadable:
        what = f"{images(len(reading.unreadable))} cannot be read: {some(reading.unreadable)}"
        yield doubt(where, what, "replace these images, or take them out of the folder")
    if key == "dataset" and reading.faults:
        what = f"annotations cannot be used: {some(reading.faults)}"
        yield doubt(where, what, "correct these files; their images count as images without objects")
    by_kind = defaultdict(list)
    for fault in reading.box_faults:
        by_kind[fault.kind].append(fault.picture)
    for kind, (what, is_lost) in _FAULTS.items():
        if files := by_kind.get(kind):  # type: ignore[call-overload]
            said = f"{len(files)} boxes {what}: {some(list(dict.fromkeys(files)))}"
            yield (level if is_lost else doubt)(where, said, "correct them with the tool that drew them")
    if files := by_kind.get("wrong-size"):
        what = f"{images(len(files))} of another size than the annotation says: {some(files)}"
        yield doubt(
            where, f"{what}. Boxes count in the image's own pixels", "look whether the boxes fit; draw them anew"
        )
    yield from _of_lists(key, one, where)
    empty = [image.name for image in reading.images if not image.boxes]
    if empty and any(objects.values()):
        does = "only false alarms can be found on them" if key == "held_out" else "training passes them over"
        yield doubt(
            where, f"{images(len(empty))} without objects: {some(empty)}; {does}", "annotate them if objects are there"
        )
    yield from _few(key, one, where)


def _of_lists(key: str, one: ObjectFolder, where: str) -> Iterator[Verdict]:
    """What the data set's own lists of train, val and test say, and that they do not matter here."""
    counted: Counter[str] = Counter(image.split for image in one.reading.images)
    named = {split: counted[split] for split in _SPLITS if counted[split]}
    if key == "held_out" and (len(named) > 1 or (named and counted["other"])):
        parts = ", ".join(f"{split} {count}" for split, count in named.items())
        what = f"its lists divide the images ({parts}); all {len(one.reading.images)} are graded on"
        yield doubt(where, what, "put what students may train on elsewhere")
    if key == "dataset" and one.reading.in_several:
        what = f"{images(one.reading.in_several)} stand in several of the lists train, val and test (Merge Sets)"
        yield doubt(where, f"{what}: what train_ssd.py calls validation is no measure there", "export the sets apart")


def _few(key: str, one: ObjectFolder, where: str) -> Iterator[Verdict]:
    objects = one.reading.objects()
    classes = classes_of(one.reading)
    if key == "held_out":
        few = {name: objects[name] for name in classes if 0 < objects.get(name, 0) < sample_size.objects_needed()}
        if few:
            least = min(few.values())
            what = (
                f"few objects of {some([f'{name} ({count})' for name, count in few.items()])}: which share of them is "
                f"found has an error of about ±{sample_size.recall_margin(least):.0%} where there are {least} (if "
                f"{sample_size.LIKELY_RECALL:.0%} are found, and each image is of another scene)"
            )
            yield doubt(
                where, what, f"with {sample_size.objects_needed()} of each class it is ±{sample_size.RECALL_MARGIN:.0%}"
            )
    else:
        shown = Counter(name for image in one.reading.images for name in {box.label for box in image.boxes})
        few_images = [f"{name} ({shown[name]})" for name in classes if shown[name] < _FEWEST_TRAINING]
        if few_images:
            what = f"few images of {some(few_images)}; at least {_FEWEST_TRAINING} of each class should be there"
            yield doubt(where, what)
    counts = ", ".join(f"{name} {objects.get(name, 0)}" for name in classes)
    yield fine(where, f"{one.reading.layout}, objects: {counts}")
