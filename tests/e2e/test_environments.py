"""Environments for real: built from wheels, listed, used by notebooks on every engine, and removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from small_course import hand_in, make_course, notebook

from harness.inputs.assignment import Assignment
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ExecutionRules
from harness.inputs.submissions import collect
from harness.sandbox import KERAS, TORCH, Sandbox, course, environments
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.software import Software
from harness.sandbox.virtual_environments import find
from harness.stages import model_selection as models
from harness.stages.context import StageContext
from harness.stages.convert import convert
from harness.stages.evidence.execution import FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=600, cell_seconds=500, cpus=2)

VGG16_ON_TENSORFLOW = (
    "import numpy as np\n"
    "import tensorflow as tf\n"
    "from tensorflow.keras.applications.vgg16 import VGG16, preprocess_input\n"
    "from tensorflow.keras import layers, models",
    "base = VGG16(weights='imagenet', include_top=False, input_shape=(48, 48, 3))\nbase.trainable = False",
    "train = tf.keras.utils.image_dataset_from_directory('data/train', image_size=(48, 48), batch_size=6, seed=1)\n"
    "train = train.map(lambda x, y: (preprocess_input(x), y))\n"
    "model = models.Sequential([layers.Input((48, 48, 3)), base, layers.Flatten(), layers.Dense(3, 'softmax')])\n"
    "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])\n"
    "history = model.fit(train, epochs=3, verbose=0)\n"
    "model.save('model.keras')",
    "kernel = base.get_layer('block5_conv3').get_weights()[0]\n"
    "print(kernel.shape, float(np.abs(kernel).sum()), len(history.history['loss']), tf.__version__)",
)


def run(engine: Sandbox, software: Software, cells: tuple[str, ...], folder: Path, **options: Any) -> Any:
    """The result of a notebook with these cells, in this environment."""
    hand_in(folder / "in", "student", notebook__ipynb=notebook(*cells))
    (folder / "work").mkdir()
    folder.chmod(0o755)
    (submission,) = collect(folder / "in", folder / "work")
    place = StageContext(engine, Store(folder / "store"), LIMITS, software)
    dataset, hub = options.get("dataset"), options.get("weights")
    return execute(submission, dataset, ExecutionRules(), hub, place)


def printed(result: Any, folder: Path, stream: str = "stdout") -> str:
    execution = result.value if isinstance(result, Done) else result.execution
    executed = json.loads(Store(folder / "store").path(execution.notebook).read_bytes())
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", ())]
    return "".join("".join(output.get("text", ())) for output in outputs if output.get("name") == stream)


def test_a_keras_notebook_trains_on_vgg16_without_a_network(
    keras_engine: Sandbox, vgg16: tuple[Assignment, Path], shared: Path, tmp_path: Path
) -> None:
    """As most students write it: `VGG16(weights='imagenet')`, frozen, with a new head."""
    assignment, hub = vgg16
    assert isinstance(assignment.dataset, Dataset)
    result = run(keras_engine, KERAS, VGG16_ON_TENSORFLOW, tmp_path, dataset=assignment.dataset, weights=hub)
    assert isinstance(result, Done), result
    assert result.value.environment == "keras" and [blob.path for blob in result.value.produced] == ["model.keras"]
    assert [found.code for found in result.findings if found.severity != "info"] == []
    *shape, total, epochs, version = printed(result, tmp_path).split()[-7:]
    tensors = load_file(shared / "weights" / "vgg16_notop_caffe.safetensors")
    given = tensors["block5_conv3.weight"]
    assert shape == ["(3,", "3,", "512,", "512)"] and (epochs, version) == ("3", "2.21.0")
    assert float(total) == pytest.approx(float(np.abs(given).sum(dtype=np.float64)), rel=1e-4)


EVERYWHERE = (
    "import warnings\nwarnings.simplefilter('ignore')\n"
    "import albumentations as A, cv2, imageio, imutils, ipywidgets, numpy as np, pandas, plotly.express as px\n"
    "import seaborn as sns, sklearn, skimage.transform, splitfolders, tqdm\nfrom imutils import paths",
    "image = np.full((40, 60, 3), 90, np.uint8)\n"
    "cv2.imwrite('one.png', image)\n"
    "assert list(paths.list_images('.')) == ['./one.png'] and imageio.v3.imread('one.png').shape == (40, 60, 3)\n"
    "turned = A.Compose([A.Rotate(30, p=1), A.CLAHE(p=1), A.Resize(20, 30), A.Normalize()])\n"
    "print('SHAPES', turned(image=image)['image'].shape, imutils.resize(image, width=30).shape,\n"
    "      skimage.transform.resize(image, (20, 30)).shape, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).shape)",
    "from tqdm.notebook import tqdm, trange\nfrom tqdm.auto import tqdm as either\n"
    "for epoch in trange(3, desc='epochs'):\n    for batch in tqdm([1, 2], leave=False):\n        pass\n"
    "for batch in either([1, 2], desc='batches'):\n    pass",
    "shown = ipywidgets.Output()\nwith shown:\n    print('SHOWN')\ndisplay(shown)\n"
    "slider = ipywidgets.IntSlider(3, description='size')\nslider.value = 5\nprint('SLIDER', slider.value)\nslider",
    "sns.heatmap([[3, 1], [0, 4]], annot=True)\npx.line(x=[1, 2], y=[3, 4]).show()",
)
OF_TORCH = (
    "import timm, torch, torchinfo, torchmetrics\nfrom albumentations.pytorch import ToTensorV2\n"
    "model = timm.create_model('resnet18', num_classes=3).eval()\n"
    "batch = ToTensorV2()(image=np.zeros((32, 32, 3), np.float32))['image'][None]\n"
    "score = torchmetrics.Accuracy(task='multiclass', num_classes=3)(model(batch).argmax(1), torch.tensor([0]))\n"
    "print('OWN', tuple(model(batch).shape), torchinfo.summary(model, (1, 3, 32, 32), verbose=0).total_params)",
    "timm.create_model('resnet18', pretrained=True)",
)
OF_KERAS = (
    "import keras_hub\n"
    "backbone = keras_hub.models.ResNetBackbone(input_conv_filters=[64], input_conv_kernel_sizes=[3],\n"
    "    stackwise_num_filters=[64], stackwise_num_blocks=[1], stackwise_num_strides=[1], block_type='basic_block',\n"
    "    image_shape=(32, 32, 3))\n"
    "model = keras_hub.models.ImageClassifier(backbone=backbone, num_classes=3)\n"
    "print('OWN', tuple(model(np.zeros((1, 32, 32, 3), 'float32')).shape), model.count_params())",
    "keras_hub.models.Backbone.from_preset('resnet_18_imagenet')",
)


@pytest.mark.parametrize(("software", "own"), [(TORCH, OF_TORCH), (KERAS, OF_KERAS)], ids=("torch", "keras"))
def test_what_notebooks_import_works_without_a_network(
    software: Software, own: tuple[str, str], keras_engine: Sandbox, tmp_path: Path
) -> None:
    """Up to the last cell, which asks for weights from a hub, and is told at once that there is no network."""
    result = run(keras_engine, software, (*EVERYWHERE, *own), tmp_path)
    assert isinstance(result, FailedExecution) and result.execution is not None, result
    assert result.execution.executed_cells == len(EVERYWHERE) + 1, result.reason
    assert result.reason.startswith(f"Cell {len(EVERYWHERE) + 2} stopped") and "no network" in result.reason
    assert {found.code for found in result.findings if found.severity == "warning"} <= {"network-attempt"}
    assert {cell for cell, _ in result.execution.network_attempts} <= {len(EVERYWHERE) + 2}, "an import asked"
    said = printed(result, tmp_path)
    assert "SHAPES (20, 30, 3) (20, 30, 3) (20, 30, 3) (40, 60)" in said and "SLIDER 5" in said and "SHOWN" in said
    assert "OWN (1, 3)" in said
    bars = printed(result, tmp_path, "stderr")
    assert "epochs: 100%" in bars and "batches: 100%" in bars


def test_a_folder_that_a_notebook_saves_is_its_model(keras_engine: Sandbox, tmp_path: Path) -> None:
    """TensorFlow's SavedModel comes out as one file, and is converted as one that was handed in."""
    cells = (
        "import keras\nmodel = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(4, 3),"
        " keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, 'softmax')])",
        "model.export('exported/my_model')\nopen('labels.txt', 'w').write('cat\\ndog\\nhorse')",
    )
    result = run(keras_engine, KERAS, cells, tmp_path)
    assert isinstance(result, Done), result
    (submission,) = collect(tmp_path / "in", tmp_path / "again")
    (made,) = models.made(submission, result, Store(tmp_path / "store"))
    assert made.shown == "exported/my_model" and list(made.companions) == ["labels.txt"]
    place = StageContext(keras_engine, Store(tmp_path / "store"), LIMITS)
    converted = convert(made, ("cat", "dog", "horse"), (), None, place)
    assert isinstance(converted, Done), converted
    assert converted.value.source_format == "saved_model" and converted.value.labels == ("cat", "dog", "horse")


def test_weights_that_are_not_there_are_named_with_the_command(
    keras_engine: Sandbox, vgg16: tuple[Assignment, Path], tmp_path: Path
) -> None:
    cells = (
        "from tensorflow.keras.applications import ResNet50",
        "model = ResNet50(weights='imagenet', include_top=False)",
    )
    result = run(keras_engine, KERAS, cells, tmp_path, weights=vgg16[1])
    assert isinstance(result, FailedExecution), result
    assert "weights-missing" in [finding.code for finding in result.findings]
    assert result.reason.startswith("Cell 2 needs the pre-trained weights resnet50_weights_tf")
    assert result.reason.endswith("harness weights fetch keras_resnet50_notop")


def test_torchs_weights_too(engine: Sandbox, tmp_path: Path) -> None:
    cells = ("import torchvision\nmodel = torchvision.models.vgg16(weights='DEFAULT')",)
    result = run(engine, TORCH, cells, tmp_path)
    assert isinstance(result, FailedExecution), result
    assert result.reason.endswith("harness weights fetch vgg16")


def test_an_environment_is_read_only_inside(keras_engine: Sandbox, tmp_path: Path) -> None:
    write = (
        "import sys, keras\nfrom pathlib import Path\n"
        "for place in (sys.prefix, Path(keras.__file__).parent):\n"
        "    try:\n        (Path(place) / 'mine').write_text('x')\n        print('wrote', place)\n"
        "    except OSError as error:\n        print('refused', error.errno)",
    )
    result = run(keras_engine, KERAS, write, tmp_path)
    assert isinstance(result, Done), result
    said = printed(result, tmp_path)
    assert "wrote" not in said and said.count("refused") == 2


def test_what_is_built_is_listed_and_not_built_again(keras_built: None, capfd: pytest.CaptureFixture[str]) -> None:
    here = [one for one in environments.every() if one.lock == KERAS.lock]
    assert "virtual environment" in {one.kind for one in here}
    python = find(KERAS)
    assert python is not None
    before = (python.prefix / "pyvenv.cfg").stat().st_mtime_ns
    said: list[str] = []
    environments.build(KERAS, "", None, said.append, engine="bubblewrap")
    assert said == [] and (python.prefix / "pyvenv.cfg").stat().st_mtime_ns == before


def test_a_courses_requirements_are_an_environment_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built, used, listed and removed; it has what the course asks for and what runs a notebook, and no torch.

    Two that build it at once build it once. What pins packages for the harness itself, as tox does, has no say.
    """
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pins.txt").write_text("tomlkit==0.13.0\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "pins.txt"))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("tomlkit==0.15.2\n")
    software = course(requirements)
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        building = [
            pool.submit(environments.build, software, "", None, said.append, engine="bubblewrap") for _ in range(2)
        ]
    assert [one.result()[0].lock for one in building] == [software.lock] * 2
    assert [line.split()[0] for line in said] == ["Gathering", "Installing"]
    cells = (
        "import importlib.util, tomlkit\n"
        "print(tomlkit.__version__, importlib.util.find_spec('torch'), importlib.util.find_spec('harness.cli'))",
    )
    result = run(Bubblewrap(), software, cells, tmp_path)
    assert isinstance(result, Done), result
    assert printed(result, tmp_path).split() == ["0.15.2", "None", "None"]
    assert result.value.environment == "course"
    built = _harness("env", "build", str(requirements), "--engine", "bubblewrap")  # it is there, and kept
    assert built.startswith("course: ")
    listed = _harness("env", "list", "--json")
    assert software.lock in [one["lock"] for one in json.loads(listed)]
    assert "removed course" in _harness("env", "remove", software.lock)
    assert find(software) is None


def test_a_hand_in_whose_environment_is_not_built_waits_for_a_person(tmp_path: Path) -> None:
    """It is never a zero, the page names the command, and the others are graded."""
    file = make_course(tmp_path / "course")
    hand_in(tmp_path / "submissions", "on-tensorflow", notebook__ipynb=notebook("import tensorflow as tf"))
    hand_in(tmp_path / "submissions", "plain", notebook__ipynb=notebook("print(1)"))
    cache = tmp_path / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    environment = {"HARNESS_CACHE": str(cache)}
    _harness("weights", "fetch", "mobilenet_v2", **environment)
    options = ("--assignment", str(file), "--out", str(tmp_path / "out"), "--sandbox", "bubblewrap")
    _harness("grade", str(tmp_path / "submissions"), *options, **environment, expected=(0, 1))
    rows = {row["id"]: row for row in json.loads((tmp_path / "out" / "results.json").read_text())["submissions"]}
    assert rows["on-tensorflow"]["status"] == "needs-review"
    stage = rows["on-tensorflow"]["stages"]["execute"]
    assert stage["status"] == "skipped" and stage["reason"].endswith("harness env build keras")
    assert "environment-missing" in [finding["code"] for finding in rows["on-tensorflow"]["findings"]]
    assert rows["plain"]["stages"]["execute"]["status"] == "ok"
    pages = [tmp_path / "out" / folder / "on-tensorflow" / "index.html" for folder in ("submissions", "students")]
    assert ["harness env build keras" in page.read_text() for page in pages] == [True, False]


def _harness(*arguments: str, expected: tuple[int, ...] = (0,), **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode in expected, done.stderr[-3000:]
    return done.stdout
