"""What a library says of an error, as one sentence."""

from __future__ import annotations

import pytest

from harness.agent.phases.error_text import last_line, one_sentence, plain

ESSAY = (
    "Weights only load failed. This file can still be loaded, to do so you have two options, \x1b[1mdo those steps "
    "only if you trust the source of the checkpoint\x1b[0m. \n\t(1) In PyTorch 2.6, we changed the default value of "
    "the `weights_only` argument in `torch.load` from `False` to `True`."
)
MEMORY = (
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "4000 bytes. Error code 12 (Cannot allocate memory)"
)
ONNX = (
    "[ONNXRuntimeError] : 1 : FAIL : Load model from /in/submission/model.onnx failed:"
    "/onnxruntime_src/onnxruntime/core/graph/model.cc:181 onnxruntime::Model::Model(onnx::ModelProto&&, const "
    "onnxruntime::PathString&, const logging::Logger&) Unsupported model IR version: 13, max supported IR version: 11"
)
LAYER = (
    'Exception encountered when calling Functional.call().\n\n\x1b[1mInput 0 of layer "dense" is incompatible with the '
    "layer: expected axis -1 of input shape to have 3 values\x1b[0m\n\nArguments received by Functional.call():\n"
)
GRAPH = (
    'Graph execution error:\n\nDetected at node x defined at (most recent call last):\n  File "/usr/lib/runpy.py", '
    "line 198\n\nIncompatible shapes: [32,5] vs. [32,3]\n\t [[{{node x}}]] [Op:__inference_one_step_on_iterator_99]"
)
STATE = (
    'Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: "fc.weight". \n\tUnexpected key(s): "a".'
)
CONFIG = (
    "<class 'keras.src.models.functional.Functional'> could not be deserialized properly. Please ensure that "
    "components are explicitly deserialized.\n\nconfig={'module': 'keras', 'class_name': 'Functional'}"
)
READER = (
    "PytorchStreamReader failed reading zip archive: failed finding central directory\n"
    "Exception raised from valid at /pytorch/caffe2/serialize/inline_container.cc:199 (most recent call first):\n#0"
)
WORKER = (
    "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
    '  File "/x.py", line 1\nRuntimeError: stack expects each tensor to be equal size, but got [3] and [4]\n'
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ESSAY, "Weights only load failed"),
        (MEMORY, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000 bytes"),
        (ONNX, "Load model from model.onnx failed: Unsupported model IR version: 13, max supported IR version: 11"),
        (
            LAYER,
            'Input 0 of layer "dense" is incompatible with the layer: expected axis -1 of input shape to have 3 values',
        ),
        (GRAPH, "Incompatible shapes: [32,5] vs. [32,3]"),
        (STATE, 'Error(s) in loading state_dict for Net: Missing key(s) in state_dict: "fc.weight"'),
        (CONFIG, "<class 'keras.src.models.functional.Functional'> could not be deserialized properly"),
        (READER, "PytorchStreamReader failed reading zip archive: failed finding central directory"),
        (WORKER, "RuntimeError: stack expects each tensor to be equal size, but got [3] and [4]"),
        ("no\n  weights", "no weights"),
        ("mat1 and mat2 shapes cannot be multiplied (32x10 and 20x5)",) * 2,
        ("", ""),
    ],
)
def test_an_exception_is_told_in_one_sentence(text: str, said: str) -> None:
    assert one_sentence(text) == said


def test_a_long_sentence_ends_after_a_word() -> None:
    said = one_sentence("shape " + "mismatch, " * 100)
    assert len(said) <= 200 and said.endswith("mismatch…")
    assert one_sentence("x" * 500) == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No such file: '/work/handin/data/x.png'", "No such file: 'data/x.png'"),
        ("No such file: '/content/drive/x.png'", "No such file: '/content/drive/x.png'"),
        ("in /home/prof/.venv/lib/python3.11/site-packages/torch/x.py", "in torch/x.py"),
        ("/in/submission/model.pt is bad", "model.pt is bad"),
        ("a/b and https://a.b/c", "a/b and https://a.b/c"),
    ],
)
def test_paths_are_those_that_their_author_knows(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_last_line_of_a_traceback_names_the_error() -> None:
    shown = "Traceback\n\x1b[31mFileNotFoundError\x1b[39m: No such file: 'x.png'\n\nNoneType: None\n"
    assert last_line(shown) == ("FileNotFoundError", "No such file: 'x.png'")
    assert last_line("KeyboardInterrupt") == ("KeyboardInterrupt", "")
    assert last_line("nothing of the kind") == ("", "")
