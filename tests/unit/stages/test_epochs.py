"""How far a training came, and the same notebook with fewer epochs."""

import json
import subprocess
from pathlib import Path

import pytest

from harness.stages.execute import epochs
from harness.stages.execute.epochs import Pace


@pytest.fixture
def pace(tmp_path: Path):
    def of(content: bytes) -> Pace | None:
        (tmp_path / "executed.ipynb").write_bytes(content)
        return epochs.pace(tmp_path / "executed.ipynb")

    return of


@pytest.fixture
def with_fewer_epochs(tmp_path: Path):
    def of(content: bytes, share: float) -> bytes | None:
        (tmp_path / "notebook.ipynb").write_bytes(content)
        changed = epochs.with_fewer_epochs(tmp_path / "notebook.ipynb", share, tmp_path / "fewer")
        assert changed == (tmp_path / "fewer").exists()
        return (tmp_path / "fewer").read_bytes() if changed else None

    return of


def notebook(source: str = "", *texts: str) -> bytes:
    outputs = [{"output_type": "stream", "name": "stdout", "text": text} for text in texts]
    return json.dumps({"cells": [{"cell_type": "code", "source": source, "outputs": outputs}]}).encode()


def test_the_pace_is_read_from_what_keras_and_torch_loops_print(pace):
    assert pace(notebook("", "Epoch 1/30\n12s\nEpoch 2/30\n11s\nEpoch 3/30\n")) == Pace(2, 30)
    assert pace(notebook("", "epoch 4 of 10, loss 0.2\nepoch 5 of 10")) == Pace(4, 10)


def test_several_trainings_count_together(pace):
    assert pace(notebook("", "Epoch 1/2\nEpoch 2/2\n", "Epoch 1/20\nEpoch 2/20\nEpoch 3/20\n")) == Pace(4, 22)


def test_without_a_finished_epoch_there_is_no_pace(pace):
    assert pace(notebook("", "Epoch 1/30\n")) is None
    assert pace(notebook("", "hello")) is None
    assert pace(b"no notebook") is None


def test_the_minutes_are_what_all_epochs_would_take():
    assert Pace(2, 30).minutes(120) == 30


def test_fewer_epochs_wherever_they_are_set(with_fewer_epochs):
    text = "EPOCHS = 30\nmodel.fit(x, y, epochs=20, initial_epoch=0)\nif epochs == 5: pass"
    fewer = json.loads(with_fewer_epochs(notebook(text), 0.1) or b"")["cells"][0]["source"]
    assert fewer.splitlines()[:2] == ["EPOCHS = 3", "model.fit(x, y, epochs=2, initial_epoch=0)"]
    assert "epochs == 5" in fewer


def test_at_least_one_epoch_is_left(with_fewer_epochs):
    assert json.loads(with_fewer_epochs(notebook("epochs = 3"), 0.01))["cells"][0]["source"] == "epochs = 1"


def test_nothing_to_change_is_none(with_fewer_epochs):
    assert with_fewer_epochs(notebook("for i in range(30): pass"), 0.5) is None
    assert with_fewer_epochs(b"[]", 0.5) is None


def test_a_notebook_that_takes_more_memory_than_there_is_has_no_pace(pace, with_fewer_epochs, tmp_path: Path):
    """30 million empty lists: the process that parses them dies, not the harness."""
    bomb = b'{"cells": [' + b"[]," * 30_000_000 + b"[]]}"
    assert pace(bomb) is None
    assert with_fewer_epochs(bomb, 0.5) is None


def test_no_command_line_names_what_a_student_called_his_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Any user of the machine reads the command lines of all."""
    commands = []
    run = subprocess.run

    def noted(command, **given):
        commands.append(command)
        return run(command, **given)

    monkeypatch.setattr(subprocess, "run", noted)
    (tmp_path / "anna-de-vries.ipynb").write_bytes(notebook("epochs = 30"))
    target = tmp_path / "anna-de-vries.ipynb.fewer"
    assert epochs.with_fewer_epochs(tmp_path / "anna-de-vries.ipynb", 0.5, target) and target.is_file()
    assert commands and not [part for command in commands for part in command if "anna" in part]
