"""A result of other code is not trusted: the cache's identity covers all that decides one, without a list."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.stages.cache import StageCache
from harness.stages.code_identity import _whole_sha256, code_sha256, deciding_files
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

PACKAGE = Path(harness.__file__).parent


def deciding() -> set[str]:
    return {file.relative_to(PACKAGE).as_posix() for file in deciding_files()}


def _starts_work(module: Path) -> bool:
    """Whether it runs a stage, or the cache itself: `runner.run(STAGE, ...)`, `cache.run(...)`."""
    calls = (node for node in ast.walk(ast.parse(module.read_bytes())) if isinstance(node, ast.Call))
    return any(_runs_a_stage(call) for call in calls)


def _runs_a_stage(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "run" or not call.args:
        return False
    first = call.args[0]
    return (isinstance(first, ast.Name) and first.id.isupper()) or ast.unparse(call.func.value).endswith("cache")


def test_every_module_that_starts_work_for_the_cache_is_covered():
    starting = {f.relative_to(PACKAGE).as_posix() for f in PACKAGE.rglob("*.py") if _starts_work(f)}
    assert {
        f"grading/{name}.py"
        for name in (
            "model_run",
            "reference",
            "scene_variety",
            "submission_run",
            "similarity/models",
            "similarity/images",
        )
    } | {"grading/similarity/images.py"} <= starting
    assert starting <= deciding()


def test_all_that_python_itself_loads_for_the_stages_is_covered():
    """The walk over the imports misses nothing that a real import brings in."""
    stages = [f"harness.stages.{file.stem}" for file in (PACKAGE / "stages").glob("[a-z]*.py")]
    loading = "import importlib, sys; [importlib.import_module(n) for n in sys.argv[1:]]; print(*sys.modules)"
    roots = [
        "harness.grading.submission_run",
        "harness.grading.withheld_split",
        "harness.grading.reference",
        "harness.grading.scene_variety",
        *stages,
    ]
    done = subprocess.run([sys.executable, "-c", loading, *roots], capture_output=True, text=True, check=True)
    loaded = [name.split(".")[1:] for name in done.stdout.split() if name.startswith("harness.")]
    files = {f"{'/'.join(parts)}.py" for parts in loaded} | {f"{'/'.join(parts)}/__init__.py" for parts in loaded}
    missing = {file for file in files if (PACKAGE / file).is_file()} - deciding()
    # The whole of `stages` was loaded; those that only `harness bench` uses keep nothing in the cache.
    of_bench = ("precision", "timing", "layers", "evidence/layers", "torchvision_model", "detection/detector")
    assert missing <= {f"stages/{name}.py" for name in of_bench}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy of the package, and its identity."""
    package = tmp_path_factory.mktemp("copy") / "harness"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    return package, code_sha256.__wrapped__(package)


@pytest.mark.parametrize(
    "name",
    [
        "stages/evaluate/stage.py",
        "grading/scene_variety.py",
        "inputs/images/held_out.py",
        "inputs/weights/by_hand.toml",
        "inputs/weights/torchvision.toml",
        "agent/phases/predict.py",
        "agent/site/sitecustomize.py",
        "handin.py",
        "apart/epochs.py",
        "apart/__main__.py",
        "apart/submissions/zip_file.py",
        "inputs/submissions/collect.py",
        "inputs/submissions/lms/canvas.py",
        "sandbox/environments/torch.lock",
        "bench/boards/published.csv",
    ],
)
def test_a_repaired_module_makes_old_results_worthless(copy: tuple[Path, str], name: str):
    package, before = copy
    content = (package / name).read_bytes()
    (package / name).write_bytes(content + b"\n")
    assert code_sha256.__wrapped__(package) != before
    (package / name).write_bytes(content)


def test_an_editors_dangling_link_is_no_part_of_the_package(copy: tuple[Path, str]):
    package, _ = copy
    before = _whole_sha256.__wrapped__(package)
    lock = package / "report" / ".#kept.py"
    lock.symlink_to("somebody@host.4711:1700000000")
    assert _whole_sha256.__wrapped__(package) == before
    lock.unlink()


def test_what_only_shows_results_invalidates_nothing():
    apart = ("report/", "cli/", "grading/rubric/", "gradebook/database.py")
    assert all(any(file.is_relative_to(PACKAGE / name) for file in PACKAGE.rglob("*.py")) for name in apart)
    assert [name for name in deciding() if name.startswith(apart)] == []


def test_a_result_of_other_code_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(tmp_path / "store")

    def cached() -> bool:
        value = DatasetAudit(classes={"mug": 1}, unreadable=())
        return StageCache(store, "env").run("audit", 1, DatasetAudit, lambda: Done(value=value)).cached

    assert [cached(), cached()] == [False, True]
    monkeypatch.setattr("harness.stages.cache.kept_code_sha256", lambda _: "repaired")
    assert not cached()
