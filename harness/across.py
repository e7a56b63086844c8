"""What shows only when all hand-ins of a run lie side by side: pictures that several students handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.dataset.shared import Pairs, shared
from harness.evidence.audit import DatasetAudit, SharedPicture
from harness.evidence.stage_result import Done
from harness.findings import Finding, finding
from harness.run import Examined
from harness.store import Store


def across_students(examined: Sequence[Examined], store: Store) -> list[Examined]:
    """The same hand-ins, with the pictures that each shares with another, and a finding for each other."""
    audits = {
        one.submission.id: one.evidence.audit.value
        for one in examined
        if isinstance(one.evidence.audit, Done) and one.evidence.audit.value.greys is not None
    }
    sets = {
        owner: (tuple(audit.pixels.values()), np.load(store.path(audit.greys), allow_pickle=False))
        for owner, audit in audits.items()
        if audit.greys is not None
    }
    found = shared(sets)
    return [_with_shared(one, found.get(one.submission.id, {}), audits) for one in examined]


def _with_shared(one: Examined, found: dict[str, Pairs], audits: dict[str, DatasetAudit]) -> Examined:
    result = one.evidence.audit
    if not found or not isinstance(result, Done):
        return one
    mine = tuple(result.value.pixels)
    pictures, findings = list[SharedPicture](), list[Finding]()
    for other, pairs in sorted(found.items()):
        theirs = tuple(audits[other].pixels)
        pictures += [SharedPicture(picture=mine[i], other=other, other_picture=theirs[j]) for i, j in pairs]
        count = f"{len(pairs)} picture{'' if len(pairs) == 1 else 's'}"
        example, there = mine[pairs[0][0]], theirs[pairs[0][1]]
        whose = f"{other}, there {there}"
        findings.append(finding("dataset-shared-with-other", count=count, example=example, detail=whose))
    value = result.value.model_copy(update={"shared": tuple(pictures)})
    evidence = one.evidence.model_copy(
        update={
            "audit": result.model_copy(update={"value": value}),
            "later_findings": (*one.evidence.later_findings, *findings),
        }
    )
    return replace(one, evidence=evidence)
