"""Whatever raises while one entry is looked at: that entry waits for a person, and the others are as alone.

The functions are found by watching a class being taken, not by a list.
"""

from __future__ import annotations

import sys
import types
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from downloads import unpacked

from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.lms import readers

CLASSES = {
    "plain": {f"{name}/model.onnx": b"x" for name in ("anna", "bert", "mallory")},
    "loose": {f"{name}.onnx": b"x" for name in ("anna", "bert", "mallory")},
    "moodle": {
        f"{name}_{n}_assignsubmission_file_model.onnx": b"x" for n, name in enumerate(("anna", "bert", "mallory"))
    },
    "canvas": {f"{name}_{n}_70{n}_model.onnx": b"x" for n, name in enumerate(("anna", "bert", "mallory"), start=10)},
    "brightspace": {
        f"{n}-9 - {name} - Nov 3, 2025 1234 PM/model.onnx": b"x" for n, name in enumerate(("anna", "bert", "mallory"))
    },
}
GUARDS = {"kept_apart", "delivered", "parsed", "_take", "_is"}  # they keep the trouble of what they call
TROUBLE: list[Callable[[], Exception]] = [
    lambda: RuntimeError("injected"),
    lambda: zlib.error("injected"),
    MemoryError,
    RecursionError,
    lambda: OSError(36, "File name too long"),
]


def is_mallorys(arguments: object) -> bool:
    """Whether the arguments are of this one submission, and of no other."""
    text = repr(arguments)
    return "mallory" in text and not any(name in text for name in ("anna", "bert"))


def owners() -> Iterator[Any]:
    """The modules and classes of intake."""
    for name, module in list(sys.modules.items()):
        if name.startswith("harness.inputs.submissions") and not name.startswith("harness.apart.submissions"):
            yield module
            yield from (one for one in vars(module).values() if isinstance(one, type) and one.__module__ == name)


def functions() -> dict[types.CodeType, list[tuple[Any, str]]]:
    """Each function of intake's, and where it is called by its name."""
    found: dict[types.CodeType, list[tuple[Any, str]]] = {}
    for owner in owners():
        for name, value in vars(owner).items():
            is_ours = isinstance(value, types.FunctionType) and value.__module__.startswith(
                "harness.inputs.submissions"
            )
            if is_ours and name not in GUARDS and not name.startswith("__"):
                found.setdefault(value.__code__, []).append((owner, name))
    return found


def called_for_mallory(given: Path, work: Path) -> list[types.CodeType]:
    """The functions that were called with his data alone, in the order in which they first were."""
    known, seen = functions(), dict.fromkeys([])

    def watch(frame: types.FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code in known and code not in seen:
            arguments = [
                frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            ]
            if is_mallorys(arguments):
                seen[code] = None

    import threading

    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        collect(given, work)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(seen)


def failing(function: Callable[..., object], error: Callable[[], Exception]) -> Callable[..., object]:
    def fails(*arguments: object, **named: object) -> object:
        if is_mallorys((arguments, named)):
            raise error()
        return function(*arguments, **named)

    return fails


def about(one: Submission) -> tuple:
    return one.id, one.model, one.sha256, one.findings, one.origin.lms_id, one.origin.handed_in


@pytest.mark.parametrize("kind", CLASSES)
def test_whatever_function_of_intake_raises_for_one_the_others_are_as_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    assert readers()  # loaded, so that they are found
    given = tmp_path / "given"
    unpacked(CLASSES[kind], given)
    codes = called_for_mallory(given, tmp_path / "first")
    assert len(codes) >= 10
    alone = {one.student: about(one) for one in collect(given, tmp_path / "alone") if one.student != "mallory"}
    known = functions()
    holes = []
    for number, code in enumerate(codes):
        error = TROUBLE[number % len(TROUBLE)]
        with monkeypatch.context() as patch:
            for owner, name in known[code]:
                patch.setattr(owner, name, failing(vars(owner)[name], error))
            try:
                found = collect(given, tmp_path / str(number))
            except Exception as escaped:
                found = []
                holes.append(f"{code.co_qualname}: {escaped!r}")
        others = {one.student: about(one) for one in found if "mallory" not in one.student}
        his = [one for one in found if "mallory" in one.student]
        if others != alone or len(his) != 1 or not (his[0].findings or his[0].model):
            holes.append(f"{code.co_qualname} of {Path(code.co_filename).name}")
    assert not holes, "; ".join(holes)
