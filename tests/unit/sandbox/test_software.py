"""What an environment is made of: names, locks, and what its packages are."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.errors import UsageError
from harness.sandbox.python_environment import PythonEnvironment
from harness.sandbox.software import KERAS, TORCH, course, named
from harness.sandbox.wheels import LOCK, gather


def test_the_keras_lock_names_every_package_once_by_its_exact_version() -> None:
    lines = [line for line in KERAS.requirements[0].read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.]+", line) for line in lines)
    names = [line.partition("==")[0] for line in lines]
    assert len(names) == len(set(names))
    assert {"tensorflow-cpu", "keras", "tf-keras", "tf2onnx", "ai-edge-litert", "nbclient", "ipykernel"} <= set(names)
    assert "tensorflow" not in names, "tf-keras asks for it beside tensorflow-cpu: the same module twice"


def _pins(file: Path) -> list[Requirement]:
    return [Requirement(line) for line in file.read_text().splitlines() if re.match(r"\w", line)]


def _drawn_in(requirements: Path) -> set[str]:
    """Every package that is installed for these requirements here; NVIDIA's are those of a build of torch for CUDA."""
    names, wanted = set(), _pins(requirements)
    while wanted:
        one = wanted.pop()
        if re.match(r"nvidia-|cuda-|triton$", one.name) or canonicalize_name(one.name) in names:
            continue
        names.add(canonicalize_name(one.name))
        for line in importlib.metadata.requires(one.name) or ():
            further = Requirement(line)
            if not further.marker or any(further.marker.evaluate({"extra": extra}) for extra in one.extras or {""}):
                wanted.append(further)
    return names


def test_the_torch_lock_holds_what_its_requirements_draw_in_and_nothing_else() -> None:
    """So a new pin of the harness or its tests builds no environment again, and nothing in one is left unpinned."""
    assert TORCH.constraints
    pins = _pins(TORCH.constraints)
    assert all([specifier.operator for specifier in pin.specifier] == ["=="] for pin in pins)
    assert {canonicalize_name(pin.name) for pin in pins} == _drawn_in(TORCH.requirements[0])


def test_no_package_has_two_pins() -> None:
    """constraints.txt includes the torch lock, and adds what that lacks."""
    assert TORCH.constraints
    constraints = TORCH.constraints.with_name("constraints.txt")
    assert f"--constraint {TORCH.constraints.name}" in constraints.read_text().splitlines()
    pinned = Counter(canonicalize_name(pin.name) for file in (TORCH.constraints, constraints) for pin in _pins(file))
    assert [name for name, times in pinned.items() if times > 1] == []


def test_the_frameworks_are_those_that_the_requirements_name(tmp_path: Path) -> None:
    assert TORCH.frameworks == {"torch"} and KERAS.frameworks == {"tensorflow"}
    own = tmp_path / "requirements.txt"
    own.write_text("# torch\nTensorFlow_CPU>=2.20\ntimm\n")
    assert course(own).frameworks == {"tensorflow"}


def test_another_requirement_is_another_lock(tmp_path: Path) -> None:
    own = tmp_path / "requirements.txt"
    own.write_text("timm==1.0.0\n")
    first = course(own).lock
    own.write_text("timm==1.0.1\n")
    assert course(own).lock != first
    own.write_text("timm==1.0.0\n")
    assert course(own).lock == first
    assert len({first, TORCH.lock, KERAS.lock}) == 3


def test_a_name_is_torch_keras_or_a_file(tmp_path: Path) -> None:
    own = tmp_path / "requirements.txt"
    own.write_text("timm\n")
    assert named("torch") is TORCH and named("keras") is KERAS
    assert named(str(own)).build_command == f"harness env build {own}"
    with pytest.raises(UsageError, match="no environment 'kears'"):
        named("kears")


def test_a_folder_without_wheels_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no wheels"):
        gather(KERAS, tmp_path / "to", tmp_path)
    assert not (tmp_path / "to" / LOCK).exists()


def test_what_is_installed_is_read_once_and_again_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every job and every key asks for it; reading 150 packages' metadata took 0.2 to 0.4 s each time."""
    reads = []
    distributions = importlib.metadata.distributions

    def counted(**options: Any) -> Any:
        reads.append(options)
        return distributions(**options)

    monkeypatch.setattr(importlib.metadata, "distributions", counted)
    packages = tmp_path / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"

    def install(name: str) -> None:
        (packages / f"{name}-1.0.dist-info").mkdir(parents=True)
        (packages / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")

    install("one")
    before = [PythonEnvironment(tmp_path).id for _ in range(3)]
    PythonEnvironment(tmp_path).missing_packages()
    assert len(set(before)) == 1 and len(reads) == 1
    install("two")
    assert PythonEnvironment(tmp_path).id != before[0] and len(reads) == 2
