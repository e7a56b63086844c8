"""Held-out images that repeat training images stop a grading, unless the instructor accepts each by its name."""

from __future__ import annotations

import tomllib
from pathlib import Path

from example_evidence import evidence

from harness.findings import said_to_student
from harness.grading.marking import of_repeats
from harness.grading.similarity.course_images import ComparedImages, CourseImage
from harness.grading.validation.leaks import Leaks, leaks_of, of_leaks
from harness.inputs.images import HeldOutSet
from harness.stages.evidence.stage_result import Skipped

HELD_OUT = Path("/course/held out")
IMAGES = (
    CourseImage("held_out", "mug", HELD_OUT / "mug" / "a.jpg"),
    CourseImage("held_out", "mug", HELD_OUT / "mug" / 'b "zoe\u0308".jpg'),
    CourseImage("held_out", "mug", HELD_OUT / "mug" / "c.jpg"),
    CourseImage("dataset", "mug", Path("/course/train/mug/t.jpg")),
    CourseImage("dataset", "mug", Path("/course/train/mug/u.jpg")),
)
COMPARED = ComparedImages(sizes=(None,) * 5, copies=((0, 3), (1, 4)), scenes=(), complete=True)


def leaks(*accept: str) -> Leaks:
    return leaks_of(COMPARED, IMAGES, HELD_OUT, accept)


def said(*accept: str) -> list[tuple[str, str]]:
    return [(one.level, one.what) for one in of_leaks(leaks(*accept), "held_out.path", Path("/course"))]


def test_the_line_that_the_error_gives_accepts_all_of_them_and_leaves_a_doubt():
    [stopped] = of_leaks(leaks(), "held_out.path", Path("/course"))
    assert stopped.level == "error" and "2 images repeat" in stopped.what
    line = stopped.do[stopped.do.index("accept_repeated") :]
    accept = tomllib.loads(line)["accept_repeated"]
    assert accept == ["mug/a.jpg", 'mug/b "zo\u00eb".jpg'], "as any system writes its names"
    [(level, what)] = said(*accept)
    assert level == "doubt" and "2 images" in what and "held out/mug/a.jpg is train/mug/t.jpg" in what
    assert leaks(*accept).accepted_copies == tuple(accept)


def test_one_that_is_not_accepted_still_stops_it_and_the_line_keeps_those_that_are():
    found = of_leaks(leaks("mug/a.jpg"), "held_out.path", Path("/course"))
    assert [one.level for one in found] == ["error", "doubt"]
    assert "1 image repeats" in found[0].what and "mug/a.jpg" not in found[0].what
    assert '"mug/a.jpg", "mug/b' in found[0].do


def test_names_on_the_list_that_are_no_leak_are_doubts():
    found = said("mug/a.jpg", 'mug/b "zo\u00eb".jpg', "mug/c.jpg", "/course/held out/mug/a.jpg")
    assert [level for level, _ in found] == ["doubt"] * 3
    assert "no held-out image: /course/held out/mug/a.jpg" in found[1][1]
    assert "repeat nothing: mug/c.jpg" in found[2][1]


def test_without_a_leak_it_is_fine():
    assert [one.level for one in of_leaks(Leaks({}, {}), "held_out.path", Path("/course"))] == ["fine"]


def test_a_grade_on_images_that_repeat_others_says_so_also_to_the_student():
    images = HeldOutSet(("mug",), (Path("a"), Path("b"), Path("c")), (0, 0, 0), "")
    [found] = of_repeats(evidence(), 2, images)
    assert "2 of the 3 held-out images" in said_to_student(found.message)
    assert "accept_repeated" in found.message and "accept_repeated" not in said_to_student(found.message)
    assert of_repeats(evidence(), 0, images) == ()
    assert of_repeats(evidence(evaluate=Skipped(reason="No model.")), 2, images) == ()
