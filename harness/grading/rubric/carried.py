"""Holds back marks for a model that the rerun may not have trained: notebook or data set could contain it."""

from __future__ import annotations

from collections.abc import Collection

from harness.findings import sentence
from harness.grading.rubric.criterion import Judgement
from harness.stages.evidence.submission import Evidence

_CODE = "embedded-data"
_OF_THE_MODEL = {"convert", "predict", "detect", "inspect", "evaluate", "score_boxes", "boards", "benchmark"}


def held_back(judged: Judgement, reads: Collection[str], evidence: Evidence) -> Judgement:
    """The judgement, left to a person if it gives points for such a model. `reads`: the criterion's stages."""
    found = [finding.message for finding in evidence.execute.findings if finding.code == _CODE]
    if not found or not judged.points or not _OF_THE_MODEL.intersection(reads):
        return judged
    return Judgement(None, sentence("rerun-in-doubt", why=found[0], reason=judged.reason))
