"""What an environment is made of: names, locks, and what its packages are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.sandbox.software import KERAS, TORCH, course, named
from harness.sandbox.wheels import LOCK, gather


def test_the_keras_lock_names_every_package_once_by_its_exact_version() -> None:
    lines = [line for line in KERAS.requirements[0].read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.]+", line) for line in lines)
    names = [line.partition("==")[0] for line in lines]
    assert len(names) == len(set(names))
    assert {"tensorflow-cpu", "keras", "tf-keras", "tf2onnx", "ai-edge-litert", "nbclient", "ipykernel"} <= set(names)
    assert "tensorflow" not in names, "tf-keras asks for it beside tensorflow-cpu: the same module twice"


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
