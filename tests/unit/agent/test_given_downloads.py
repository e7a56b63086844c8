"""A download whose file is given finds it without a network, in the ways that notebooks download image sets."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from harness.agent.notebook import pretrained
from harness.agent.notebook.rule_context import Setting
from harness.agent.notebook.rules import downloaded_data
from harness.inputs import weights

AGENT = Path(pretrained.__file__).parents[1]


class Kernel:
    """Python as a notebook's kernel starts it, in a home folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self._given, self._site = folder / "home", folder / "in" / "weights", folder / "opt" / "site"
        shutil.copytree(AGENT / "site", self._site)  # side by side, as in the sandbox
        (folder / "opt" / "agent").mkdir()
        shutil.copy(AGENT / "torchvision_ops.py", folder / "opt" / "agent")
        monkeypatch.setattr(pretrained, "IN", folder / "in")

    def give(self, name: str, content: bytes) -> None:
        """Mount the file of the manifest's entry."""
        (entry,) = weights.named(name)
        file = self._given / entry.mounted_path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def run(self, code: str) -> str:
        if not self.home.exists():
            pretrained.place(self.home)
        environment = {**os.environ, "HOME": str(self.home), "PYTHONPATH": str(self._site), "KERAS_BACKEND": "torch"}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=self.home, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(tmp_path, monkeypatch)


def cifar10() -> bytes:
    """The archive's form with three images in each part: 3,072 numbers each, pickled in dictionaries."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for part in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
            images = {b"data": np.full((3, 3072), len(part), np.uint8), b"labels": [0, 1, 2], b"batch_label": b"x"}
            content = pickle.dumps(images)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{part}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_torchvision_finds_its_archives_below_any_root(kernel: Kernel) -> None:
    """torchvision checks the file's hash, unpacks it and reads it as after a download of its own."""
    labels = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 7]))
    images = gzip.compress(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40]))
    digests = []
    for entry in weights.named("mnist"):
        content = labels if "labels" in entry.file else images
        kernel.give(entry.name, content)
        digests.append((entry.file, hashlib.md5(content).hexdigest()))
    said = kernel.run(
        f"from torchvision.datasets import MNIST\nMNIST.resources = {digests!r}\n"
        "data = MNIST('anywhere/below', download=True)\nprint(len(data), data[1][1], list(data[0][0].getdata()))"
    )
    assert said.split("\n")[-2] == "2 7 [10, 20]"


def test_torchvision_refuses_a_file_with_another_hash(kernel: Kernel) -> None:
    for entry in weights.named("mnist"):
        kernel.give(entry.name, b"something else")
    said = kernel.run(
        "from torchvision.datasets import MNIST\ntry: MNIST('x', download=True)\n"
        "except RuntimeError as error: print('refused:', error)"
    )
    assert "refused: " in said and "corrupted" in said


def test_keras_finds_its_archive_and_unpacks_it(kernel: Kernel) -> None:
    content = cifar10()
    kernel.give("cifar10", content)
    digest = hashlib.sha256(content).hexdigest()
    said = kernel.run(
        "from keras.utils import get_file\nfrom keras.src.datasets.cifar import load_batch\n"
        "address = 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz'\n"
        f"path = get_file('cifar-10-batches-py-target', address, extract=True, file_hash={digest!r})\n"
        "x, y = load_batch(path + '/cifar-10-batches-py/test_batch')\nprint(x.shape, list(y))"
    )
    assert said.split("\n")[-2] == "(3, 3, 32, 32) [0, 1, 2]"


def test_keras_takes_weights_that_are_given_whatever_their_hash(kernel: Kernel) -> None:
    """They were checked when they came in; what stands in for them has another hash."""
    (entry,) = weights.named("keras_densenet121_notop")
    kernel.give(entry.name, b"numbers")
    said = kernel.run(
        "from keras.src.applications import densenet\n"
        f"path = densenet.file_utils.get_file({entry.file!r}, densenet.DENSENET121_WEIGHT_PATH_NO_TOP,"
        f" cache_subdir='models', file_hash={entry.md5!r})\nprint(path, open(path).read())"
    )
    assert said.split("\n")[-2] == f"{kernel.home}/.keras/models/{entry.file} numbers"


def test_what_is_not_given_still_fails(kernel: Kernel) -> None:
    kernel.give("cifar10", b"x")
    said = kernel.run(
        "from urllib.request import urlopen\nfrom urllib.error import URLError\n"
        "try: urlopen('http://127.0.0.1:9/cifar-10-python.tar.gz')\nexcept URLError: print('no network')"
    )
    assert said == "no network\n"


GET_FILE = (
    "p = get_file('flowers', origin='https://storage.googleapis.com/download.tensorflow.org/example_images/"
    "flower_photos.tgz', untar=True)"
)


def test_a_download_of_what_is_given_is_left_in_the_notebook(kernel: Kernel) -> None:
    setting = Setting(Path("/work"), (GET_FILE,))
    assert downloaded_data.apply(GET_FILE, setting) == "p = 'flowers'"
    kernel.give("flower_photos", b"x")
    assert downloaded_data.apply(GET_FILE, setting) == GET_FILE
