"""Gives each submission an id, and notes submissions that claim the same person."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import partial

from anyascii import anyascii

from harness.findings import finding
from harness.inputs.submissions.lms import readers
from harness.inputs.submissions.one_entry import kept_apart
from harness.inputs.submissions.sorting import Sorted

_LONGEST = 64  # characters, before a hash
_HASH = 16  # hexadecimal digits: 64 bits, too many to search for a collision at home


def with_ids(found: list[Sorted]) -> list[tuple[str, Sorted]]:
    """Each submission with its id. If several would have the same id, each of them gets a hash of its identity.

    So no id depends on the order or number of submissions.
    """
    wanted = [kept_apart("intake", partial(identifier, one.delivery.key), lambda _: "submission") for one in found]
    identities = _identities(found)
    ids = list(wanted)
    while clashing := _clashing(ids):  # a student may choose a name equal to another's id with its hash
        ids = [
            f"{id[:_LONGEST].rstrip('-_')}-{_hash(f'{id} {identity}')}" if id.casefold() in clashing else id
            for id, identity in zip(ids, identities, strict=True)
        ]
    return [
        (id, one if id == name else replace(one, findings=(*one.findings, finding("duplicate-id", name=name, id=id))))
        for id, name, one in zip(ids, wanted, found, strict=True)
    ]


def with_claims_noted(found: list[Sorted]) -> list[Sorted]:
    """The submissions, with a finding on each that claims the same LMS id as another."""
    claimed = [kept_apart("intake", partial(_claim, one), lambda _: None) for one in found]
    claims = Counter(filter(None, claimed))
    titles = {source: reader.TITLE for source, reader in readers().items()}
    noted = []
    for one, claim in zip(found, claimed, strict=True):
        if claim and claims[claim] > 1:
            lms, id = titles.get(one.source, one.source), one.delivery.lms_id
            why = finding("lms-id-claimed-twice", lms=lms, id=id, count=claims[claim])
            one = replace(one, findings=(*one.findings, why))
        noted.append(one)
    return noted


def identifier(name: str) -> str:
    """At most 81 ASCII letters, digits, `-` and `_`; a hash is added if other characters were transliterated."""
    plain = unicodedata.normalize("NFKD", name)
    stripped = "".join(c for c in plain if not unicodedata.combining(c))
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in anyascii(stripped))
    slug = "-".join(part for part in kept.split("-") if part)[:_LONGEST].strip("-_")
    lost = any(not c.isascii() for c in stripped) or len(slug) < 1 or len(kept) > _LONGEST
    if lost or slug.upper() in _RESERVED:
        slug = f"{(slug or 'submission')[: _LONGEST - 1]}-{_hash(name)}"
    return slug


def _claim(one: Sorted) -> tuple[str, str] | None:
    """The LMS and the person's number or name; LMSs ignore case."""
    id = one.delivery.lms_id
    return (one.source, id.strip().casefold()) if id.strip() else None


def _identities(found: list[Sorted]) -> list[str]:
    """A unique identity for each: `Submission.identity`, with a number where that is equal."""
    seen: Counter[str] = Counter()
    identities = []
    for one in found:
        delivery = one.delivery
        own = json.dumps([one.source, delivery.lms_id, delivery.exact or delivery.student])
        seen[own] += 1
        identities.append(own if seen[own] == 1 else f"{own} {seen[own]}")
    return identities


def _clashing(ids: list[str]) -> set[str]:
    counts = Counter(id.casefold() for id in ids)
    return {id for id, count in counts.items() if count > 1}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]


_PORTS = {f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)}
_RESERVED = {"CON", "PRN", "AUX", "NUL", *_PORTS}  # not valid as file names on Windows, where reports may be read
