"""What is asked: assignment.toml as frozen types. Every limit's unit, default and bounds stand here once."""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from harness.errors import AssignmentError

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_RULES = Path(__file__).parent / "agent" / "notebook" / "rules"  # their names only; nothing of it is imported here
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def _to_bytes(value: object) -> object:
    """`"4 GB"`, `"512 MiB"` or a whole number of bytes -> bytes."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]i?B|B)\s*", value, re.IGNORECASE)
    if match is None:
        raise ValueError("a size is a number with B, KB, MB, GB, KiB, MiB or GiB, for example '4 GB'")
    return int(float(match[1]) * _UNITS[match[2].upper()])


Bytes = Annotated[int, BeforeValidator(_to_bytes)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Part = Literal["required", "optional", "ignored"]


class HandIn(_Section):
    """What a hand-in holds. A `required` part that is missing is an error finding; `ignored` is not looked at."""

    notebook: Part = "optional"
    model: Part = "optional"
    dataset: Part = "optional"


def _known_rules(switches: dict[str, bool]) -> dict[str, bool]:
    known = sorted(file.stem for file in _RULES.glob("[a-z]*.py"))
    for name in switches:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise ValueError(f"there is no rule {name!r}; {hint}")
    return switches


class ResourceLimits(_Section):
    """What one hand-in may use in the sandbox."""

    wall_seconds: float = Field(600, gt=0, le=86_400, description="a whole stage, seconds")
    cell_seconds: float = Field(300, gt=0, le=86_400, description="one notebook cell, seconds")
    memory: Bytes = Field(4 * 10**9, ge=256 * 2**20, description="memory with no swap")
    cpus: int = Field(2, ge=1, le=256, description="processor cores")
    processes: int = Field(512, ge=32, le=65_536, description="processes and threads")
    disk: Bytes = Field(2 * 10**9, ge=16 * 2**20, description="written to the working folder, and to /tmp")
    output: Bytes = Field(600 * 10**6, ge=2**20, description="what comes out: executed notebook, models")

    @model_validator(mode="after")
    def _a_cell_fits_into_the_whole(self) -> ResourceLimits:
        if self.cell_seconds > self.wall_seconds:
            raise ValueError("cell_seconds is more than wall_seconds")
        return self


class ExecutionRules(_Section):
    """How a notebook is graded: run again, read as it was handed in, or both and compared."""

    mode: Literal["rerun", "as-handed-in", "both"] = "rerun"
    on_cell_error: Literal["stop", "continue"] = "stop"
    environments: tuple[Literal["torch", "keras"], ...] = Field(
        ("torch", "keras"), min_length=1, description="in which a notebook may run; its imports decide"
    )
    requirements: Path | None = Field(None, description="a requirements.txt of the course: its own environment")
    rules: Annotated[dict[str, bool], AfterValidator(_known_rules)] = Field(
        {}, description="switches of the rules that change a notebook before it runs (docs/notebooks.md)"
    )


class NotebookParts(_Section):
    """What a notebook should hold, found by heading or by nbgrader's cells."""

    steps: tuple[str, ...] = Field((), max_length=60)
    questions: tuple[str, ...] = Field((), max_length=60)


class Dataset(_Section):
    """The training pictures that a notebook gets, in class folders."""

    path: Path | None = Field(None, description='not needed where heldout is "withhold"')
    mounted_as: str = Field("data/train", description="the folder as notebooks name it, relative to themselves")
    names: tuple[str, ...] = Field((), max_length=60, description="other paths under which notebooks look for it")
    layout: Literal["auto", "classes", "split", "flat"] = Field(
        "auto", description="how it lies at these places: class folders, below train and validation, or in one folder"
    )

    @model_validator(mode="after")
    def _stays_inside(self) -> Dataset:
        parts = Path(self.mounted_as).parts
        if not parts or Path(self.mounted_as).is_absolute() or ".." in parts:
            raise ValueError("mounted_as is a relative path without '..'")
        return self


class OwnDataset(_Section):
    """What is asked of a data set that a student hands in, and how a part of it is withheld."""

    min_classes: int = Field(3, ge=1, le=1000)
    max_classes: int = Field(10, ge=1, le=1000)
    # 8 to grade on and at least as many to train on; a course usually asks for more.
    min_images_per_class: int = Field(16, ge=1, le=100_000, description="readable ones")
    withhold_fraction: float = Field(0.2, gt=0, le=0.5, description="of each class")
    withhold_per_class: int = Field(8, ge=1, le=10_000, description="at least, but never more than half")
    seed: int = Field(1, ge=0, description="of the split")
    allowed_files: tuple[str, ...] = Field((), description="files of the hand-in that the rerun may use too")
    too_slow: Literal["stop", "fewer-epochs"] = Field("stop", description="for a rerun that does not finish in time")
    rerun_seconds: float | None = Field(None, gt=0, le=86_400, description="in place of limits.wall_seconds")

    @model_validator(mode="after")
    def _in_order(self) -> OwnDataset:
        if self.min_classes > self.max_classes:
            raise ValueError("min_classes is more than max_classes")
        return self


GradedOn = Literal["shared", "withhold", "both"]


class HeldOut(_Section):
    """The pictures on which everyone is graded, in class folders."""

    path: Path


class ReferenceSolution(_Section):
    """The solution that everyone is compared with."""

    code: Path = Field(description="a Python file with train(train_dir, out_dir, *, backbone, weights, seed, ...)")
    backbone: str = "mobilenet_v2"
    weights: str = Field("", description="name in the weights manifest; the backbone's name by default")
    seed: int = 1
    fine_tune_epochs: int = Field(0, ge=0, le=1000)
    wall_seconds: float = Field(1800, gt=0, le=86_400, description="for its training")

    @property
    def weights_name(self) -> str:
        return self.weights or self.backbone


class BenchmarkRules(_Section):
    """How speed is measured."""

    queries: int = Field(64, ge=64, le=100_000, description="at least; 64 are the fewest for a p90 (MLPerf)")
    warm_up_seconds: float = Field(1.0, gt=0, le=60)
    min_seconds: float = Field(2.0, ge=0, le=600, description="of timed queries for each model")


def _to_penalty(value: object) -> object:
    """`"10%"` of the points, or a number of points, kept as it was written."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:g}"
    if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+)?\s*%?", value.strip()):
        raise ValueError("a penalty is a percentage of the points, for example '10%', or a number of points")
    return value.strip()


def _to_moment(value: object) -> object:
    """A date with a time of day: a date alone leaves open when that day ends."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        raise ValueError("a deadline needs a time of day, for example 2025-11-03T23:59:00")
    return value


class Deadline(_Section):
    """Until when a hand-in is in time, and what a day later costs (`harness/grade/late.py`)."""

    at: Annotated[datetime.datetime, BeforeValidator(_to_moment)]
    time_zone: str = Field("", description="name of the course's time zone; needed unless `at` has an offset")
    grace_minutes: float = Field(0, ge=0, le=10_080)
    penalty_per_day: Annotated[str, BeforeValidator(_to_penalty)] = "10%"
    max_days: int | None = Field(None, ge=0, le=3660, description="days late that are taken; any by default")
    after_max_days: Literal["no-points", "no-further-penalty"] = "no-points"

    @model_validator(mode="after")
    def _has_a_time_zone(self) -> Deadline:
        if self.time_zone:
            try:
                zoneinfo.ZoneInfo(self.time_zone)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                near = difflib.get_close_matches(self.time_zone, zoneinfo.available_timezones(), n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ", for example 'Europe/Amsterdam'"
                raise ValueError(f"no time zone {self.time_zone!r}{hint}") from None
        elif self.at.tzinfo is None:
            raise ValueError("time_zone is missing, for example 'Europe/Amsterdam'")
        return self

    @property
    def zone(self) -> datetime.tzinfo:
        """The course's clock."""
        if self.time_zone:
            return zoneinfo.ZoneInfo(self.time_zone)
        assert self.at.tzinfo is not None
        return self.at.tzinfo

    @property
    def local(self) -> datetime.datetime:
        """The deadline on the course's clock, without a zone."""
        return self.at.astimezone(self.zone).replace(tzinfo=None) if self.at.tzinfo else self.at

    @property
    def instant(self) -> datetime.datetime:
        return self.local.replace(tzinfo=self.zone)

    @property
    def is_percent(self) -> bool:
        return self.penalty_per_day.endswith("%")

    def points_per_day(self, max_points: float) -> float:
        number = float(self.penalty_per_day.rstrip("% "))
        return number * max_points / 100 if self.is_percent else number


Corruption = Literal[
    "brightness", "contrast", "blur", "noise", "jpeg", "rotation", "distance", "occlusion", "colour-cast"
]
Severity = Annotated[int, Field(ge=1, le=5)]


class Robustness(_Section):
    """How the model is tried on held-out pictures made worse."""

    enabled: bool = Field(True, description="false: no pictures made worse, none of no class, none covered")
    images: int = Field(40, ge=4, le=1000, description="held-out pictures at most, as many of each class")
    severities: Annotated[tuple[Severity, ...], Field(min_length=1)] = (1, 3, 5)
    corruptions: Annotated[tuple[Corruption, ...], Field(min_length=1)] = get_args(Corruption)
    looks: int = Field(3, ge=0, le=12, description="mistakes on which is tried where the model looks")


class Unseen(_Section):
    """Pictures that show none of the classes, in one folder."""

    path: Path


class CriterionSpec(BaseModel):
    """One line of the rubric. Keys beside these belong to the criterion and are checked by it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    points: float = Field(gt=0, le=1000)
    title: str = ""

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def _unique_kinds(criteria: tuple[CriterionSpec, ...]) -> tuple[CriterionSpec, ...]:
    names = [(c.kind, c.title) for c in criteria]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two criteria of kind {name[0]!r} need different titles")
    return criteria


class Assignment(_Section):
    """A whole assignment. All paths are absolute once it is loaded."""

    schema_: Literal[1] = Field(1, alias="schema")
    title: str = Field(min_length=1, max_length=200)
    task: Literal["classification"] = "classification"
    points: float | None = Field(None, gt=0, description="the sum of the criteria's points, as a check")
    weights: tuple[str, ...] | None = Field(
        None, description="pre-trained weights that notebooks may load; all that are here, if the key is left out"
    )
    boards: tuple[str, ...] = Field((), description="Jetson-class boards to report on")
    handin: HandIn = HandIn()
    limits: ResourceLimits = ResourceLimits()
    execution: ExecutionRules = ExecutionRules()
    notebook: NotebookParts = NotebookParts()
    dataset: Dataset | None = None
    held_out: HeldOut | None = None
    heldout: GradedOn = Field("shared", description="the pictures that a hand-in is graded on")
    own_dataset: OwnDataset = OwnDataset()
    reference: ReferenceSolution
    benchmark: BenchmarkRules = BenchmarkRules()
    robustness: Robustness = Robustness()
    unseen: Unseen | None = None
    deadline: Deadline | None = None
    criteria: Annotated[tuple[CriterionSpec, ...], Field(min_length=1), AfterValidator(_unique_kinds)]
    file: Path = Field(Path(), exclude=True, description="set by `load`")

    @property
    def max_points(self) -> float:
        return sum(c.points for c in self.criteria)

    @property
    def withholds(self) -> bool:
        """Whether a part of each student's own data set is withheld to grade on."""
        return self.heldout != "shared"

    @property
    def has_shared_set(self) -> bool:
        return self.heldout != "withhold"

    @field_validator("heldout", mode="before")
    @classmethod
    def _both_as_a_list(cls, value: object) -> object:
        if isinstance(value, dict):
            raise ValueError("is a word: 'shared', 'withhold' or 'both'; did you mean the section [held_out]?")
        return "both" if isinstance(value, list) and sorted(map(str, value)) == ["shared", "withhold"] else value

    @model_validator(mode="after")
    def _has_what_it_grades_on(self) -> Assignment:
        if self.withholds and self.handin.dataset == "ignored":
            raise ValueError(f'heldout = "{self.heldout}" needs a data set, and handin.dataset is "ignored"')
        if self.withholds and self.handin.notebook == "ignored":
            raise ValueError(f'heldout = "{self.heldout}" needs notebooks to run, and handin.notebook is "ignored"')
        if self.withholds and self.execution.mode == "as-handed-in":
            raise ValueError(
                f'heldout = "{self.heldout}" needs notebooks to run, and execution.mode is "as-handed-in": '
                "a model that was handed in has seen the pictures that are withheld"
            )
        if self.has_shared_set and self.held_out is None:
            raise ValueError(f'heldout = "{self.heldout}" needs the section [held_out] with the pictures')
        return self

    @model_validator(mode="after")
    def _points_add_up(self) -> Assignment:
        if self.points is not None and abs(self.points - self.max_points) > 1e-9:
            raise ValueError(f"points is {self.points:g}, but the criteria sum to {self.max_points:g}")
        return self


def load(file: Path) -> Assignment:
    """The assignment in `file`, checked.

    Raises `AssignmentError` with one entry for each problem: a file that is missing or no TOML, an
    unknown key, a wrong value, a folder that is missing or holds no images.
    """
    file = file.resolve()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise AssignmentError(f"{file}: cannot be read: {reason}", "give the path of an assignment.toml") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{file}: not TOML: {error}", "correct that line") from error
    try:
        assignment = Assignment.model_validate({**raw, "file": file})
    except ValidationError as error:
        problems = [_describe(file, text, detail) for detail in error.errors()]
        raise AssignmentError("\n".join(problems), f"correct {file.name}") from error
    return _with_checked_paths(assignment, text)


def problem(file: Path, text: str, location: tuple[str | int, ...], what: str) -> str:
    """`assignment.toml:14  held_out.path: what is wrong`, with the line when it can be found."""
    dotted = ".".join(str(part + 1) if isinstance(part, int) else part for part in location)
    line = _line_of(text, location)
    return f"{file.name}{f':{line}' if line else ''}  {dotted or 'the file'}: {what}"


def _describe(file: Path, text: str, detail: ErrorDetails) -> str:
    location = tuple(part for part in detail["loc"])
    found = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            known = _known_keys(location[:-1])
            near = difflib.get_close_matches(str(location[-1]), known, n=1)
            what = "unknown key" + (f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}")
        case "missing":
            what = "missing"
        case "value_error":
            what = str(detail["ctx"]["error"]) + (f"; found {found!r}" if not isinstance(found, dict) else "")
        case _:
            what = f"{detail['msg'][0].lower()}{detail['msg'][1:]}; found {found!r}"
    return problem(file, text, location, what)


def _known_keys(location: tuple[str | int, ...]) -> list[str]:
    """The keys that the section at `location` may hold."""
    section: type[BaseModel] = Assignment
    for part in location:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[str(part)].annotation
        inner = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)]
        if not inner:
            return []
        section = inner[0]
    return [f.alias or name for name, f in section.model_fields.items() if name != "file"]


def _line_of(text: str, location: tuple[str | int, ...]) -> int | None:
    """The 1-based line on which the key at `location` stands, as far as a plain scan can tell."""
    if not location:
        return None
    names = [part for part in location if isinstance(part, str)]
    indices = [part for part in location if isinstance(part, int)]
    table, key = (names[0], names[-1]) if len(names) > 1 else ("", names[0])
    current, seen = "", -1
    header_line = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?", line)
        if header:
            current = header[1]
            seen += current == names[0]
            if current == names[0] and (not indices or seen == indices[0]):
                header_line = header_line or number
        wanted = current == table and (not indices or seen == indices[0])
        if wanted and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
            return number
    return header_line


def class_folders(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Class name -> image files, both sorted, of a folder with one folder for each class."""
    return {
        sub.name: tuple(
            sorted(f for f in sub.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
        )
        for sub in sorted(folder.iterdir())
        if sub.is_dir() and not sub.name.startswith(".")
    }


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The image files anywhere below a folder, sorted."""
    found = (f for f in folder.rglob("*") if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
    return tuple(sorted(f for f in found if f.is_file()))


def _with_checked_paths(assignment: Assignment, text: str) -> Assignment:
    base, problems = assignment.file.parent, list[str]()

    def images(section: str, path: Path) -> Path:
        folder = (base / path).resolve()
        if not folder.is_dir():
            problems.append(problem(assignment.file, text, (section, "path"), f"no folder {folder}"))
            return folder
        classes = class_folders(folder)
        if len(classes) < 2 or not all(classes.values()):
            counts = ", ".join(f"{name} {len(files)}" for name, files in classes.items()) or "no class folders"
            problems.append(
                problem(
                    assignment.file,
                    text,
                    (section, "path"),
                    f"{folder} needs at least two class folders, each with images; found {counts}"
                    f"\n  looked for {' '.join(IMAGE_SUFFIXES)}",
                )
            )
        return folder

    held_out = assignment.held_out if assignment.has_shared_set else None
    if held_out is not None:
        held_out = held_out.model_copy(update={"path": images("held_out", held_out.path)})
    dataset = assignment.dataset
    if dataset is not None and dataset.path is not None:
        dataset = dataset.model_copy(update={"path": images("dataset", dataset.path)})
    unseen = assignment.unseen
    if unseen is not None:
        unseen = unseen.model_copy(update={"path": (base / unseen.path).resolve()})
        if not unseen.path.is_dir() or not pictures_in(unseen.path):
            what = f"no pictures in the folder {unseen.path}\n  looked for {' '.join(IMAGE_SUFFIXES)}"
            problems.append(problem(assignment.file, text, ("unseen", "path"), what))
    code = (base / assignment.reference.code).resolve()
    if not code.is_file():
        problems.append(problem(assignment.file, text, ("reference", "code"), f"no file {code}"))
    execution = assignment.execution
    if execution.requirements is not None:
        requirements = (base / execution.requirements).resolve()
        execution = execution.model_copy(update={"requirements": requirements})
        if not requirements.is_file():
            problems.append(problem(assignment.file, text, ("execution", "requirements"), f"no file {requirements}"))
    if assignment.has_shared_set and (dataset is None or dataset.path is None):
        place = ("dataset",) if dataset is None else ("dataset", "path")
        problems.append(problem(assignment.file, text, place, "missing: the reference is trained on its pictures"))
    if problems:
        raise AssignmentError(
            "\n".join(problems),
            f"correct {assignment.file.name}, or put the files there (the example: make data)",
        )
    reference = assignment.reference.model_copy(update={"code": code})
    return assignment.model_copy(
        update={
            "held_out": held_out,
            "dataset": dataset,
            "reference": reference,
            "execution": execution,
            "unseen": unseen,
        }
    )
