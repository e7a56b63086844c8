"""A predict.py with which a student hands in a detector of any kind, and the files that go in with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.findings import finding
from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.submission import Companion, ModelFile, SubmittedFile
from harness.inputs.submissions.companions import belonging_to

OWN_CODE = "predict.py"
_ROLE = "beside predict.py: "  # and after it the path from its folder
_MOST = 200  # files
# No code reads these to answer, and a data set has thousands of them.
_LEFT_OUT = ("image", "video", "document", "archive", "litter", "program", "table")
_DATASET = "dataset"


def own_code(files: Sequence[SubmittedFile]) -> tuple[ModelFile, ...]:
    """The submission's predict.py, the nearest to its top, with what lies beside and below it; empty without one."""
    outside = [file for file in files if file.path.parts[0].lower() != _DATASET]
    found = sorted(
        (file.path for file in outside if file.path.name == OWN_CODE and file.kind == "python"),
        key=lambda path: (len(path.parts), path.as_posix()),
    )
    if not found:
        return ()
    code, folder = found[0], found[0].parent
    inside = [one for one in outside if folder in one.path.parents and one.path != code and _may_be_read(one)]
    there = [one.path for one in sorted(inside, key=_need)]
    taken = there[:_MOST]
    roles, about = belonging_to(code, [file.path for file in outside])
    beside = tuple(Companion(f"{_ROLE}{path.relative_to(folder).as_posix()}", path) for path in taken)
    cut = (finding("own-code-cut", count=len(there), most=_MOST),) if len(there) > _MOST else ()
    return (ModelFile(code, "python", (*roles, *beside), (*about, *cut)),)


def own_files_of(companions: Mapping[str, Path]) -> dict[str, Path]:
    """Of a model's companions, what lies beside its predict.py: path from its folder -> file."""
    return {role.removeprefix(_ROLE): file for role, file in companions.items() if role.startswith(_ROLE)}


def _need(file: SubmittedFile) -> tuple[bool, bool, int, str]:
    """Weights first, then code, then what lies nearest: annotations may be thousands."""
    is_model = FILE_KINDS[file.kind].use in ("model", "weights")
    return not is_model, file.kind != "python", len(file.path.parts), file.path.as_posix()


def _may_be_read(file: SubmittedFile) -> bool:
    """Whether code may need it to answer; a name that no mount can have is not taken."""
    uses = FILE_KINDS[file.kind].use
    return uses not in ("notebook", "broken") and file.kind not in _LEFT_OUT and str(file.path).isprintable()
