"""Trains the small networks that some of these hand-ins carry, and puts them there.

    python submissions/make_models.py [--data reference_solution/classification/data/train]

Run it again when the example pictures change; the models are committed. It takes a few minutes on 2 cores. The other
hand-ins train in their notebooks.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn

from harness.handin import PREPROCESSINGS, save

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "reference_solution" / "classification" / "data" / "train"
ARCHIVE = HERE / "s1840217_Transfer-Learning.zip"
IN_ARCHIVE = "s1840217 TL"
OWN_PICTURES = 2  # of each class, in the archive's dataset/


@dataclass(frozen=True, slots=True)
class Pictures:
    """Training pictures: uint8, shape (pictures, side, side, 3), and the index of each one's class."""

    classes: list[str]
    pixels: torch.Tensor
    labels: torch.Tensor


def read(folder: Path, side: int) -> Pictures:
    """The class folders' pictures, stretched to a square."""
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [(file, index) for index, name in enumerate(classes) for file in sorted((folder / name).iterdir())]
    pixels = np.stack([np.asarray(Image.open(file).convert("RGB").resize((side, side))) for file, _ in files])
    return Pictures(classes, torch.from_numpy(pixels), torch.tensor([index for _, index in files]))


def small_network(classes: int, width: int) -> nn.Module:
    """Four convolutions from scratch; 0.2 MB at a width of 12."""
    layers: list[nn.Module] = []
    channels = 3
    for size in (width, 2 * width, 4 * width, 4 * width):
        layers += [nn.Conv2d(channels, size, 3, padding=1), nn.BatchNorm2d(size), nn.ReLU(), nn.MaxPool2d(2)]
        channels = size
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def fit(model: nn.Module, pictures: Pictures, epochs: int, seed: int) -> None:
    """Adam on pixels from 0 to 1, half of the pictures mirrored; the model ends in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    images = pictures.pixels.permute(0, 3, 1, 2).float() / 255
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=generator).split(32):
            x = images[batch]
            mirrored = torch.rand(len(x), generator=generator) < 0.5
            x[mirrored] = x[mirrored].flip(-1)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), pictures.labels[batch]).backward()
            optimizer.step()
    model.eval()


def exported_without_notebook(data: Path) -> None:
    """daan-and-emma: model.onnx, labels.txt and handin.json; no notebook."""
    pictures = read(data, 128)
    torch.manual_seed(4)
    model = small_network(len(pictures.classes), 12)
    fit(model, pictures, epochs=40, seed=4)
    save(model, pictures.classes, "zero-one", HERE / "daan-and-emma", (128, 128))


def state_dict_with_factory(data: Path) -> None:
    """ibrahim-yilmaz: model.pth for his model.py, labels.txt and handin.json."""
    folder = HERE / "ibrahim-yilmaz"
    spec = importlib.util.spec_from_file_location("his_model", folder / "model.py")
    assert spec is not None and spec.loader is not None
    his_model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(his_model)
    pictures = read(data, 96)
    torch.manual_seed(5)
    model = his_model.build_model(len(pictures.classes))
    fit(model, pictures, epochs=40, seed=5)
    torch.save(model.state_dict(), folder / "model.pth")
    (folder / "labels.txt").write_text("\n".join(pictures.classes) + "\n", encoding="utf-8")
    declared = {"schema": 1, "width": 96, "height": 96, **PREPROCESSINGS["zero-one"]}
    (folder / "handin.json").write_text(json.dumps(declared, indent=2) + "\n", encoding="utf-8")


def archive(data: Path) -> None:
    """The archive: its notebook stays; the model and the own pictures, one of them broken, are made."""
    with zipfile.ZipFile(ARCHIVE) as old:
        members = {info.filename: old.read(info) for info in old.infolist() if info.filename.endswith(".ipynb")}
    pictures = read(data, 128)
    torch.manual_seed(6)
    model = small_network(len(pictures.classes), 10)
    fit(model, pictures, epochs=30, seed=6)
    with tempfile.TemporaryDirectory() as folder:
        save(model, pictures.classes, "zero-one", folder, (128, 128))
        members |= {f"{IN_ARCHIVE}/{file.name}": file.read_bytes() for file in sorted(Path(folder).iterdir())}
    members |= own_pictures(data)
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in sorted(members.items()):
            new.writestr(zipfile.ZipInfo(name, (2026, 6, 14, 20, 15, 0)), content, zipfile.ZIP_DEFLATED)


def own_pictures(data: Path) -> dict[str, bytes]:
    """Stand-ins for a student's photographs: training pictures mirrored; the last one is cut off."""
    found, number = {}, 4100
    for folder in sorted(data.iterdir()):
        for file in sorted(folder.iterdir())[:OWN_PICTURES]:
            stream = io.BytesIO()
            ImageOps.mirror(Image.open(file)).resize((128, 128)).save(stream, "JPEG", quality=80)
            number += 7
            found[f"{IN_ARCHIVE}/dataset/{folder.name}/IMG_{number}.jpg"] = stream.getvalue()
    found[max(found)] = found[max(found)][:600]
    return found


def main() -> None:
    """Train all, say what was written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="class folders with the training pictures")
    data = parser.parse_args().data
    for make in (exported_without_notebook, state_dict_with_factory, archive):
        make(data)
        print((make.__doc__ or "").partition(":")[0], "done")


if __name__ == "__main__":
    main()
