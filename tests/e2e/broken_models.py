"""Models that cannot be used, as people hand them in, and what each message must say."""
# ruff: noqa: E501

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from model_files import FACTORIES, keras_model, torch_model, write_torch
from onnx import TensorProto, helper
from torch import nn

Write = Callable[[Path], Path]
TINY = FACTORIES["tiny"]


class Case(NamedTuple):
    """A file, model.py beside it, and words that must and must not be in the message."""

    write: Write
    factory: str
    says: tuple[str, ...]
    says_not: tuple[str, ...] = ()


def saved(format: str, share: float = 1) -> Write:
    """The tiny network in a format of `write_torch`, or the beginning of that file."""

    def write(place: Path) -> Path:
        write_torch(torch_model("tiny"), format, place / "model")
        content = (place / "model").read_bytes()
        (place / "model").write_bytes(content[: int(len(content) * share)])
        return place / "model"

    return write


def pickled(make: Callable[[], Any]) -> Write:
    """`torch.save` of what `make` gives."""

    def write(place: Path) -> Path:
        torch.save(make(), place / "model")
        return place / "model"

    return write


def holding(content: Callable[[], bytes]) -> Write:
    def write(place: Path) -> Path:
        (place / "model").write_bytes(content())
        return place / "model"

    return write


def keras(change: Callable[[list[dict[str, Any]]], None], version: str = "", share: float = 1) -> Write:
    """A small .keras, its layers changed, or the beginning of it."""

    def write(place: Path) -> Path:
        file = place / "model.keras"
        keras_model("tiny", augment=False).save(file)
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        config, about = json.loads(members["config.json"]), json.loads(members["metadata.json"])
        change(config["config"]["layers"])
        about["keras_version"] = version or about["keras_version"]
        members |= {"config.json": json.dumps(config).encode(), "metadata.json": json.dumps(about).encode()}
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
        return file

    return write


def keras_of(shape: tuple[int, ...], *, function: bool = False) -> Write:
    def write(place: Path) -> Path:
        import keras as library

        def divided(x: Any) -> Any:
            return x / 255.0

        layers = [library.Input(shape), library.layers.Flatten(), library.layers.Dense(5)]
        library.Sequential(layers[:1] + [library.layers.Lambda(divided)] * function + layers[1:]).save(
            place / "m.keras"
        )
        return place / "m.keras"

    return write


def keras_h5(layers: list[dict[str, Any]], share: float = 1) -> Write:
    """An .h5 as Keras 2.9 wrote it."""

    def write(place: Path) -> Path:
        import h5py

        file = place / "model.h5"
        with h5py.File(file, "w") as stored:
            stored.attrs["keras_version"], stored.attrs["backend"] = "2.9.0", "tensorflow"
            stored.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
            stored["weights"] = np.zeros((1280, 5), "f4")
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
        return file

    return write


def onnx(nodes: list[Any], *, opset: int = 18, domain: str = "", shape: Any = (1, 3, 8, 8), given: Any = ()) -> Write:
    """An ONNX graph from `image` to `answer`, with zeros of the shapes `given`."""

    def write(place: Path) -> Path:
        weights = [helper.make_tensor(n, TensorProto.FLOAT, s, np.zeros(int(np.prod(s)))) for n, s in given]
        ends = [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("image", shape), ("answer", (1, 5)))
        ]
        graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], weights)
        imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1)] * bool(domain)
        made = helper.make_model(graph, opset_imports=imports, ir_version=9)
        (place / "model").write_bytes(made.SerializeToString())
        return place / "model"

    return write


def script(module: nn.Module, shape: tuple[int, ...], change: tuple[str, str] = ("", "")) -> Write:
    """A traced script, in whose code a text is replaced."""

    def write(place: Path) -> Path:
        torch.jit.trace(module, torch.zeros(shape)).save(str(place / "traced"))
        with zipfile.ZipFile(place / "traced") as archive, zipfile.ZipFile(place / "model", "w") as copy:
            for info in archive.infolist():
                content = archive.read(info)
                if info.filename.endswith(".py") and change[0]:
                    assert change[0].encode() in content
                    content = content.replace(change[0].encode(), change[1].encode())
                copy.writestr(info.filename, content)
        return place / "model"

    return write


def _set(layer: int, **values: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda layers: layers[layer].update(values)


def _setting(**values: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda layers: layers[-1]["config"].update(values)


def _npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, features=np.zeros(3))
    return stream.getvalue()


def _resnet(depth: int) -> Any:
    import torchvision

    return getattr(torchvision.models, f"resnet{depth}")(weights=None).state_dict()


def _network(channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)).eval()


_node = helper.make_node
_FLAT = _node("Flatten", ["image"], ["flat"])
_END = _node("Flatten", ["image"], ["answer"])
_HUB = {"class_name": "KerasLayer", "config": {"name": "k", "handle": "https://tfhub.dev/google/x/4"}}
_STATE = saved("state_dict")
_RESNET50 = "import torchvision\ndef build_model(n):\n    return torchvision.models.resnet50(num_classes=n)"
_DAMAGED = ("cut off or damaged", "upload it again")
_FORMATS = ("onnx", "state_dict", "legacy_state_dict", "whole_module", "traced", "exported", "safetensors")

CASES = {
    **{f"{f} cut at {s:.0%}": Case(saved(f, s), TINY, _DAMAGED) for f in _FORMATS for s in (0.1, 0.5, 0.9)},
    **{f"keras cut at {s:.0%}": Case(keras(_set(0), share=s), "", _DAMAGED) for s in (0.1, 0.5, 0.9)},
    **{f"h5 cut at {s:.0%}": Case(keras_h5([], s), "", _DAMAGED) for s in (0.1, 0.5, 0.9)},
    # model.py
    "no model.py": Case(_STATE, "", ("only weights", "model.py with build_model(num_classes)")),
    "syntax": Case(_STATE, "x = 1\ndef build_model(n)\n    pass", ("not valid Python in line 2", "expected ':'")),
    "raises": Case(
        _STATE, TINY + "\nraise ValueError('an\\n\x1b[31merror\x1b[0m in /work/handin/x')",
        ("stopped in line 19 with ValueError: an error in x",), ("[31m",),
    ),
    "no such key": Case(_STATE, "def build_model(n):\n    return {}['a']", ("build_model(5) in model.py stopped in line 2",)),
    "asserts": Case(_STATE, "def build_model(n):\n    assert n == 2", ("AssertionError", "line 2"), ("AssertionError:",)),
    "opens a file": Case(_STATE, "def build_model(n):\n    return open('/content/w.txt')", ("/content/w.txt", "weights=None")),
    "needs a package": Case(_STATE, "import timm_of_mine\n" + TINY, ("imports timm_of_mine in line 1", "model.py itself")),
    "needs a file": Case(_STATE, "from .utils import x\n" + TINY, ("another file", "into model.py itself")),
    "exits": Case(_STATE, TINY + "\nimport sys; sys.exit(3)", ("ends the program in line 19",), ("SystemExit",)),
    "without arguments": Case(_STATE, "def build_model(): pass", ("called as build_model(num_classes)",)),
    "two arguments": Case(_STATE, "def build_model(n, dropout): pass", ("'dropout'", "defaults")),
    "returns nothing": Case(_STATE, "def build_model(n): pass", ("gave nothing", "return"), ("NoneType",)),
    "no build_model": Case(_STATE, "def make_model(n): pass", ("no function build_model", "add one")),
    "wrong keyword": Case(
        _STATE, "import torchvision\ndef build_model(n):\n    return torchvision.models.resnet18(weight=None)",
        ("unexpected keyword argument 'weight'", "line 3"),
    ),
    "on a card": Case(_STATE, TINY.replace("Tiny(num_classes)", "Tiny(num_classes).cuda()"), ("graphics card", ".cuda()")),
    "never ends its calls": Case(_STATE, "def build_model(n): return build_model(n)", ("RecursionError", "line 1")),
    # weights
    "another network": Case(pickled(lambda: _resnet(34)), _RESNET50, ("64 x 64 x 3 x 3", "more differ", "the model.py")),
    "other classes": Case(
        pickled(lambda: nn.Sequential(nn.Flatten(), nn.Linear(48, 7)).state_dict()),
        "from torch import nn\ndef build_model(n): return nn.Sequential(nn.Flatten(), nn.Linear(48, n))",
        ("for 7 classes", "5 labels"),
    ),
    "more layers": Case(
        pickled(lambda: torch_model("tiny").state_dict() | {f"extra.{i}.w": torch.zeros(1) for i in range(300)}), TINY,
        ("extra.0.w", "297 more", "the model.py"), ("extra.9",),
    ),
    "a number": Case(pickled(lambda: 3), "", ("neither a model nor a state dict", "type int", "save the whole model")),
    "a history": Case(holding(lambda: pickle.dumps({"loss": [1, 2]})), "", ("neither a model", "save the whole model")),
    "arrays": Case(holding(_npz), "", ("no model", "ONNX")),
    "text": Case(holding(lambda: b"hello" * 99), "", ("none of the accepted formats", "ONNX")),
    "nothing": Case(holding(lambda: b""), "", ("empty", "save the model again")),
    "a page": Case(holding(lambda: b"<html><body>Drive"), "", ("web page", "download")),
    "cut header": Case(holding(lambda: (999).to_bytes(8, "little") + b'{"a":{"dt'), TINY, _DAMAGED, ("deserializ",)),
    # shapes
    "grey script": Case(script(_network(1), (1, 1, 32, 32)), "", ("1 colour channel", "RGB"), ("Given groups",)),
    "grey program": Case(
        lambda place: _exported(place, _network(1), (2, 1, 32, 32)), "", ("1 colour channel", "RGB")
    ),
    "no image": Case(script(nn.Linear(10, 5), (1, 10)), "", ("no usual size", "mat1 and mat2")),
    "flat onnx": Case(onnx([_END], shape=(1, 10)), "", ("2 dimensions", "takes images")),
    "video onnx": Case(onnx([_END], shape=(1, 3, 4, 8, 8)), "", ("5 dimensions", "takes images")),
    "grey onnx": Case(onnx([_END], shape=(1, 1, 32, 32)), "", ("1 x 32 x 32", "3 colours")),
    "grey keras": Case(keras_of((32, 32, 1)), "", ("32 x 32 x 1", "3 colours"), ("None",)),
    "flat keras": Case(keras_of((784,)), "", ("2 dimensions", "takes images"), ("None",)),
    # Keras
    "own layer": Case(
        keras(_set(-1, class_name="Attention2", module="__main__", registered_name="Attention2")), "",
        ("of its own, Attention2", "as ONNX"), ("config", "deserialize"),
    ),
    "own function": Case(keras_of((32, 32, 3), function=True), "", ("of its own, divided", "as ONNX"), ("config",)),
    "hub": Case(keras_h5([_HUB]), "", ("TensorFlow Hub", "keras.applications")),
    "hub in a .keras": Case(keras(_set(-1, **_HUB, module="tensorflow_hub.keras_layer")), "", ("TensorFlow Hub",)),
    "new setting": Case(keras(_setting(rank=4), "3.99.0"), "", ("rank of Dense", "3.99.0", "ONNX"), ("config",)),
    "new layer": Case(
        keras(_set(-1, class_name="NewDense", module="keras.layers"), "3.99.0"), "", ("3.99.0", "NewDense", "ONNX"),
    ),
    # ONNX
    "newer operators": Case(onnx([_FLAT], opset=99), "", ("operator set 99", "opset_version=18")),
    "no such operator": Case(onnx([_node("Frobnicate", ["image"], ["answer"])]), "", ("Frobnicate", "opset_version")),
    "own operator": Case(
        onnx([_node("FusedConv", ["image"], ["answer"], domain="com.microsoft")], domain="com.microsoft"), "",
        ("com.microsoft.FusedConv", "standard operators"),
    ),
    "cycle": Case(
        onnx([_node("Add", ["image", "b"], ["a"]), _node("Relu", ["a"], ["b"]), _node("Flatten", ["b"], ["answer"])]),
        "", ("not whole", "'b'", "export it again"), ("OpType",),
    ),
    "missing weights": Case(onnx([_FLAT, _node("MatMul", ["flat", "w"], ["answer"])]), "", ("not whole", "'w'")),
    "shapes that do not fit": Case(
        onnx([_FLAT, _node("MatMul", ["flat", "w"], ["answer"])], given=[("w", (10, 5))]), "",
        ("MatMul", "Incompatible dimensions"), ("ShapeInferenceError", "Node ()"),
    ),
    "wrong attribute": Case(
        onnx([_node("Conv", ["image", "w"], ["answer"], strides="x")], given=[("w", (5, 3, 3, 3))]), "",
        ("at its Conv", "export it again"), ("==>", "OpType"),
    ),
    # TorchScript
    "own op": Case(
        script(nn.Flatten(), (1, 3, 8, 8), ("torch.flatten(", "ops.mine.fused(")), "", ("mine::fused", "as ONNX"), ("code/",)
    ),
}  # fmt: skip


def _exported(place: Path, network: nn.Module, shape: tuple[int, ...]) -> Path:
    torch.export.save(torch.export.export(network, (torch.zeros(shape),)), place / "model.pt2")
    return place / "model.pt2"
