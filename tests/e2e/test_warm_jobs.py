"""A job that starts warm is as one that starts cold: the same evidence, and the same to a notebook's code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from model_files import CLASSES, FACTORIES, torch_model, write_images
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

from harness.agent.start import zygote as inside
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import ExecutionRules
from harness.inputs.submission import Submission
from harness.sandbox import zygotes
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.stage_result import Done
from harness.stages.execute.stage import execute
from harness.stages.store import Store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has warm starts")

LIMITS = ResourceLimits(wall_seconds=240, cell_seconds=120, memory=4 * 10**9, cpus=2)
LOOK = """
import json, os, sys, threading
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
wanted = ("SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
          "Seccomp", "Seccomp_filters", "Threads")
print(json.dumps({
    "modules": sorted(sys.modules), "path": sys.path, "flags": list(sys.flags), "cwd": os.getcwd(),
    "no bytecode": sys.dont_write_bytecode, "orig_argv": sys.orig_argv[:3], "argv": sys.argv[:2], "hash": hash("a"),
    "environment": dict(os.environ), "parent": os.getppid() > 0, "leads": os.getsid(0) == os.getpid(),
    "umask": os.umask(0o022), "main": sorted(vars(sys.modules["__main__"])),
    "command": open("/proc/self/cmdline").read().rstrip("\\0").split("\\0")[:3],
    "files": sorted({os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in os.listdir("/proc/self/fd")
                     if os.path.exists(f"/proc/self/fd/{n}")}),
    "threads": sorted(type(thread).__name__ for thread in threading.enumerate()),
    "status": {name: status[name] for name in wanted},
    "shared": [line for line in open("/proc/self/maps") if "rw-s" in line and "/dev/zero" in line],
    "links": [os.readlink(f"/proc/self/{name}") for name in ("exe", "cwd", "root")],
    "limits": open("/proc/self/limits").read(), "oom": open("/proc/self/oom_score_adj").read(),
}))
"""


@pytest.fixture(scope="module")
def warm() -> Bubblewrap:
    return Bubblewrap(wait_for_zygote_seconds=120)


def run(engine: Bubblewrap, folder: Path, *cells: str) -> Any:
    """The notebook's text; an engine's first job starts cold where it does not wait."""
    folder.mkdir()
    write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), folder / "notebook.ipynb")
    for path in (*folder.parents[:2], folder, *folder.iterdir()):
        path.chmod(0o755)
    submission = Submission("id", "student", folder, Path("notebook.ipynb"), (), (), None, "0" * 64, ())
    store = Store(folder.parent / f"{folder.name}-store")
    result = execute(submission, None, ExecutionRules(), None, StageContext(engine, store, LIMITS))
    execution = result.value if isinstance(result, Done) else result.execution
    notebook = json.loads(store.path(execution.notebook).read_bytes())
    outputs = [output for cell in notebook["cells"] for output in cell["outputs"]]
    return "".join("".join(output.get("text", output.get("traceback", ()))) for output in outputs)


def test_a_notebook_sees_no_difference(warm: Bubblewrap, tmp_path: Path):
    seen = [json.loads(run(engine, tmp_path / name, LOOK)) for name, engine in (("c", Bubblewrap()), ("w", warm))]
    assert zygotes_are_ready(warm)
    cold, forked = seen
    assert forked == cold
    assert "torch" not in forked["modules"] and "numpy" not in forked["modules"]


def test_a_forgotten_import_fails_warm_too(warm: Bubblewrap, tmp_path: Path):
    assert "NameError" in run(warm, tmp_path / "a", "numpy.zeros(1)")
    assert run(warm, tmp_path / "b", "import torch", "print(int(torch.ones(3).sum()))").strip() == "3"


def test_a_model_converts_to_the_same_graph(warm: Bubblewrap, tmp_path: Path):
    """By a process that has torch loaded and by one that imports it: the same bytes, the same evidence."""
    (tmp_path / "images").mkdir()
    images = write_images(tmp_path / "images", 12)
    torch.manual_seed(0)
    torch.save(torch_model("tiny").state_dict(), tmp_path / "model.pth")
    companions = {"model.py": tmp_path / "model.py", "labels.txt": tmp_path / "labels.txt"}
    companions["model.py"].write_text(FACTORIES["tiny"])
    companions["labels.txt"].write_text("\n".join(CLASSES))
    converted = []
    for name, engine in (("cold", Bubblewrap()), ("warm", warm)):
        context = StageContext(engine, Store(tmp_path / name), LIMITS)
        result = convert(HandedModel(tmp_path / "model.pth", companions), CLASSES, images, None, context)
        assert isinstance(result, Done), result
        converted.append(result.value)
    assert converted[0] == converted[1]


def test_both_sides_agree_on_what_starts_cold():
    assert zygotes.COLD_PHASES == inside.COLD_PHASES


def zygotes_are_ready(engine: Bubblewrap) -> bool:
    """Whether some zygote of the engine forks its jobs."""
    return any(zygote.is_ready(0) for zygote in engine._zygotes._running.values())
