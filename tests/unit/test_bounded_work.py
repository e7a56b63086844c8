"""What one submission may cost the harness's own process: time and memory that do not grow with what it thought of."""

import io
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from example_evidence import conversion
from scipy.spatial import cKDTree

from harness.grading.similarity.likeness import centred, channels_apart
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Robustness
from harness.inputs.images.secret_order import drawn
from harness.sandbox.none import NoProtection
from harness.stages import robustness
from harness.stages.context import StageContext, read_array, read_bytes_array
from harness.stages.evaluate import labels as label_names
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.one_file import as_one_file
from harness.stages.robustness import Trial
from harness.stages.store import Store

MIB = 2**20


def peak(do: Callable[[], object]) -> int:
    """Bytes that Python and NumPy took at most while it ran."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_of_a_large_array_only_what_is_looked_at_takes_memory(tmp_path: Path):
    """5,000 thumbnails took 370 MB, though at most 120 of them are kept."""
    array = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (1000, 112, 112, 3))
    array[7] = 5
    array.flush()
    shape = array.shape
    assert peak(lambda: read_bytes_array(tmp_path, "a.npy", shape)[[7]]) < MIB
    assert (read_bytes_array(tmp_path, "a.npy", shape)[7] == 5).all()


def test_an_array_without_rows_is_read(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((0, 5), np.float32))
    assert read_array(tmp_path, "a.npy", (0, 5)).shape == (0, 5)


def test_a_saved_model_is_packed_without_being_read_into_memory(tmp_path: Path):
    """Its variables may be as large as a submission."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    with (model / "variables").open("wb") as file:
        file.truncate(32 * MIB)
    (tmp_path / "out").mkdir()
    assert peak(lambda: as_one_file(model, tmp_path / "out")) < 4 * MIB
    before = io.BytesIO()
    with zipfile.ZipFile(before, "w", zipfile.ZIP_STORED) as archive:
        for name in ("saved_model.pb", "variables"):
            archive.writestr(zipfile.ZipInfo(f"model/{name}"), (model / name).read_bytes())
    assert (tmp_path / "out" / "model.zip").read_bytes() == before.getvalue()


def test_each_of_thousands_of_labels_is_put_into_a_form_once(monkeypatch: pytest.MonkeyPatch):
    """It was done for each class of the assignment anew, in each of some dozens of scores."""
    asked = []
    plain = label_names._plain

    def counted(name: str) -> str:
        asked.append(name)
        return plain(name)

    monkeypatch.setattr(label_names, "_plain", counted)
    labels, classes = tuple(f"label {n}" for n in range(500)), tuple(f"class {n}" for n in range(20))
    label_names.match_labels(labels, classes)
    assert len(asked) <= 2 * (len(labels) + len(classes))


def test_channels_in_any_order_are_compared_in_bounded_time(monkeypatch: pytest.MonkeyPatch):
    """Two final layers of 131,072 equal channels took minutes: each was held against each."""
    asked = []

    class Counted(cKDTree):
        def query(self, x, *given, **named):
            asked.append(len(x))
            return super().query(x, *given, **named)

    monkeypatch.setattr("scipy.spatial.cKDTree", Counted)
    random = np.random.default_rng(0)
    layer = random.normal(size=(5, 12_000)).astype(np.float32)
    permuted = layer[:, random.permutation(12_000)] * (1 + 0.01 * random.normal(size=layer.shape)).astype(np.float32)
    other = random.normal(size=(5, 12_000)).astype(np.float32)
    assert channels_apart(centred(layer), centred(permuted)) < 0.35
    assert channels_apart(centred(layer), centred(other)) > 0.5
    assert max(asked) <= 4096


def robustness_answers(folder: Path, labels: int) -> Callable[[], RobustnessAnswers]:
    """What a model of very many labels sent of the 28 versions of 40 images that an assignment asks for by itself."""
    files = {
        "corrupted.npy": (1 + len(TRIAL.versions), 40, labels),
        "covered.npy": (len(TRIAL.covered), 50, labels),
        "unseen.npy": (30, labels),
    }
    for name, shape in files.items():
        sent = np.lib.format.open_memmap(folder / name, "w+", np.float32, shape)
        sent[..., 0] = 1
        sent.flush()
    parts = [[0, 0, 1, 1]] * len(TRIAL.covered)
    (folder / "robustness.json").write_text(json.dumps({"seen_parts": parts}))
    images = tuple(folder / str(number) for number in range(40))
    material = {"images": drawn(images), "covered": drawn(images[: len(TRIAL.covered)])}
    model = conversion(outputs=labels, labels=tuple(map(str, range(labels))))
    context = StageContext(NoProtection(), Store(folder / "store"), ResourceLimits())
    return lambda: robustness._result(model, TRIAL, material, folder, context)


TRIAL = Trial(Robustness(), tuple(range(40)), (0, 1, 2), None)


def test_answers_to_worse_images_are_not_copied_whole(tmp_path: Path):
    """With 10,000 labels they are 45 MB, and there were five of them at once."""
    found: list[RobustnessAnswers] = []
    work = robustness_answers(tmp_path, 10_000)
    assert peak(lambda: found.append(work())) < 20 * MIB
    kept = np.load(tmp_path / "store" / "blobs" / found[0].corrupted.sha256[:2] / found[0].corrupted.sha256)
    assert kept.shape == (28, 40, 10_000) and (kept[..., 0] == 1).all() and not kept[..., 1:].any()
    assert [look.confidence for look in found[0].occlusion_maps] == [1.0] * 3


def test_wrong_labels_among_5000_images_are_looked_for_in_bounded_memory(tmp_path: Path):
    """A process that does it, beyond the features themselves: a singular value decomposition took 200 MiB."""
    program = f"""
import numpy as np
import harness.stages.audit.mislabelled as mislabelled
def resident(): return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
random, count = np.random.default_rng(0), 5000
features = np.lib.format.open_memmap({str(tmp_path / "f.npy")!r}, "w+", np.float32, (count, 1280))
for start in range(0, count, 50):
    features[start:start + 50] = random.normal(size=(50, 1280))
features.sum()
before = resident()
components = mislabelled._components(features)
print(resident() - before, *components.shape)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    grown, *shape = map(int, done.stdout.split())
    assert shape == [5000, 256] and grown < 100, f"{grown} MiB"
