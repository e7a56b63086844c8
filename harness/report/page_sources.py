"""What one submission's page is made from, and the images that it may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

from harness.boundary.one_by_one import Defect, attempt
from harness.gradebook.results import Results, SubmissionResult
from harness.report import dataset
from harness.report.sources import Sources
from harness.report.thumbnails import NoImages, Thumbnails
from harness.stages.evidence.audit import WithheldImage
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence
from harness.stages.store import Store

Audience = Literal["instructor", "student"]


class OtherImage(Protocol):
    """(Another submission's id, path in its data set) -> data URI."""

    @property
    def lost_some(self) -> bool:
        """Whether it could not show an image, which it may in a later run."""

    def __call__(self, owner: str, name: str, /) -> str | None: ...

    def key(self) -> object:
        """What decides all of its answers, but where it lost some."""


@dataclass(frozen=True, slots=True)
class PageSources:
    """Everything that one page is made from."""

    audience: Audience
    results: Results  # of the run, without submissions
    result: SubmissionResult
    evidence: Evidence
    reference: Reference | None
    detector_reference: DetectorReference | None
    held_out_image: Thumbnails
    own_image: dataset.ImageOf  # images of the student's own data set
    other_image: OtherImage
    logs: dict[str, str]  # stage -> what its sandbox wrote to stderr
    store: Store

    @property
    def lacks_images(self) -> bool:
        """Whether images were asked for that cannot be shown now. A page without them may not stay."""
        return self.held_out_image.lost_some or self.other_image.lost_some

    def all_but_the_moment(self) -> dict[str, Any]:
        """All fields, as they decide the page. When the run ended does not: a page may stay for many runs.

        The store is known by the hashes that the evidence has of what lies in it.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "store"}
        run = self.results.run.model_copy(update={"finished": ""})
        return values | {"results": self.results.model_copy(update={"run": run})}


@dataclass(slots=True)
class OthersImages:
    """Images of those submissions with which one shares some, by id."""

    owners: Mapping[str, dataset.ImageOf]
    lost_some: bool = False

    def __call__(self, owner: str, name: str) -> str | None:
        if owner not in self.owners:
            return None
        shown = attempt("showing its image", lambda: self.owners[owner](name))
        if isinstance(shown, Defect):  # it is on the other submission's own page
            self.lost_some = True
            return None
        return shown

    def key(self) -> object:
        return {owner: image.key() for owner, image in self.owners.items()}


@dataclass(frozen=True, slots=True)
class _WithheldImages:
    """Images of the student's own data set, by their index among the withheld ones."""

    own: dataset.ImageOf
    withheld: tuple[WithheldImage, ...]
    lost_some: bool = False  # the store has all of them, or the page is a defect

    def __call__(self, index: int) -> str | None:
        return self.own(self.withheld[index].picture) if 0 <= index < len(self.withheld) else None

    def key(self) -> object:
        return self.own.key(), [one.picture for one in self.withheld]


def own_images(evidence: Evidence, sources: Sources) -> dataset.ImageOf:
    """The images of the submission's own data set; none where it has none."""
    if not isinstance(evidence.audit, Done):
        return NoImages()
    return dataset.image_of(evidence.audit.value, sources.store)


def graded_on(evidence: Evidence, sources: Sources, course: Thumbnails, own: dataset.ImageOf) -> Thumbnails:
    """Index of an image that the submission was graded on -> data URI."""
    has_one = sources.reference is not None or sources.detector_reference is not None
    if has_one or not isinstance(evidence.audit, Done):
        return course
    return _WithheldImages(own, evidence.audit.value.withheld)
