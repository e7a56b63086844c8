"""Notes images that several students of a run handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.findings import Finding, finding, sentence
from harness.grading.similarity.shared_images import Shared, shared
from harness.grading.similarity.shared_parts import Owned, Pairs
from harness.grading.submission_run import Examined
from harness.stages.cache import StageCache
from harness.stages.evidence.audit import DatasetAudit, SharedImage
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

_MOST_NAMED = 20  # other submissions that a finding names
_MOST_LISTED = 1000  # shared images of one submission


def across_students(examined: Sequence[Examined], store: Store, cache: StageCache) -> list[Examined]:
    """The same submissions, with the images that each shares with others, and a finding for each other submission.

    Of very many, only the first are named, so that a submission's results do not grow with the class. What was found is
    kept for as long as the class's images stay the same, because a class's take minutes.
    """
    audits = {
        one.submission.id: one.evidence.audit.value
        for one in examined
        if isinstance(one.evidence.audit, Done) and one.evidence.audit.value.greys is not None
    }
    sets = {
        owner: Owned(
            tuple(audit.pixels.values()),
            _loading(store, audit.greys),
            None if audit.keypoints is None else _loading(store, audit.keypoints),
        )
        for owner, audit in audits.items()
        if audit.greys is not None
    }
    if len(sets) < 2:
        return list(examined)
    images = [(owner, audits[owner].pixels, audits[owner].greys, audits[owner].keypoints) for owner in sets]
    kept = cache.run("shared-images", images, Shared, lambda: Done(value=shared(sets), origin="measured-outside"))
    found: Shared = kept.result.value
    return [_with_shared(one, found, audits) for one in examined]


def _loading(store: Store, array: Blob) -> Callable[[], NDArray[np.uint8]]:
    def load() -> NDArray[np.uint8]:
        loaded: NDArray[np.uint8] = np.load(store.path(array), mmap_mode="r", allow_pickle=False)
        return loaded

    return load


def _with_shared(one: Examined, everything: Shared, audits: dict[str, DatasetAudit]) -> Examined:
    result = one.evidence.audit
    found = everything.pairs.get(one.submission.id, {})
    is_cut = one.submission.id in everything.cut or len(found) > _MOST_NAMED
    if not (found or is_cut) or not isinstance(result, Done):
        return one
    mine = tuple(result.value.pixels)
    images, findings = list[SharedImage](), list[Finding]()
    for other, pairs in sorted(found.items())[:_MOST_NAMED]:
        theirs = tuple(audits[other].pixels)
        listed: Pairs = pairs[: _MOST_LISTED - len(images)]
        images += [SharedImage(picture=mine[i], other=other, other_picture=theirs[j]) for i, j in listed]
        count = f"{len(pairs)} image{'' if len(pairs) == 1 else 's'}"
        example, there = mine[pairs[0][0]], theirs[pairs[0][1]]
        whose = f"{other}, there {there}"
        findings.append(finding("dataset-shared-with-other", count=count, example=example, detail=whose))
    if is_cut:
        findings.append(finding("comparison-cut", what=sentence("compared-across")))
    value = result.value.model_copy(update={"shared": tuple(images)})
    evidence = one.evidence.model_copy(
        update={
            "audit": result.model_copy(update={"value": value}),
            "later_findings": (*one.evidence.later_findings, *findings),
        }
    )
    return replace(one, evidence=evidence)
