"""Lists the files of image sets that torchvision and Keras download, without downloading any."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from harness.agent.torchvision_ops import declare_missing
from tools.published.toml import Entry

# torchvision's sets for classification and detection that are under 6 GB, with the options that choose their files.
_TORCHVISION: dict[str, tuple[dict[str, Any], ...]] = {
    "MNIST": ({},), "FashionMNIST": ({},), "KMNIST": ({},), "EMNIST": ({"split": "balanced"},), "QMNIST": ({},),
    "CIFAR10": ({},), "CIFAR100": ({},), "SVHN": ({"split": "train"}, {"split": "test"}), "STL10": ({},),
    "USPS": ({"train": True}, {"train": False}), "SEMEION": ({},), "Flowers102": ({},), "OxfordIIITPet": ({},),
    "Food101": ({},), "DTD": ({},), "FGVCAircraft": ({},), "EuroSAT": ({},), "Caltech101": ({},),
    "GTSRB": ({"split": "train"}, {"split": "test"}), "Imagenette": ({},), "RenderedSST2": ({},),
    "VOCDetection": ({},),
}  # fmt: skip
_KERAS = ("mnist", "fashion_mnist", "cifar10", "cifar100")
_LICENCES = {  # as their authors state them
    "fashion_mnist": "MIT", "keras_fashion_mnist": "MIT", "mnist": "CC-BY-SA-3.0", "keras_mnist": "CC-BY-SA-3.0",
    "kmnist": "CC-BY-SA-4.0", "oxford_iiit_pet": "CC-BY-SA-4.0", "euro_sat": "MIT", "caltech101": "CC-BY-4.0",
    "semeion": "CC-BY-4.0", "imagenette": "Apache-2.0",
}  # fmt: skip

# name of a set, its `asked_as`, file, address, hash
_Found = tuple[str, str, str, str, str]


class _Noted(Exception):
    """Ends a library's loading code at a download, which is only noted."""


def entries() -> dict[str, Entry]:
    """Each file of each set; a file that both libraries load from one address is listed once."""
    found: dict[str, Entry] = {}
    files = [*_of_torchvision(), *_of_keras()]
    parts = {name: len({address for one, _, _, address, _ in files if one == name}) for name, *_ in files}
    by_address: dict[str, Entry] = {}
    for name, ask, file, address, digest in files:
        if (known := by_address.get(address)) is not None:
            asked = known["asked_as"]
            assert isinstance(asked, list)
            known["asked_as"] = [*dict.fromkeys([*asked, ask])]
            continue
        whole = parts[name] == 1
        entry: Entry = {"file": file} | (
            {"sha256" if len(digest) == 64 else "md5": digest} if digest else {"no_hash": True}
        )
        entry |= {"licence": _LICENCES.get(name, "not stated"), "about": f"{ask}{'' if whole else f': {file}'}"}
        entry |= {"kind": "dataset", "place": "download", **({} if whole else {"part_of": name})}
        by_address[address] = entry | {"asked_as": [ask], "sources": [{"url": address}]}
        found[name if whole else f"{name}_{re.sub(r'[^a-z0-9]+', '_', file.lower())}"] = by_address[address]
    return found


def _of_torchvision() -> Iterator[_Found]:
    declare_missing()
    from torchvision import datasets

    for kind, choices in _TORCHVISION.items():
        module = importlib.import_module(getattr(datasets, kind).__module__)
        for options in choices:
            noted: list[tuple[str, str, str]] = []
            with (
                _without_downloads(module, noted),
                tempfile.TemporaryDirectory() as root,
                contextlib.suppress(RuntimeError, OSError, ValueError),
            ):  # the data are missing then, and each set raises its own error
                getattr(datasets, kind)(root, download=True, **options)
            assert noted, kind
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
            for file, address, digest in noted:
                yield name, f"torchvision.datasets.{kind}", file, address, digest


@contextlib.contextmanager
def _without_downloads(module: Any, noted: list[tuple[str, str, str]]) -> Iterator[None]:
    def note(url: str, *rest: Any, filename: str | None = None, md5: str | None = None, **_: Any) -> None:
        by_position = [one for one in rest[1:3] if isinstance(one, str)]  # download_url(url, root, filename, md5)
        noted.append((filename or (by_position or [url.rpartition("/")[2]])[0], url, md5 or "".join(by_position[1:])))

    with contextlib.ExitStack() as patches:
        for name in ("download_url", "download_and_extract_archive"):
            if hasattr(module, name):
                patches.enter_context(patch.object(module, name, note))
        yield


def _of_keras() -> Iterator[_Found]:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras  # noqa: F401

    for name in _KERAS:
        module = importlib.import_module(f"keras.src.datasets.{name}")
        noted: list[tuple[str, str]] = []
        with patch.object(module, "get_file", _noting(noted)), contextlib.suppress(_Noted, OSError):
            module.load_data()
        for address, digest in noted:
            own = name if name.startswith("cifar") else f"keras_{name}"
            yield own, f"keras.datasets.{name}", address.rpartition("/")[2], address, digest


def _noting(noted: list[tuple[str, str]]) -> Callable[..., str]:
    def get_file(fname: str, origin: str, file_hash: str = "", **_: Any) -> str:
        noted.append((origin, file_hash))
        return "/nonexistent"

    return get_file
