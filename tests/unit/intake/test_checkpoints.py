"""Of many checkpoints of a detector the one is graded that jetson-inference would export; the others are listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.inputs.submission import SubmittedFile
from harness.inputs.submissions.candidates import Aged, models
from harness.inputs.submissions.checkpoints import is_published, series

START = "mobilenet-v1-ssd-mp-0_675.pth"


def taken(*names: str) -> list[str]:
    return [one.taken.path.name for one in series([Path("models", name) for name in names])]


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (("mb1-ssd-Epoch-0-Loss-8.25.pth", "mb1-ssd-Epoch-10-Loss-10.5.pth"), 0),
        (("mb1-ssd-Epoch-1-Loss-2.5.pth", START), 0),
        (("mb1-ssd-Epoch-9-Loss-9e-05.pth", "mb1-ssd-Epoch-8-Loss-4.9.pth"), 1),  # the exporter reads 05
        (("mb1-ssd-Epoch-8-Loss-nan.pth", "mb1-ssd-Epoch-2-Loss-20000.5.pth", "mb1-ssd-Epoch-1-Loss-99.pth"), 2),
        (("mb1-ssd-Epoch-2-Loss-nan.pth", "mb1-ssd-Epoch-10-Loss-nan.pth"), 1),
        (("mb1-ssd-Epoch-9-Loss-2.5.pth", "mb1-ssd-Epoch-10-Loss-2.5.pth", "vgg16-ssd-Epoch-1-Loss-3.pth"), 1),
        (("mb1-ssd-Epoch-3-Loss-2.1-1.pth", "mb1-ssd-Epoch-4-Loss-1.9.pth"), 1),  # Canvas counts files that come again
    ],
)
def test_the_lowest_loss_is_taken_as_the_exporter_reads_it(names: tuple[str, ...], best: int) -> None:
    assert taken(*names) == taken(*reversed(names)) == [names[best]]


@pytest.mark.parametrize("names", [("mb1-ssd-Epoch-0-Loss-8.25.pth",), ("a-1.pth", "b-2.pth"), (START, "resnet18.pth")])
def test_other_files_are_no_series(names: tuple[str, ...]) -> None:
    assert taken(*names) == []


def test_folders_are_apart() -> None:
    files = [Path(folder, f"mb1-ssd-Epoch-{epoch}-Loss-{epoch}.5.pth") for folder in "ab" for epoch in (1, 2)]
    assert [str(one.taken.path) for one in series(files)] == [str(files[0]), str(files[2])]


@settings(max_examples=50)
@given(st.lists(st.text(max_size=30).filter(lambda name: "/" not in name), max_size=5), st.floats(width=32))
def test_any_names(names: list[str], loss: float) -> None:
    files = [Path(f"x{name}.pth") for name in names]
    files += [Path(f"mb1-ssd-Epoch-1-Loss-{loss}.pth"), Path("mb1-ssd-Epoch-2-Loss-1.0.pth")]
    (found,) = series(list(dict.fromkeys(files)))
    assert not {found.taken} & set(found.passed_over) and found.findings()


def candidates(*named: tuple[str, str]) -> dict[str, list[str]]:
    there = [Aged(SubmittedFile(Path(name), kind), 0.0) for name, kind in named]
    return {str(one.path): [finding.message for finding in one.findings] for one in models(there)}


def test_the_others_are_listed_and_not_tried() -> None:
    trained = [
        (f"out/mb1-ssd-Epoch-{epoch}-Loss-{abs(epoch - 20) / 4 + 2}.pth", "torch-weights") for epoch in range(40)
    ]
    start, own = (f"out/{START}", "torch-weights"), ("out/best.pth", "torch-weights")
    cut = ("out/mb1-ssd-Epoch-40-Loss-0.5.pth", "empty")
    exported = ("out/ssd-mobilenet.onnx", "onnx")
    found = candidates(*trained, start, own, cut, exported)
    weights = ["out/best.pth", "out/mb1-ssd-Epoch-20-Loss-2.0.pth"]
    assert list(found) == ["out/ssd-mobilenet.onnx", *weights, cut[0]], "what cannot be read comes last"
    said, *lists = found["out/mb1-ssd-Epoch-20-Loss-2.0.pth"]
    assert "Of 41 checkpoints" in said and "(2)" in said and found["out/ssd-mobilenet.onnx"] == []
    listed = " ".join(lists)
    assert START in listed and all(f"{epoch}: " in listed for epoch in range(40) if epoch != 20)
    assert "20: " not in listed and "…" not in listed


@pytest.mark.parametrize(
    ("name", "published"),
    [("resnet18-f37072fd.pth", True), ("model-20240512.pth", False), ("vgg16-397923af.pth", True), (START, True)],
)
def test_a_date_in_a_name_is_no_publishers_hash(name: str, published: bool) -> None:
    assert is_published(Path(name)) == published
