"""A trained model that goes along to the rerun on a part of the student's data set: gone, or named."""

from __future__ import annotations

import base64
import json
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from handed_in import LIMITS
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rewriting import BOX, everything, handed_in, noise, notebook, photograph, there, written

from harness.inputs.assignment.sections import Dataset, ExecutionRules, OwnDataset
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.store import Store

MARK = b"A-TRAINED-MODEL-OF-SOME-KILOBYTES"  # stands in every place where one could go along
TEXT = MARK.decode()
LABELS = {f"{name}/{n}.{suffix}": name for name in ("ball", "mug") for n, suffix in enumerate(("jpg", "png", "jpg"))}
GONE = ("ball/2.jpg", "mug/2.jpg")


def carriers(root: Path) -> None:
    """A data set of class folders with the mark wherever a file, its name or its metadata can hold it."""
    exif = Image.Exif()
    exif[0x010E] = TEXT  # image description
    known = PngInfo()
    known.add_text("Comment", TEXT)
    known.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{TEXT}</x:xmpmeta>")
    for seed, name in enumerate(LABELS):
        file = root / "dataset" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        image = photograph(seed=seed)
        if name.endswith(".png"):
            image.save(file, pnginfo=known, icc_profile=MARK * 4)
        else:
            image.save(file, exif=exif, icc_profile=MARK * 4, comment=MARK, quality=95)
        file.write_bytes(file.read_bytes() + MARK * 40)  # behind the end of the image
        os.utime(file, (1_234_567_890, 1_234_567_890))
    again = root / "dataset" / "mug" / "frames.gif"
    photograph().save(again, save_all=True, append_images=[photograph(seed=n) for n in range(3)], comment=MARK)
    photograph().save(root / "dataset" / f"{TEXT}.png")  # of no class
    files = {
        "dataset/split_000.txt": TEXT * 100,
        "dataset/labels.txt": f"ball\nmug\n{TEXT}\n",
        "dataset/list.csv": f"filename,class,{TEXT}\nball/0.jpg,ball,{TEXT}\n{TEXT},mug,1\n",
        "dataset/train.txt": f"ball/0.jpg {TEXT}\n# {TEXT}\nmug/0.jpg 1\n",
        "dataset/data.yaml": f"names: [{TEXT}]",
        "dataset/map.json": json.dumps({"ball": 0, "mug": 1, TEXT: 2}),
        "dataset/weights.npy": MARK,
        "dataset/mug/.hidden": MARK,
        f"dataset/{TEXT}/empty.txt": "",
        "weights.h5": MARK,
        "cache.csv": TEXT,
        "nested.zip": MARK,
        "helper.bin": b"\xff\xfe" + MARK,
    }
    handed_in(root, [], files)


def carrying_notebook() -> bytes:
    cells = [
        {"cell_type": "code", "id": "a" + TEXT[:20], "metadata": {"tags": [TEXT], "colab": {"x": TEXT}},
         "source": "1", "execution_count": 7, "outputs": [
             {"output_type": "stream", "name": "stdout", "text": TEXT},
             {"output_type": "display_data", "metadata": {}, "data": {"image/png": TEXT}}]},
        {"cell_type": "markdown", "id": "m", "metadata": {"x": TEXT},
         "source": f"words ![p](data:image/png;base64,{base64.b64encode(MARK * 40).decode()}) words",
         "attachments": {"a.png": {"image/png": TEXT}}},
        {"cell_type": "raw", "id": "r", "metadata": {"format": TEXT}, "source": "raw"},
        {"cell_type": "heading", "level": 1, "source": "unknown", "secret": TEXT},
    ]  # fmt: skip
    metadata = {"kernelspec": {"name": "python3", "display_name": TEXT, "language": "python"}, "widgets": {"x": TEXT},
                "colab": {"provenance": TEXT}}  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells, "metadata": metadata, "x": TEXT}).encode()


@pytest.mark.hostile(line=70, expected="gone: not a byte of it is in the rerun's folder")
def test_nothing_beside_what_was_understood_goes_along(engine: Sandbox, tmp_path: Path, got: Callable[[str], None]):
    """Lists, metadata of the notebook and bytes behind an image went along, and their model got 100 of 100."""
    root = tmp_path / "in"
    carriers(root)
    (root / "notebook.ipynb").write_bytes(carrying_notebook())
    asked = OwnDataset(allowed_files=("helper.bin", "nested.zip"))
    labels = LABELS | {"mug/frames.gif": "mug"}
    written(root, labels, GONE, tmp_path / "out", asked=asked, engine=engine)
    seen = everything(tmp_path / "out")
    for written_as in (MARK, base64.b64encode(MARK * 40)[:40], MARK.hex().encode(), TEXT.encode("utf-16-le")):
        assert written_as not in seen
    files = {file.removeprefix("dataset/") for file in there(tmp_path / "out")} - {"notebook.ipynb"}
    assert files == {
        *(name for name in labels if name not in GONE), "labels.txt", "list.csv", "train.txt", "map.json",
    }  # fmt: skip
    with Image.open(tmp_path / "out/rerun/dataset/mug/frames.gif") as gif:
        assert getattr(gif, "n_frames", 1) == 1
    for file in (tmp_path / "out/rerun/dataset").rglob("*.jpg"):
        assert file.stat().st_mtime > 1_500_000_000 and not os.listxattr(file)
    got(f"{len(files)} files, all written anew")


@pytest.mark.hostile(line=70, expected="gone: no byte of it, of a COCO or VOC data set or a zip")
def test_nothing_goes_along_in_annotations_or_in_a_zip(engine: Sandbox, tmp_path: Path):
    labels = {f"{n}.jpg": "ace" for n in range(4)}
    files: dict[str, bytes | str] = {
        f"dataset/{n}.xml": BOX.format(name=f"{n}.jpg", label="ace", extra=f"<!-- {TEXT} --><path>{TEXT}</path>")
        for n in range(4)
    }
    files["dataset/more/0.xml"] = files["dataset/0.xml"]  # a second one for an image
    root = handed_in(tmp_path / "in", [f"dataset/{name}" for name in labels], files)
    with zipfile.ZipFile(root / "dataset.zip", "w") as archive:
        archive.comment = MARK
        for file in sorted((root / "dataset").rglob("*.*")):
            member = zipfile.ZipInfo(str(file.relative_to(root / "dataset")))
            member.comment, member.extra = MARK, b"\xfe\xca\x21\x00" + MARK
            archive.writestr(member, file.read_bytes())
        archive.writestr("twin/../0.jpg", MARK)
    for place, dataset in (("folder", "dataset"), ("zip", "dataset.zip")):
        written(root, labels, ["3.jpg"], tmp_path / place, dataset=dataset, engine=engine)
        assert MARK not in everything(tmp_path / place)
        assert {f"dataset/{n}.xml" for n in range(3)} <= there(tmp_path / place)
        assert "dataset/more/0.xml" not in there(tmp_path / place)


@pytest.mark.hostile(line=(70, 71), expected="F embedded-data; names that carry data are replaced")
def test_what_could_still_hold_a_model_is_named(engine: Sandbox, tmp_path: Path, got: Callable[[str], None]):
    """In pixels, boxes, names and literals: an image keeps what it shows, a box its place, a cell its source."""
    chance = random.Random(4)
    payload = chance.randbytes(6400)  # 5 classes of 1280 features, a byte for each weight
    labels = {f"train/{chance.randbytes(20).hex()}.png": "ace" for n in range(40)}
    root = handed_in(tmp_path / "in", [], {"notebook.ipynb": notebook(f"W = {list(payload)}")})
    (root / "dataset" / "train").mkdir(parents=True)
    for seed, name in enumerate(labels):
        file = root / "dataset" / name
        (noise(seed=seed) if seed < 3 else photograph(seed=seed)).save(file)
        # Corners in order: a box that is turned round or empty is not written, so it holds nothing.
        pairs = [[sorted(chance.sample(range(1, 97), 2)) for _ in range(2)] for _ in range(60)]
        sides = [(left, top, right, bottom) for (left, right), (top, bottom) in pairs]
        boxes = "".join(
            f"<object><name>ace</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
            "</bndbox></object>"
            for a, b, c, d in sides
        )
        file.with_suffix(".xml").write_text(f"<annotation><filename>{file.name}</filename>{boxes}</annotation>")
    found = written(root, labels, (), tmp_path / "out", engine=engine)
    said = {(finding.code, finding.message.split(" ", 2)[1]) for finding in found.findings}
    assert {code for code, _ in said} == {"embedded-data", "rerun-names-replaced"}
    assert len([code for code, _ in said if code == "embedded-data"]) == 3
    assert any(finding.message.startswith("3 images") for finding in found.findings)
    assert not any(Path(name).stem.encode() in everything(tmp_path / "out") for name in labels)
    got(f"{len(found.findings)} findings")


@pytest.mark.hostile(line=70, expected="gone: the cells find no model to write")
def test_the_smuggler_of_the_attacks_finds_nothing(engine: Sandbox, attacks: Path, tmp_path: Path):
    """withheld-smuggled: 62 lists of 200 KB held a trained model, and the rerun wrote it out again."""
    root = attacks / "withheld-smuggled" / "smuggler"
    files = sorted((root / "dataset").glob("*/000[1-6].jpg"))
    labels = {str(file.relative_to(root / "dataset")): file.parent.name for file in files}
    found = written(root, labels, [name for name in labels if name.endswith("6.jpg")], tmp_path, engine=engine)
    assert not list((tmp_path / "rerun" / "dataset").glob("*.txt"))
    assert found.rerun is not None
    ran = execute(
        found.rerun,
        Dataset(path=tmp_path / "train"),
        ExecutionRules(),
        None,
        StageContext(engine, Store(tmp_path), LIMITS),
    )
    execution = ran.value if isinstance(ran, Done) else ran.execution if isinstance(ran, FailedExecution) else None
    assert isinstance(execution, Execution)
    shown = (tmp_path / "blobs" / execution.notebook.sha256[:2] / execution.notebook.sha256).read_text()
    assert "list files 0 0 bytes" in shown and "behind the end of the picture 0" in shown
    assert "'colab'" not in shown
    assert all(blob.bytes < 1000 for blob in execution.produced if blob.name.endswith(".onnx"))


@pytest.mark.hostile(line=71, expected="refused: more source than a person writes")
def test_a_notebook_of_megabytes_is_not_run(engine: Sandbox, tmp_path: Path):
    root = handed_in(tmp_path / "in", ["dataset/mug/1.jpg"], {"notebook.ipynb": notebook("x = '" + "a" * 2**21 + "'")})
    found = written(root, {"mug/1.jpg": "mug"}, (), tmp_path / "out", engine=engine)
    assert found.unreadable is not None and "1 MiB" in found.unreadable.reason
    assert "notebook.ipynb" not in there(tmp_path / "out")
