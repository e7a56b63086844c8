"""TensorFlow's SavedModel is a folder, and counts as the model where there is no file of one."""

import io
import zipfile
from pathlib import Path

from harness.inputs.submissions import collect

KERAS = io.BytesIO()
with zipfile.ZipFile(KERAS, "w") as archive:
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        archive.writestr(name, "{}")
CONTENTS = {".keras": KERAS.getvalue(), ".pb": b"\x08\x01"}


def handed_in(folder: Path, *files: str) -> Path:
    for name in files:
        file = folder / "submissions" / "group" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(CONTENTS.get(file.suffix, b"content"))
    (folder / "work").mkdir()
    return folder / "submissions"


def test_a_saved_model_is_the_model(tmp_path: Path) -> None:
    files = ("notebook.ipynb", "my_model/saved_model.pb", "my_model/variables/variables.index", "labels.txt")
    (taken,) = collect(handed_in(tmp_path, *files), tmp_path / "work")
    assert taken.model == Path("my_model") and [one.path for one in taken.models[0].companions] == [Path("labels.txt")]
    assert taken.findings == ()


def test_a_file_of_a_model_comes_first(tmp_path: Path) -> None:
    (taken,) = collect(handed_in(tmp_path, "model.keras", "old/saved_model.pb"), tmp_path / "work")
    assert taken.model == Path("model.keras")
