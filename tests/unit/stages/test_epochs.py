"""How far a training came, and the same notebook with fewer epochs."""

import json

from harness.stages.epochs import Pace, pace, with_fewer_epochs


def notebook(source: str = "", *texts: str) -> bytes:
    outputs = [{"output_type": "stream", "name": "stdout", "text": text} for text in texts]
    return json.dumps({"cells": [{"cell_type": "code", "source": source, "outputs": outputs}]}).encode()


def test_the_pace_is_read_from_what_keras_and_torch_loops_print():
    assert pace(notebook("", "Epoch 1/30\n12s\nEpoch 2/30\n11s\nEpoch 3/30\n")) == Pace(2, 30)
    assert pace(notebook("", "epoch 4 of 10, loss 0.2\nepoch 5 of 10")) == Pace(4, 10)


def test_several_trainings_count_together():
    assert pace(notebook("", "Epoch 1/2\nEpoch 2/2\n", "Epoch 1/20\nEpoch 2/20\nEpoch 3/20\n")) == Pace(4, 22)


def test_without_a_finished_epoch_there_is_no_pace():
    assert pace(notebook("", "Epoch 1/30\n")) is None
    assert pace(notebook("", "hello")) is None
    assert pace(b"no notebook") is None


def test_the_minutes_are_what_all_epochs_would_take():
    assert Pace(2, 30).minutes(120) == 30


def test_fewer_epochs_wherever_they_are_set():
    text = "EPOCHS = 30\nmodel.fit(x, y, epochs=20, initial_epoch=0)\nif epochs == 5: pass"
    fewer = json.loads(with_fewer_epochs(notebook(text), 0.1) or b"")["cells"][0]["source"]
    assert fewer.splitlines()[:2] == ["EPOCHS = 3", "model.fit(x, y, epochs=2, initial_epoch=0)"]
    assert "epochs == 5" in fewer
    assert json.loads(with_fewer_epochs(notebook("epochs = 3"), 0.01) or b"")["cells"][0]["source"] == "epochs = 1"


def test_nothing_to_change_is_none():
    assert with_fewer_epochs(notebook("for i in range(30): pass"), 0.5) is None
    assert with_fewer_epochs(b"[]", 0.5) is None
