"""The files in which an ONNX model's weights lie: named by a student's file, so looked for and never just opened."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from harness.apart.submissions.external_data import locations
from harness.inputs.submissions.external_data import external_data, external_data_of


def model_of(file: Path, *where: str, inside_a_node: bool = False) -> Path:
    """An ONNX file with a tensor for each location."""
    file.parent.mkdir(parents=True, exist_ok=True)
    tensors = []
    for index, location in enumerate(where):
        tensor = onnx.TensorProto(name=f"w{index}", data_type=TensorProto.FLOAT, dims=[1])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", "4")):
            tensor.external_data.add(key=key, value=value)
        tensors.append(tensor)
    nodes = [helper.make_node("Constant", [], ["c"], value=tensors[0])] if inside_a_node else []
    if inside_a_node:  # in a graph in an If
        nodes = [helper.make_node("If", ["q"], ["y"], then_branch=helper.make_graph(nodes, "t", [], []))]
    graph = helper.make_graph(nodes, "g", [], [], [] if inside_a_node else tensors)
    file.write_bytes(helper.make_model(graph).SerializeToString())
    return file


def found(root: Path, model: str = "model.onnx") -> dict[str, str]:
    files = [file.relative_to(root) for file in sorted(root.rglob("*")) if file.is_file()]
    taken = external_data(root, Path(model), files)
    given = external_data_of({companion.role: companion.path for companion in taken})
    return {location: str(path) for location, path in given.items()}


def test_each_file_that_the_model_names_is_a_companion(tmp_path: Path) -> None:
    model_of(tmp_path / "model.onnx", "model.onnx.data", "parts/b.bin", "model.onnx.data")
    for name in ("model.onnx.data", "parts/b.bin", "other.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(bytes(4))
    assert found(tmp_path) == {"model.onnx.data": "model.onnx.data", "parts/b.bin": "parts/b.bin"}


def test_a_tensor_in_a_graph_in_a_node_counts(tmp_path: Path) -> None:
    assert locations(model_of(tmp_path / "model.onnx", "deep.bin", inside_a_node=True)) == ["deep.bin"]


@pytest.mark.parametrize("there", ["objects.onnx.data", "objects.data", "elsewhere/net.onnx.data"])
def test_a_model_that_was_renamed_or_moved_has_its_data(there: str, tmp_path: Path) -> None:
    model_of(tmp_path / "objects.onnx", "net.onnx.data")
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_bytes(bytes(4))
    assert found(tmp_path, "objects.onnx") == {"net.onnx.data": there}


@pytest.mark.parametrize(
    "location",
    ["../secret.bin", "/etc/passwd", "a/../../secret.bin", "..", ".", "", "/dev/zero", "x\ny", "..\\secret.bin"],
)
def test_no_location_leads_out_of_the_submission(location: str, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(4))
    model_of(tmp_path / "handed" / "model.onnx", location)
    assert found(tmp_path / "handed") == {}


@pytest.mark.parametrize("kind", ["link", "link to a folder", "pipe"])
def test_a_link_or_a_device_is_no_data(kind: str, tmp_path: Path) -> None:
    root, outside = tmp_path / "handed", tmp_path / "outside"
    outside.mkdir()
    (outside / "w.bin").write_bytes(bytes(4))
    model_of(root / "model.onnx", "part/w.bin")
    if kind == "link to a folder":
        (root / "part").symlink_to(outside)
    else:
        (root / "part").mkdir()
        if kind == "link":
            (root / "part" / "w.bin").symlink_to(outside / "w.bin")
        else:
            os.mkfifo(root / "part" / "w.bin")
    listed = [Path("part/w.bin"), Path("model.onnx")]
    assert external_data(root, Path("model.onnx"), listed) == ()


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02}q\x00.", b"PK\x03\x04" + bytes(60), b"\x3a\xff\xff\xff\xff\x7f", b"\x3a\x02" * 40]
)
def test_what_is_no_onnx_has_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    assert locations(tmp_path / "model.onnx") == [] and found(tmp_path) == {}


def test_a_model_with_thousands_of_files_gets_none(tmp_path: Path) -> None:
    model_of(tmp_path / "model.onnx", *(f"{index}.bin" for index in range(200)))
    assert found(tmp_path) == {}
