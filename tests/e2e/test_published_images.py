"""Image sets that libraries download by themselves, in a notebook in the sandbox: given, and missing."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from small_course import hand_in, notebook

from harness.inputs import weights
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import ExecutionRules
from harness.inputs.submissions import collect
from harness.sandbox import TORCH, Sandbox
from harness.stages.context import StageContext
from harness.stages.evidence.execution import FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.store import Store

LIMITS = ResourceLimits(wall_seconds=600, cell_seconds=500, cpus=1)
# Two images of one row and two pixels, in MNIST's format; the notebook is told their hashes in place of the real ones.
LABELS = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 7]), mtime=0)
IMAGES = gzip.compress(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40]), mtime=0)


def run(engine: Sandbox, folder: Path, *cells: str, hub: Path | None = None) -> Any:
    hand_in(folder / "in", "student", notebook__ipynb=notebook(*cells))
    (folder / "work").mkdir()
    (submission,) = collect(folder / "in", folder / "work")
    return execute(
        submission, None, ExecutionRules(), hub, StageContext(engine, Store(folder / "store"), LIMITS, TORCH)
    )


def test_one_that_is_given_is_found_without_a_network(engine: Sandbox, tmp_path: Path) -> None:
    """torchvision checks the files, unpacks them where the notebook wants them, and reads them."""
    hub, hashes = tmp_path / "hub", []
    for entry in weights.named("mnist"):
        content = LABELS if "labels" in entry.file else IMAGES
        file = hub / entry.mounted_path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        hashes.append((entry.file, hashlib.md5(content).hexdigest()))
    for folder in (hub, *(path for path in hub.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    cells = (
        f"from torchvision.datasets import MNIST\nMNIST.resources = {hashes!r}",
        "digits = MNIST('of/my/choice', download=True)\nprint(len(digits), list(digits[1][0].getdata()), digits[1][1])",
    )
    result = run(engine, tmp_path, *cells, hub=hub)
    assert isinstance(result, Done), result
    executed = json.loads(Store(tmp_path / "store").path(result.value.notebook).read_bytes())
    said = ["".join(output["text"]) for output in executed["cells"][-1]["outputs"] if output.get("name") == "stdout"]
    assert "".join(said).split("\n")[-2] == "2 [30, 40] 7"
    assert [found.code for found in result.findings if found.severity != "info"] == []


def test_one_that_is_not_here_is_named_with_the_command(engine: Sandbox, tmp_path: Path) -> None:
    result = run(engine, tmp_path, "import torchvision\ntorchvision.datasets.CIFAR10('here', download=True)")
    assert isinstance(result, FailedExecution), result
    assert result.reason.startswith("Cell 1 needs the images of cifar-10-python.tar.gz")
    assert result.reason.endswith("harness weights fetch cifar10")


def test_of_an_archive_that_nobody_knows_the_host_is_named_once(engine: Sandbox, tmp_path: Path) -> None:
    result = run(engine, tmp_path, "from urllib.request import urlopen\nurlopen('http://example.org/mine.zip')")
    attempts = [found.message for found in result.findings if found.code == "network-attempt"]
    assert len(attempts) == 1 and "example.org" in attempts[0] and "mine.zip" not in attempts[0]
