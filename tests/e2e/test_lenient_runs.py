"""Notebooks that stop elsewhere for a reason that is none of the assignment's; and what is said of those that stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from readable import readable_to_the_sandbox
from small_course import hand_in, notebook

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ExecutionRules, NotebookParts
from harness.inputs.submissions import collect
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.evidence.execution import FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.read_notebook import read
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=120, cell_seconds=60, memory=2 * 10**9, cpus=2)

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Execute a notebook of these cells, with two images in `data/train`; `limits` are changes to `LIMITS`."""
    images = tmp_path / "images"
    for name in ("ball", "mug"):
        (images / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(images / name / "1.png")
    readable_to_the_sandbox(images)

    def run(*cells: str, **limits: Any) -> Any:
        hand_in(tmp_path / "in", "student", notebook__ipynb=notebook(*cells))
        (tmp_path / "work").mkdir()
        (submission,) = collect(tmp_path / "in", tmp_path / "work")
        context = StageContext(Bubblewrap(), Store(tmp_path / "store"), LIMITS.model_copy(update=limits))
        given = Dataset(path=images, mounted_as="data/train")
        return execute(submission, given, ExecutionRules(), None, context)

    return run


def messages(result: Any) -> dict[str, str]:
    return {found.code: found.message for found in result.findings}


def test_what_only_shows_or_restarts_does_not_end_a_run(run: Run, tmp_path: Path) -> None:
    result = run(
        "from IPython.display import Image, SVG, display\nImage('../images/x.png')",
        "display(Image(filename='logo.jpg', retina=True), SVG(filename='plan.svg'))\nImage('banner.gif', width=20)",
        "import os\nos.kill(os.getpid(), 9)",
        "import os\nos.mkdir('data')\nos.makedirs('models')\nos.mkdir('fresh')",
        "%%bash\nset -e\nmkdir data\n",
        "print('half \\ud83d')",
        "print(sorted(os.listdir('data/train')))",
    )
    assert isinstance(result, Done), result
    shown = [found.message for found in result.findings if found.code == "image-missing"]
    assert [message.split(",")[0] for message in shown] == [
        f"Cell {cell} shows the image {name}"
        for cell, name in ((1, "../images/x.png"), (2, "banner.gif"), (2, "logo.jpg"), (2, "plan.svg"))
    ]
    assert "os.kill(os.getpid(), 9) was left out" in messages(result)["restart-left-out"]
    assert {rule for change in result.value.changes for rule in change.rules} == {"kernel_restarts", "made_folders"}
    executed = json.loads(Store(tmp_path / "store").path(result.value.notebook).read_bytes())
    printed = ["".join(output.get("text", "")) for cell in executed["cells"] for output in cell.get("outputs", ())]
    assert printed[-2:] == ["half \ufffd\n", "['ball', 'mug']\n"]


def test_half_an_emoji_in_the_file_is_a_finding_and_the_notebook_runs(run: Run, tmp_path: Path) -> None:
    result = run("kind = 'ball'  # \ud83d\nprint(kind)", "print('after \udc00')")
    assert isinstance(result, Done), result
    (tmp_path / "again").mkdir()
    (submission,) = collect(tmp_path / "in", tmp_path / "again")
    reading = read(submission, NotebookParts(), StageContext(Bubblewrap(), Store(tmp_path / "store"), LIMITS))
    assert "2 half characters" in messages(reading)["half-characters"]


@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        ("while True:\n    print('x' * 1000)", "cell-timeout", "still writing output after 4 s"),
        ("import os\nwhile True:\n    os.write(1, b'x' * 1000)", "cell-timeout", "print less"),
        ("while True:\n    pass", "cell-timeout", "See whether its loop ends, and that nothing in it waits"),
        (
            "class Model:\n    def fit(self):\n        while True:\n            pass\nmodel = Model()\nmodel.fit()",
            "cell-timeout",
            "Train for fewer epochs",
        ),
        ("import os\ngetattr(os, '_exit')(0)", "notebook-runner-killed", "Cell 2 ended the kernel, by a call such as"),
        (
            "class Shown:\n    def _repr_html_(self):\n        raise LookupError('no table')\nShown()",
            "cell-error",
            "Cell 2 stopped with LookupError: no table.",
        ),
        ("raise OSError('cannot read /work/handin/a.txt. Further advice')", "cell-error", ": cannot read a.txt."),
    ],
)  # fmt: skip
def test_a_run_that_stops_says_why_and_what_to_do(cell: str, code: str, said: str, run: Run) -> None:
    result = run("print('before')", cell, cell_seconds=4, memory=900 * 10**6)
    assert isinstance(result, FailedExecution), result
    assert said in messages(result)[code] and result.reason == messages(result)[code]


def test_checkpoints_of_keras_2_are_written_and_found_again(run: Run) -> None:
    result = run(
        "import keras\nimport numpy as np\n"
        "model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])\nmodel.compile(loss='mse')",
        "best = keras.callbacks.ModelCheckpoint('out/best.h5', monitor='loss', save_best_only=True, "
        "save_weights_only=True)\n"
        "model.fit(np.zeros((4, 3)), np.zeros((4, 2)), epochs=1, verbose=0, callbacks=[best])",
        "model.load_weights('out/best.h5')\nmodel.save('finished', save_format='tf')",
        "keras.models.load_model('finished').predict(np.zeros((1, 3)), verbose=0).shape",
    )
    assert isinstance(result, Done), result.reason
    assert {blob.path for blob in result.value.produced} == {"finished.keras", "out/best.weights.h5"}
