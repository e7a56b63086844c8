"""`harness init`: a folder for a new assignment, or the example."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.boundary.screen import ask, say
from harness.cli.options import PATH
from harness.errors import UsageError, cannot_write
from harness.files.example import write_example
from harness.inputs.assignment.schema import Task
from harness.inputs.assignment.sections import BACKBONES, DETECTOR_BACKBONES
from harness.inputs.assignment.starting import Start, class_names, files, folders

_BACKBONES = tuple(dict.fromkeys((*BACKBONES, *DETECTOR_BACKBONES)))  # of either task


@click.command()
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--example", is_flag=True, help="The task's example instead: its assignment, images and submissions.")
@click.option("--task", type=click.Choice(["classification", "detection"]), default="classification", show_default=True)
@click.option("--title", help="Shown on every page.")
@click.option("--classes", help="Names of the classes, with commas: ball,bottle,mug.")
@click.option("--own-objects", is_flag=True, help="Students photograph objects of their own.")
@click.option("--backbone", type=click.Choice(_BACKBONES), help="What the reference retrains.")
@click.option("--points", type=click.FloatRange(1, 1000), help="In all.")
@click.option(
    "--held-out",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Held-out images that are there already, in class folders, or with boxes and labels.txt.",
)
def init(
    folder: Path,
    example: bool,
    task: Task,
    title: str | None,
    classes: str | None,
    own_objects: bool,
    backbone: str | None,
    points: float | None,
    held_out: Path | None,
) -> int:
    """Start an assignment in DIR: assignment.toml, folders, and a README of what to put where.

    What no option says is asked for on a terminal. A file that is there is never overwritten.
    """
    if example:
        return _write_example(folder, task)
    known = DETECTOR_BACKBONES if task == "detection" else BACKBONES
    if backbone is not None and backbone not in known:
        raise UsageError(f"the reference for {task} has no backbone {backbone!r}", f"take {', '.join(known)}")
    if own_objects and (classes or held_out):
        raise UsageError("--own-objects has no classes and no held-out images of yours", "leave out one of them")
    asks = sys.stdin.isatty()
    if classes is None and held_out is not None:
        classes = _classes_of(held_out, task)
    if classes is None and not own_objects:
        if not asks:
            raise UsageError("which classes?", "give --classes ball,bottle,mug, or --own-objects")
        classes = ask("Classes, with commas (empty: students' own objects)", "")
    names = class_names(classes, task) if classes else ()
    start = Start(
        title=title or (ask("Title", _TITLES[task]) if asks else _TITLES[task]),
        classes=names,
        backbone=backbone or (ask("Backbone", _BACKBONE, known) if asks and len(known) > 1 else _BACKBONE),
        points=points or (_number(ask("Points", f"{_POINTS:g}")) if asks else _POINTS),
        held_out=held_out and held_out.resolve(),
        task=task,
    )
    _write(start, folder)
    file = folder / "assignment.toml"
    say(f"{file}: read {folder / 'README.md'}, then: harness validate {file}")
    return 0


_TITLES: dict[Task, str] = {
    "classification": "Recognise objects by transfer learning",
    "detection": "Detect objects with SSD-MobileNet",
}
_BACKBONE, _POINTS = "mobilenet_v2", 100.0
_MOST_LABELS = 64 * 1024  # bytes


def _write_example(folder: Path, task: Task) -> int:
    """Write the example, and say how it is graded."""
    write_example(folder, lambda line: say(line, err=True), task)
    maker = f"python {folder / 'submissions' / 'make_models.py'} --data {folder / 'data' / 'train'}\n"
    makes = maker if task == "detection" else ""
    say(
        f"harness weights fetch {_BACKBONE}\n{makes}harness grade {folder / 'submissions'} --assignment "
        f"{folder / 'assignment.toml'} --out {folder / 'reports'}"
    )
    return 0


def _classes_of(held_out: Path, task: Task) -> str:
    """The classes of images that are there: the folders' names, or for detection the lines of labels.txt.

    Raises `UsageError` where a detection set has no labels.txt that can be read.
    """
    if task == "classification":
        return ",".join(sorted(path.name for path in held_out.iterdir() if path.is_dir()))
    file = held_out / "labels.txt"
    try:
        with file.open(encoding="utf-8-sig") as stream:
            lines = stream.read(_MOST_LABELS).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read, so the classes are not known", "give --classes, too") from error
    return ",".join(line.strip() for line in lines if line.strip() not in ("", "BACKGROUND"))


def _number(answer: str) -> float:
    """The points in an answer. Raises `UsageError` for what is no number from 1 to 1000."""
    try:
        points = float(answer)
    except ValueError:
        points = 0.0
    if not 1 <= points <= 1000:
        raise UsageError(f"{answer!r} is no number of points from 1 to 1000", "answer with a number, such as 100")
    return points


def _write(start: Start, folder: Path) -> None:
    """Write the files and folders. Raises `UsageError`, before anything is written, for a file that is there."""
    contents = files(start)
    if there := [str(folder / path) for path in contents if (folder / path).exists()]:
        raise UsageError(f"{', '.join(there)}: there already, and not overwritten", "take another folder")
    with cannot_write(folder):
        for path in folders(start):
            (folder / path).mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            with (folder / path).open("x", encoding="utf-8") as stream:
                stream.write(content)
