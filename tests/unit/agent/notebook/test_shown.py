"""What outputs show: the formats of Keras, of PyTorch's tutorials and of course notebooks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_output

from harness.agent.notebook.output_parsing import shown


def cell(text: str, source: str = "x") -> Any:
    return new_code_cell(source, outputs=[new_output("stream", text=text)])


def of(text: str, source: str = "x") -> dict[str, Any]:
    return shown([cell(text, source)])


def curves(text: str) -> dict[str, list[float | None]]:
    (run,) = of(text)["runs"]
    return run["curves"]


KERAS_1 = (
    "Epoch 1/2\n23000/23000 [====] - 588s - loss: 0.5 - acc: 0.70 - val_loss: 0.6 - val_acc: 0.65\n"
    "Epoch 2/2\n23000/23000 [====] - 580s - loss: 0.25 - acc: 0.90 - val_loss: 0.3 - val_acc: 0.85\n"
)
KERAS_2 = (
    "Epoch 1/2\n\r 1/10 [>..] - ETA: 9s - loss: 2.0 - accuracy: 0.1\b\b\b\r10/10 [==] - 5s 70ms/step - loss: 0.5000 - "
    "accuracy: 0.7000 - val_loss: 0.6000 - val_accuracy: 0.6500\n"
    "Epoch 2/2\n10/10 [==] - 5s - loss: 0.2500 - accuracy: 0.9000 - val_loss: 0.3000 - val_accuracy: 0.8500\n"
)
KERAS_3 = (
    "Epoch 1/2\n\x1b[1m63/63\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m5s\x1b[0m 70ms/step - accuracy: 0.70 - "
    "loss: 0.5 - val_accuracy: 0.65 - val_loss: 0.6 - learning_rate: 0.001\n"
    "Epoch 2/2\n63/63 ━━━━ 5s 70ms/step - accuracy: 0.90 - loss: 0.25 - val_accuracy: 0.85 - val_loss: 0.3\n"
)
TUTORIAL = (
    "Epoch 0/1\n----------\ntrain Loss: 0.5 Acc: 0.70\nval Loss: 0.6 Acc: 0.65\n\n"
    "Epoch 1/1\n----------\ntrain Loss: 0.25 Acc: 0.90\nval Loss: 0.3 Acc: 0.85\n\nTraining complete in 1m 7s\n"
)
ONE_LINE = (
    "Epoch 1/2.. Train loss: 0.5.. Train accuracy: 70%.. Validation loss: 0.6.. Validation accuracy: 0.65\n"
    "Epoch 2/2.. Train loss: 0.25.. Train accuracy: 90%.. Validation loss: 0.3.. Validation accuracy: 0.85\n"
)
BARS = (
    "Epoch: 1 | train_loss: 0.5 | train_acc: 0.70 | test_loss: 0.6 | test_acc: 0.65\n"
    "Epoch: 2 | train_loss: 0.25 | train_acc: 0.90 | test_loss: 0.3 | test_acc: 0.85\n"
)


@pytest.mark.parametrize("text", [KERAS_1, KERAS_2, KERAS_3, TUTORIAL, ONE_LINE, BARS])
def test_learning_curves_are_read(text: str) -> None:
    assert curves(text) == {
        "loss": [0.5, 0.25],
        "accuracy": [0.7, 0.9],
        "val_loss": [0.6, 0.3],
        "val_accuracy": [0.65, 0.85],
    }


def test_the_jetson_courses_short_lines_are_read() -> None:
    assert curves("0: 0.500000\n1: 0.750000\n2: 0.900000\n") == {"val_accuracy": [0.5, 0.75, 0.9]}


def test_a_count_that_starts_again_is_another_training() -> None:
    first, second = of(KERAS_2 + KERAS_3.replace("/2", "/9"))["runs"]
    assert (first["epochs"], first["planned"], second["planned"]) == (2, 2, 9)


SUMMARY = (
    "Total params: 14,739,269 (56.23 MB)\nTrainable params: 24,581 (96.02 KB)\n"
    "Non-trainable params: 14,714,688 (56.13 MB)\n"
)


def test_parameters_are_those_of_the_last_summary() -> None:
    found = shown([cell(SUMMARY.replace("24,581", "14,739,269")), cell(SUMMARY)])
    assert found["parameters"] == 14_739_269
    assert found["trainable_parameters"] == 24_581
    assert found["frozen_parameters"] == 14_714_688


def test_parameters_in_a_sentence_are_read() -> None:
    text = "134,281,029 total parameters.\n20,485 trainable parameters.\n"
    found = of(text)
    assert (found["parameters"], found["trainable_parameters"]) == (134_281_029, 20_485)


@pytest.mark.parametrize(
    ("text", "source", "kind", "accuracy"),
    [
        ("Test accuracy: 0.913", "x", "test", 0.913),
        ("test acc: 0.925", "x", "test", 0.925),
        ("Test loss: 0.3\nTest accuracy: 91.3%", "x", "test", 0.913),
        ("Accuracy of the network on the 50 test images: 94 %", "x", "test", 0.94),
        ("Test Accuracy (Overall): 83% (611/733)", "x", "test", 0.83),
        ("Accuracy: 0.88", "x", "unsaid", 0.88),
        ("Best val Acc: 0.954248", "x", "validation", 0.954248),
        ("    accuracy                           0.93        50\n", "x", "test", 0.93),
        ("[0.21, 0.9375]", "model.evaluate(test_set)", "test", 0.9375),
        (KERAS_3, "x", "validation", 0.85),
        ("Epoch 1/1\n2/2 - loss: 0.4 - accuracy: 0.75\n", "x", "training", 0.75),
    ],
)
def test_the_reported_accuracy_is_found(text: str, source: str, kind: str, accuracy: float) -> None:
    claim = of(text, source)["claim"]
    assert (claim["kind"], claim["accuracy"]) == (kind, pytest.approx(accuracy))


def test_what_is_said_of_test_images_counts_before_the_training() -> None:
    found = shown([cell(KERAS_3), cell("Test accuracy: 0.5"), cell("Accuracy: 0.99")])
    assert (found["claim"]["kind"], found["claim"]["accuracy"], found["claim"]["cell"]) == ("test", 0.5, 2)


def test_the_batch_size_is_the_codes() -> None:
    assert shown([new_code_cell("BATCH_SIZE = 16\nDataLoader(d, batch_size=BATCH_SIZE)")])["batch_size"] == 16
    assert shown([new_code_cell("g.flow_from_directory('a', batch_size=20)")])["batch_size"] == 20
    assert shown([new_code_cell("x = 3")])["batch_size"] is None


def test_a_notebook_without_outputs_shows_nothing() -> None:
    found = shown([new_code_cell("model.fit(x)")])
    assert not found["has_outputs"] and found["runs"] == [] and found["claim"] is None


@given(st.text(max_size=400) | st.text("epoch 0123456789/:.%-=losaccvtrin\n\r", max_size=400))
def test_no_output_makes_it_raise(text: str) -> None:
    shown([cell(text)])
