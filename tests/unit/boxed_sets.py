"""Small data sets with boxes, in Pascal VOC, and the audit of them in a real sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from rewriting import notebook

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import OwnDataset
from harness.inputs.submission import Submission
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.audit.stage import AuditRules, audit
from harness.stages.context import StageContext
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.store import Store

SIZE = (160, 120)
LIMITS = ResourceLimits(wall_seconds=120, cell_seconds=60, memory=2 * 10**9)
_OBJECT = (
    "<object><name>{0}</name><difficult>{5}</difficult><bndbox>"
    "<xmin>{1}</xmin><ymin>{2}</ymin><xmax>{3}</xmax><ymax>{4}</ymax></bndbox></object>"
)
Drawn = tuple[str, int, int, int, int]  # class, and corners in pixels from 1


def annotation(objects: Sequence[Drawn], size: tuple[int, int] = SIZE, difficult: int = 0) -> str:
    inside = "".join(_OBJECT.format(*one, difficult) for one in objects)
    return f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>{inside}</annotation>"


def noise(place: Path, size: tuple[int, int] = SIZE) -> None:
    """An image that is like no other."""
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 90).convert("RGB").save(place, quality=95)


def submission(
    root: Path, images: Mapping[str, Sequence[Drawn]], labels: str | None = None, files: Mapping[str, bytes] = {}
) -> Submission:
    """As `camera-capture` writes it. `images`: stem -> what is drawn on it; `files`: others, by path."""
    dataset = root / "dataset"
    for stem, objects in images.items():
        noise(dataset / "JPEGImages" / f"{stem}.jpg")
        (dataset / "Annotations").mkdir(exist_ok=True)
        (dataset / "Annotations" / f"{stem}.xml").write_text(annotation(objects))
    for name, content in files.items():
        (dataset / name).parent.mkdir(parents=True, exist_ok=True)
        (dataset / name).write_bytes(content)
    if labels is not None:
        (dataset / "labels.txt").write_text(labels)
    (root / "notebook.ipynb").write_bytes(notebook("1"))
    for path in (*root.parents[:3], root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Submission("id", "s", root, Path("notebook.ipynb"), (), (), Path("dataset"), "0" * 64, ())


def context(store: Path) -> StageContext:
    return StageContext(Bubblewrap(), Store(store), LIMITS)


def audited(
    handed_in: Submission,
    store: Path,
    asked: OwnDataset | None = None,
    *,
    withholds: bool = False,
    searches: bool = False,
) -> StageResult[DatasetAudit]:
    asked = asked or OwnDataset(min_classes=1, min_images_per_class=1)
    rules = AuditRules(asked, withholds, None, detection=True, searches=searches)
    return audit(handed_in, rules, context(store))


def value(result: StageResult[DatasetAudit]) -> DatasetAudit:
    assert isinstance(result, Done), result
    return result.value


def said(result: StageResult[DatasetAudit]) -> dict[str, str]:
    """Code -> message of each finding."""
    assert isinstance(result, Done), result
    return {found.code: found.message for found in result.findings}
