"""Models that are zips stay packed; numbers in Canvas' names are taken off where Canvas wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest
from downloads import NOTEBOOK, codes, files, taken, unpacked, with_names, zipped

from harness.apart.submissions.zip_models import ARRAYS, DOCUMENT, KERAS, TORCH, TORCH_EXPORT, model_in

TORCH_MEMBERS = ["best/data.pkl", "best/byteorder", "best/data/0", "best/version", "best/.data/serialization_id"]


# --- models that are zips -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (TORCH_MEMBERS, TORCH),
        (["m/data.pkl", "m/code/__torch__.py", "m/constants.pkl", "m/version", "m/data/0"], TORCH),
        (["metadata.json", "config.json", "model.weights.h5"], KERAS),
        (["x/archive_format", "x/archive_version", "x/models/model.json", "x/data/weights/w"], TORCH_EXPORT),
        (["serialized_exported_program.json", "serialized_state_dict.pt", "version"], TORCH_EXPORT),
        (["arr_0.npy", "labels.npy"], ARRAYS),
        (["[Content_Types].xml", "word/document.xml", "_rels/.rels"], DOCUMENT),
        ([*TORCH_MEMBERS, "best/TL.ipynb"], None),
        ([*TORCH_MEMBERS, "TL.ipynb"], None),
        (["hand in/" + name for name in TORCH_MEMBERS], None),
        (["model/config.json", "model/model.weights.h5", "model/metadata.json"], None),
        (["config.json", "model.weights.h5", "TL.ipynb"], None),
        (["config.json", "labels.txt"], None),
        (["notebook.ipynb", "model.onnx"], None),
        (["features/a.npy"], None),
        ([], None),
    ],
)
def test_a_zip_is_a_model_by_all_of_its_members(names: list[str], kind: str | None):
    assert model_in(names) == kind


def test_a_model_that_is_called_like_an_archive_is_not_unpacked(tmp_path: Path):
    torch_zip = with_names(dict.fromkeys(TORCH_MEMBERS, b"\x80\x02."))
    keras = zipped({"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b"h5"})
    old = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how torch before 1.6 begins
    unpacked(
        {
            "anna/notebook.ipynb": NOTEBOOK, "anna/best.zip": torch_zip, "anna/ckpt.pth.tar": old, "anna/k.zip": keras,
            "bert.zip": torch_zip, "carl.pth.tar": old, "dora.zip": zipped({"in/best.zip": torch_zip, "in/a.txt": b""}),
        },
        tmp_path / "given",
    )  # fmt: skip
    found = taken(tmp_path / "given", tmp_path)
    assert files(found["anna"]) == {"notebook.ipynb", "best.zip", "ckpt.pth.tar", "k.zip"}
    assert files(found["bert"]) == {"bert.zip"}
    assert [files(one) for id, one in found.items() if id.startswith("carl")] == [{"carl.pth.tar"}]
    assert files(found["dora"]) == {"best.zip", "a.txt"}
    assert not any(code.startswith("archive") for one in found.values() for code in codes(one))


# --- Canvas' numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handed_in", "kept"),
    [
        ({"plot-1.png": 1, "plot-2.png": 2, "notebook.ipynb": 3}, {"plot-1.png", "plot-2.png", "notebook.ipynb"}),
        ({"a.jpg": 1, "a-2.jpg": 2, "notebook.ipynb": 3}, {"a.jpg", "a-2.jpg", "notebook.ipynb"}),  # a gap
        ({"a-1.jpg": 1, "a.jpg": 2, "notebook.ipynb": 3}, {"a.jpg", "a-1.jpg", "notebook.ipynb"}),  # uploaded first
        ({"n.ipynb": 1, "n-1.ipynb": 5, "n-2.ipynb": 9, "x-3.csv": 2}, {"n.ipynb", "x-3.csv"}),
        ({"n-1.ipynb": 1, "model-1.onnx": 2, "labels-1.txt": 3}, {"n.ipynb", "model.onnx", "labels.txt"}),
        (
            {"notebook.ipynb": 1, "model-1.onnx": 2, "labels-1.txt": 3},
            {"notebook.ipynb", "model-1.onnx", "labels-1.txt"},
        ),
    ],
)
def test_only_the_numbers_that_canvas_wrote_are_taken_off(tmp_path: Path, handed_in: dict[str, int], kept: set[str]):
    tree = {f"annad_12345_2{attachment:02}_{name}": name.encode() for name, attachment in handed_in.items()}
    unpacked({**tree, "bertb_12346_299_notebook.ipynb": NOTEBOOK}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["annad-12345"]
    assert files(one) == kept
    if "labels-1.txt" in kept:
        assert [companion.path for companion in one.models[0].companions] == [Path("labels-1.txt")]
