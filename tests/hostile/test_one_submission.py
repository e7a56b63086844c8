"""One submission never ends a run: whatever fails in what is done for it, the others are graded as alone.

Not a list of functions: a real class is graded once with a real engine while it is noted which functions work on the
data of one submission; then each of them is made to raise for that submission alone, and the class is graded again.
"""

import io
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from types import CodeType, FunctionType

import numpy as np
import onnx
import pytest
from injection import Marked, functions_of, raising, recorded
from PIL import Image
from replay import InOrder, Replay
from rich.console import Console
from silent import Silent
from small_course import CLASSES, Course, hand_in, notebook

from harness.cli.grade import _went_wrong
from harness.cli.terminal import print_grades
from harness.files.user_folders import default_folder
from harness.gradebook.results import SubmissionResult
from harness.grading import marking
from harness.grading.class_run import Request, first_pages, grade_collected
from harness.grading.context import RunContext
from harness.grading.first_pages import FirstPages
from harness.grading.reference import prepared
from harness.grading.rubric.rubric import grade
from harness.grading.submission_run import Examined
from harness.grading.workers import examine_all
from harness.inputs import assignment as assignments
from harness.inputs.images import secret_order
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.report import INSTRUCTORS, STUDENTS, UnfinishedPages
from harness.sandbox import Chosen
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.cache import StageCache
from harness.stages.evidence.grade import Grade

ERRORS: tuple[Callable[[], Exception], ...] = (
    lambda: RuntimeError("injected"),
    lambda: zlib.error("injected"),
    lambda: MemoryError("injected"),
    lambda: RecursionError("injected"),
    lambda: OSError(36, "File name too long"),
)
# Each of these has a function of its own that fails, in one and the same run; the last two are as honest as they are.
MARKED = tuple(f"marked-{letter}" for letter in "abcdefgh")
HONEST = ("ash-the-honest", "zoe-the-honest")
MARKS = [Marked(name, tuple(other for other in (*MARKED, *HONEST) if other != name)) for name in MARKED]


@dataclass
class Class:
    """A class that is ready to be graded, again and again."""

    request: Request
    submissions: list[Submission]
    course: RunContext
    engine: Replay
    redone: frozenset[str] = frozenset()  # keys of stages that are taken from the cache where others are run again

    def grade(self, names: tuple[str, ...] = (*MARKED, *HONEST)) -> list[SubmissionResult]:
        """As `harness grade` does, its table included; every stage's result is taken from the cache, and no page."""
        for pages in (INSTRUCTORS, STUDENTS):
            shutil.rmtree(self.request.out / pages, ignore_errors=True)
        results = grade_collected(self.request, self._of(names), self.course)
        print_grades(results, Console(file=io.StringIO()))
        return list(results.submissions)

    def run_stages(self, names: tuple[str, ...]) -> list[SubmissionResult]:
        """Every stage of the marked one run again, those of the others too the first time; and the marks."""
        cache = StageCache(self.course.stage_context.store, self.engine.environment_id, force=True)
        cache._redone |= self.redone
        submissions, course = self._of(names), replace(self.course, cache=cache)
        pages = first_pages(self.request, submissions, course, self._mark)
        examined = examine_all(submissions, course, 2, pages)
        if not set(names) & set(MARKED):
            self.redone = frozenset(cache._redone)
        return marking.rows(examined, self.request.assignment, self._mark)

    def _mark(self, one: Examined) -> Grade:
        return grade(self.request.assignment, one.evidence, {}, one.submission.origin)

    def _of(self, names: tuple[str, ...]) -> list[Submission]:
        found = [one for one in self.submissions if one.student in names]
        assert len(found) == len(names)
        return found


@pytest.fixture(scope="module")
def small_class(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    folder = tmp_path_factory.mktemp("class")
    cache, file = small_course.copied(folder)
    text = file.read_text()
    file.write_text(text[: text.index('[[criteria]]\nkind = "manual"')])
    for name in (*MARKED, *HONEST):
        cells = notebook("print('hello')", "1 + 1")
        place = hand_in(folder / "in", name, small_course.reference, notebook__ipynb=cells)
        _images(place / "dataset")
    model = onnx.load(folder / "in" / HONEST[0] / "model.onnx")
    model.doc_string = "another file"  # what is done for one of them is not done for the other by the way
    onnx.save(model, folder / "in" / HONEST[0] / "model.onnx")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("HARNESS_CACHE", str(cache))
        assert default_folder() == cache
        patch.setattr(secret_order, "_random", InOrder())
        engine = Replay(Bubblewrap(), folder / "replay")
        (folder / "work").mkdir()
        (folder / "out").mkdir()
        assignment = assignments.load(file)
        course = stack.enter_context(prepared(assignment, engine, Silent()))
        request = Request(folder / "in", assignment, folder / "out", Chosen(engine, "test"), 2, False)
        yield Class(request, collect(folder / "in", folder / "work"), course, engine)


def _images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number in range(3):
            pixels = rng.integers(0, 255, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


FEW = (MARKED[0], HONEST[0])
WRITES_MEANWHILE = (
    *((FirstPages, name) for name in ("started", "examined", "timed", "_write_due", "_write_one", "_write_class")),
    *((UnfinishedPages, name) for name in ("write_submission", "write_class")),
)


@dataclass
class Seen:
    """What a clean run gave, and the functions that it called for one submission, by name."""

    results: list[SubmissionResult]
    always: dict[str, FunctionType]
    when_stages_run: dict[str, FunctionType]  # and not where all is in the cache
    called_by_guard: set[str]


@pytest.fixture(scope="module")
def seen(small_class: Class) -> Seen:
    small_class.run_stages(HONEST[:1])  # with the real engine; from now on it is replayed
    small_class.run_stages(FEW)
    small_class.grade()
    real = small_class.engine.real_runs
    kept: dict[CodeType, bool] = {}
    with recorded(MARKS[0], kept):
        results = small_class.grade()
    run: dict[CodeType, bool] = {}
    with recorded(MARKS[0], run):
        small_class.run_stages(FEW)
    assert small_class.engine.real_runs == real
    named = functions_of({*kept, *run})
    by_guard = {name for name, function in named.items() if (kept | run)[function.__code__]}
    # The terminal's table is printed when all is written: its trouble is told there, and changes no result.
    # What writes pages while the run goes on costs nothing but those: see the test below.
    # Whether a process that reads files is there already, and a page, depends on who came before.
    by_chance = ("harness.inputs.submissions.child._Child.is_alive", "harness.report.kept.made_of")
    left_out = ("harness.boundary.screen.", *by_chance)
    named = {name: function for name, function in named.items() if not name.startswith(left_out)}
    always = {name: function for name, function in named.items() if function.__code__ in kept}
    return Seen(results, always, {name: f for name, f in named.items() if name not in always}, by_guard)


def trouble(results: list[SubmissionResult], clean: list[SubmissionResult], failing: list[str]) -> str:
    """What is wrong with a class in which the harness failed on some; empty when nothing is."""
    after, before = ({row.student: row for row in rows} for rows in (results, clean))
    for name, row in after.items():
        if name in failing:
            if row.status != "needs-review" or all(found.code != "harness-defect" for found in row.findings):
                return f"{name} is {row.status}: {[found.code for found in row.findings]}"
            if not _went_wrong(row):
                return "the exit status is not 1"
        elif name in HONEST and (row.status, row.points, row.marks) != (
            before[name].status,
            before[name].points,
            before[name].marks,
        ):
            return f"{name}: {row.status} {row.points}: {[found.message for found in row.findings]}"
    return ""


@dataclass
class Fault:
    name: str
    function: FunctionType
    error: Exception
    hit: list[str]


def faults(functions: dict[str, FunctionType], by_guard: set[str]) -> list[Fault]:
    """Each once, with another exception in turn; the shapes that all share (what the guard calls), with every one."""
    found = []
    for number, (name, function) in enumerate(functions.items()):
        # An OSError where the gradebook is used is the machine's, and ends the run: marks could be missing.
        kinds = ERRORS[:-1] if name.startswith("harness.gradebook.") else ERRORS
        errors = kinds if name in by_guard else (kinds[number % len(kinds)],)
        found += [Fault(name, function, error(), []) for error in errors]
    return found


def in_turn(every: list[Fault], at_once: int) -> Iterator[list[Fault]]:
    """Some at a time, none of one function twice."""
    waiting = list(every)
    while waiting:
        batch: list[Fault] = []
        for fault in list(waiting):
            if len(batch) < at_once and fault.name not in {other.name for other in batch}:
                batch.append(fault)
                waiting.remove(fault)
        yield batch


def wrong_with(graded: Callable[[], list[SubmissionResult]], seen: Seen, batch: list[Fault]) -> list[str]:
    """Grade the class while each of the faults strikes another submission."""
    said = [f"{fault.name} ({type(fault.error).__name__})" for fault in batch]
    try:
        with ExitStack() as stack:
            for fault, marked in zip(batch, MARKS, strict=False):
                stack.enter_context(raising(fault.name, fault.function, fault.error, marked, fault.hit))
            results = graded()
    except Exception as escaped:
        return [f"one of these ended the run as {type(escaped).__name__}: {escaped}: {said}"]
    wrong = [f"{name} was not called" for name, fault in zip(said, batch, strict=True) if not fault.hit]
    struck = [name for name, fault in zip(MARKED, batch, strict=False) if fault.hit]
    if found := trouble(results, seen.results, struck):
        wrong.append(f"{found}; of {dict(zip(MARKED, said, strict=False))}")
    return wrong


# As below: some 40 runs, each of which renders every page.
@pytest.mark.hostile(line=72, expected="needs-review; all others as alone", makes_much=True)
def test_every_function_that_works_for_one_submission_may_fail(small_class: Class, seen: Seen, got):
    assert all(row.status == "graded" for row in seen.results), seen.results
    assert len(seen.always) > 100
    every = faults(seen.always, seen.called_by_guard)
    wrong = [why for batch in in_turn(every, len(MARKED)) for why in wrong_with(small_class.grade, seen, batch)]
    assert not wrong, "\n".join(wrong)
    got(f"{len(seen.always)} functions, {len(every)} faults")


@pytest.mark.hostile(line=72, expected="all graded as before")
def test_a_page_that_is_written_meanwhile_costs_nothing_when_it_fails(
    small_class: Class, seen: Seen, monkeypatch: pytest.MonkeyPatch, got
):
    """Neither a point nor a finding, whatever fails in it, and the pages of the whole run are there."""
    clean = small_class.grade(FEW)
    hit = []
    for (place, name), error in zip(WRITES_MEANWHILE, cycle(ERRORS), strict=False):

        def fail(*_: object, name: str = name, error: Callable[[], Exception] = error) -> None:
            hit.append(name)
            raise error()

        with monkeypatch.context() as patched:
            patched.setattr(place, name, fail)
            results = small_class.grade(FEW)
        assert [row.model_dump_json() for row in results] == [row.model_dump_json() for row in clean], name
        page = (small_class.request.out / "index.html").read_text()
        assert "2 submissions: 2 graded" in page and "not final" not in page, name
    assert set(hit) == {name for _, name in WRITES_MEANWHILE}
    got(f"{len(WRITES_MEANWHILE)} functions")


# Some 290 runs in one process, after each of which about 1 MiB stays; a run without a fault leaves none.
@pytest.mark.hostile(line=72, expected="needs-review; all others as alone", makes_much=True)
def test_every_function_that_a_stage_calls_may_fail(small_class: Class, seen: Seen, got):
    """Those that are called only where a stage's result is not in the cache."""
    assert len(seen.when_stages_run) > 50
    every = faults(seen.when_stages_run, set())
    wrong = [why for fault in every for why in wrong_with(lambda: small_class.run_stages(FEW), seen, [fault])]
    assert not wrong, "\n".join(wrong)
    got(f"{len(every)} functions")
