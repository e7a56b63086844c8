"""What the notebooks of a class need: read from their cells, as students write them, and fetched by one command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.weights import weights as command
from harness.errors import MachineError
from harness.inputs.submissions import collect
from harness.inputs.weights import manifest as manifest_files
from harness.inputs.weights.needed import Needed, needed_by


def notebook(file: Path, *cells: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    code = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    file.write_text(json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def needed(tmp_path: Path, *cells: str) -> Needed:
    notebook(tmp_path / "in" / "ada" / "solution.ipynb", *cells)
    return needed_by(collect(tmp_path / "in", tmp_path / "work"))


JETBOT = ("import torch\nimport torchvision.models as models\n", "model = models.alexnet(pretrained=True)")
TUTORIAL = (
    "import tensorflow as tf\n!pip list",
    "IMG_SIZE = (160, 160)",
    "IMG_SHAPE = IMG_SIZE + (3,)\n"
    "base = tf.keras.applications.MobileNetV2(input_shape=IMG_SHAPE, include_top=False, weights='imagenet')",
)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (JETBOT, ["alexnet"]),
        (("from torchvision import models\nmodels.densenet121(True)",), ["densenet121"]),
        (("from torchvision.models import *\nm = inception_v3(weights='DEFAULT')",), ["inception_v3"]),
        (("import torchvision as tv\ntv.models.resnet50(weights='IMAGENET1K_V2')",), ["resnet50_v2"]),
        (
            ("from torchvision.models import resnet50, ResNet50_Weights as W\nw = W.DEFAULT", "resnet50(weights=w)"),
            ["resnet50_v2"],
        ),
        (("import torchvision\ntorchvision.models.get_model('alexnet', weights='DEFAULT')",), ["alexnet"]),
        (("import torch\ntorch.hub.load('pytorch/vision:v0.10.0', 'densenet121', pretrained=True)",), ["densenet121"]),
        (("from torchvision.models import detection as d\nd.ssd300_vgg16(weights='DEFAULT')",), ["ssd300_vgg16"]),
        (("from torchvision.models.detection import *\nfasterrcnn_resnet50_fpn()",), ["resnet50"]),
        (("from torchvision.models.detection import *\nfasterrcnn_resnet50_fpn(weights_backbone=None)",), []),
        (("from keras.applications import VGG16\nVGG16()",), ["keras_vgg16"]),
        (("from keras.applications.vgg16 import VGG16 as V\nV(include_top=False)",), ["keras_vgg16_notop"]),
        (("from tensorflow import keras\nkeras.applications.VGG16(False)",), ["keras_vgg16_notop"]),
        (TUTORIAL, ["keras_mobilenet_v2_1_0_160_notop"]),
        (("import tf_keras as keras\nkeras.applications.MobileNet(input_shape=(150, 150, 3))",), ["keras_mobilenet"]),
        (
            ("from keras.applications import MobileNetV3Small\nMobileNetV3Small(include_top=False)",),
            ["keras_mobilenet_v3small_notop"],
        ),
        (("from keras.applications import VGG16\nVGG16(weights=None)",), []),
        (("import torchvision.models as m\nm.alexnet()\nm.vgg16(pretrained=False)\nm.resnet18(weights=None)",), []),
        (("print 'Python 2'\nfrom torchvision import models", "net = models.alexnet(pretrained=True)"), ["alexnet"]),
        (("from keras.datasets import cifar10\n(x, y), _ = cifar10.load_data()",), ["cifar10"]),
        (("from torchvision.datasets import CIFAR10\nCIFAR10('data', download=True)",), ["cifar10"]),
        (("import tensorflow as tf\ntf.keras.datasets.mnist.load_data()",), ["keras_mnist"]),
        (
            ("!wget https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",),
            ["flower_photos"],
        ),
        (("import torchvision\ntorchvision.datasets.ImageFolder('data')",), []),
        (("not a cell of Python at all ((((",), []),
    ],
)  # fmt: skip
def test_what_a_notebook_asks_for(tmp_path: Path, cells: tuple[str, ...], names: list[str]) -> None:
    found = needed(tmp_path, *cells)
    assert list(found.names) == names
    assert found.unknown == {}


@pytest.mark.parametrize(
    ("cell", "ask"),
    [
        ("import timm\ntimm.create_model('resnet50d', pretrained=True)", "timm.create_model(resnet50d)"),
        ("import tensorflow_datasets as tfds\ntfds.load('tf_flowers')", "tensorflow_datasets.load(tf_flowers)"),
        ("import torch\ntorch.hub.load('ultralytics/yolov5', 'v5s')", "torch.hub.load(ultralytics/yolov5, v5s)"),
        ("from keras.applications import VGG99\nVGG99()", "keras.applications.VGG99(include_top=True)"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_named(tmp_path: Path, cell: str, ask: str) -> None:
    found = needed(tmp_path, cell)
    assert found.names == {} and found.unknown == {ask: ["ada"]}


def test_nothing_of_a_notebook_is_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    needed(tmp_path, f"open({str(touched)!r}, 'w')\nimport torchvision\ntorchvision.models.alexnet(pretrained=True)")
    assert not touched.exists()


@pytest.mark.parametrize("cell", ["(" * 100_000, "x = " + "-" * 90_000 + "1", "a\x00b", "x=" + "[" * 5000 + "]" * 5000])
def test_a_cell_that_breaks_the_parser_hides_no_other_submission(tmp_path: Path, cell: str) -> None:
    notebook(tmp_path / "in" / "eve" / "solution.ipynb", cell, *JETBOT)
    found = needed(tmp_path, *JETBOT)
    assert "ada" in found.names["alexnet"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine whose manifest has an address in its own folder for AlexNet; DenseNet121's leads nowhere."""
    for variable, folder in {"HARNESS_CACHE": "cache", "TORCH_HOME": "torch", "KERAS_HOME": "keras"}.items():
        monkeypatch.setenv(variable, str(tmp_path / folder))
    manifest = tmp_path / "manifest"
    manifest.mkdir()
    (tmp_path / "alexnet.pth").write_bytes(b"numbers")
    for name, address in {
        "alexnet": (tmp_path / "alexnet.pth").as_uri(),
        "densenet121": "http://127.0.0.1:9/closed.pth",
        "resnet18": "http://127.0.0.1:9/not-asked.pth",
    }.items():
        (manifest / f"{name}.toml").write_text(
            f'[{name}]\nfile = "{name}.pth"\nno_hash = true\nlicence = "MIT"\nabout = "a test"\n'
            f'asked_as = ["torchvision.models.{name}(pretrained)"]\nsources = [{{ url = "{address}" }}]\n'
        )
    monkeypatch.setattr(manifest_files, "FOLDER", manifest)
    return tmp_path


def test_the_command_fetches_what_a_class_needs_and_no_more(machine: Path) -> None:
    for student, cells in {"ada": JETBOT, "bob": JETBOT, "eve": ("import timm\ntimm.create_model('x', True)",)}.items():
        notebook(machine / "in" / student / "solution.ipynb", *cells)
    done = CliRunner().invoke(command, ["fetch", "--needed-by", str(machine / "in")], standalone_mode=False)
    assert done.exception is None, done.output
    assert [file.name for file in (machine / "cache" / "weights").glob("*.pth")] == ["alexnet.pth"]
    assert "alexnet: needed by ada, bob" in done.output
    assert "timm.create_model(x): not known here, so not fetched; asked for by eve" in done.output


def test_one_that_fails_keeps_no_other_from_being_fetched(machine: Path) -> None:
    notebook(machine / "in" / "ada" / "a.ipynb", "import torchvision.models as m\nm.densenet121(True)\nm.alexnet(True)")
    done = CliRunner().invoke(command, ["fetch", "--needed-by", str(machine / "in")], standalone_mode=False)
    assert isinstance(done.exception, MachineError)
    assert "'densenet121'" in done.exception.message and "harness weights add densenet121" in done.exception.do
    assert [file.name for file in (machine / "cache" / "weights").glob("*.pth")] == ["alexnet.pth"]
