"""The wheel, as a user gets it: built, installed into an empty environment at the exact versions, and run there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from command_line import run_harness

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "harness" / "sandbox" / "environments" / "constraints.txt"

pytestmark = pytest.mark.installs


def run(*command: object) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("transfer_harness-*.whl")
    return built


def test_the_wheel_holds_all_files_of_the_package(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "harness"], cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert set(tracked.stdout.splitlines()) - names == set()
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_runs_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Nothing of this checkout is used: what the wheel forgets to ask for is not there."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python, harness = tmp_path / "venv" / "bin" / "python", tmp_path / "venv" / "bin" / "harness"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", CONSTRAINTS, wheel)
    nowhere = {"PYTHONPATH": "", "DOCKER_HOST": f"unix://{tmp_path}/no-engine"}  # whatever this machine's Engine has
    done = run_harness("doctor", cache=tmp_path / "cache", cwd=tmp_path, command=[str(harness)], **nowhere)
    assert (done.returncode, done.stderr) == (3, "")  # without the extra, what submissions run with is missing
    assert "bubblewrap: does not work\n  this Python lacks torch" in done.stdout
    assert "do: pip install 'transfer-harness[torch]', or harness env build torch" in done.stdout
    graded = run_harness(
        *("grade", tmp_path, "--assignment", tmp_path / "x.toml", "--out", tmp_path / "out"),
        cache=tmp_path / "cache", cwd=tmp_path, command=[str(harness)], **nowhere,
    )  # fmt: skip
    assert graded.returncode == 3 and "do: pip install 'transfer-harness[grade]'" in graded.stderr
    checked = run_harness("check", "--help", cache=tmp_path / "cache", cwd=tmp_path, command=[str(harness)], **nowhere)
    assert checked.returncode == 0, checked.stderr
    listed = run_harness(
        "weights", "list", "alexnet", cache=tmp_path / "cache", cwd=tmp_path, command=[str(harness)], PYTHONPATH=""
    )
    assert "alexnet-owt-7be5be79.pth" in listed.stdout
