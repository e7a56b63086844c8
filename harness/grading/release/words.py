"""What an assignment asks, in words: the README of a student's package, and its jobs for build servers."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.grading.rubric.criterion import kinds
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.schema import CriterionSpec
from harness.inputs.detector_scores import DetectorScores
from harness.inputs.student_package import ReferenceScores


@dataclass(frozen=True, slots=True)
class Criterion:
    """A line of the rubric: `how` is what its options say."""

    title: str
    points: float
    how: str


def readme(
    assignment: Assignment, images: int, scores: ReferenceScores | DetectorScores | None, trains_on_images: bool
) -> str:
    """README.md. `images`: how many public ones there are. Students keep the torch that they have; jobs have none."""
    return _rendered(
        "README_detection.md.j2" if assignment.task == "detection" else "README.md.j2",
        assignment=assignment,
        criteria=[_criterion(spec) for spec in assignment.criteria],
        images=images,
        scores=scores,
        trains_on_images=trains_on_images,
        parts=[(name, part) for name, part in assignment.handin if part != "ignored"],
        install=assignment.public.install.replace("[torch]", "[check]"),
    )


def github_workflow(assignment: Assignment) -> str:
    """The job for GitHub Classroom: .github/workflows/check.yml."""
    return _rendered("github.yml.j2", install=assignment.public.install)


def gitlab_job(assignment: Assignment) -> str:
    """The job for GitLab: .gitlab-ci.yml."""
    return _rendered("gitlab.yml.j2", install=assignment.public.install)


def gradescope_script(name: str, assignment: Assignment) -> str:
    """`setup.sh` or `run_autograder`, which Gradescope calls."""
    return _rendered(f"{name}.j2", install=assignment.public.install, weights=assignment.weights or ())


def _rendered(template: str, **values: object) -> str:
    loader = PackageLoader("harness.grading.release")
    # The text is the instructor's own, and goes into Markdown and YAML, not into a page.
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["quoted"] = shlex.quote
    return environment.get_template(template).render(values).rstrip("\n") + "\n"


def _criterion(spec: CriterionSpec) -> Criterion:
    kind = kinds()[spec.kind]
    options = kind.Options.model_validate(spec.options)
    said = [
        f"{field.description}: {value:g}" if isinstance(value, float) else f"{field.description}: {value}"
        for name, field in kind.Options.model_fields.items()
        if field.description and (value := getattr(options, name)) not in (None, (), "")
    ]
    questions = getattr(options, "questions", ()) if spec.kind == "manual" else ()
    return Criterion(_cell(spec.title or kind.TITLE), spec.points, _cell("; ".join([*said, *questions])))


def _cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
