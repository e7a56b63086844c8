"""What the ONNX checker and ONNX Runtime say of a model, in one sentence with a way out."""

from __future__ import annotations

import re

from ..phases.error_text import one_sentence

_MOST = 160  # characters of a library's own words
_NOT_GIVEN = re.compile(r"(?:input|Node input) '([^'\n]{0,80})' (?:of node|is not)")
_NO_OPERATOR = re.compile(r"No Op registered for (\w{1,60})")
_NODE = re.compile(r"\bOpType: (\w{1,60})")
_RUNNING = re.compile(r"while running (\w{1,60}) node")
_LOADING = re.compile(r"Node \([^()\n]*\) Op \((\w{1,60})\) (?:\[\w+\] )?")
_AGAIN = "export it again"


def invalid(error: BaseException) -> str:
    """Why a file is not valid ONNX."""
    text = str(error)
    if operator := _NO_OPERATOR.search(text):
        return (
            f"it uses the operator {operator[1]}, which ONNX does not have in the operator set that the file names; "
            "export it with opset_version=18"
        )
    if given := _NOT_GIVEN.search(text):
        return (
            f"the ONNX file is not whole: a node takes '{given[1]}', which neither the weights nor a node before it "
            f"give; {_AGAIN}"
        )
    node = _NODE.search(text)
    said = one_sentence(text.partition("==> Context:")[0], _MOST)
    return f"the ONNX file is not valid{f' at its {node[1]}' if node else ''} ({said}); {_AGAIN}"


def refused(error: BaseException) -> str:
    """Why ONNX Runtime does not load a file."""
    node = _LOADING.search(str(error))
    return f"ONNX Runtime refuses it{f' at its {node[1]}' if node else ''} ({_plain(error)}); {_AGAIN}"


def stopped(error: BaseException) -> str:
    """Why ONNX Runtime could not run a model on an image."""
    node = _RUNNING.search(str(error))
    where = f" at its {node[1]}" if node else ""
    return f"the ONNX model stopped on an image{where} ({_plain(error)}); {_AGAIN}, and try it with onnxruntime"


def _plain(error: BaseException) -> str:
    """The message without what ONNX Runtime puts before it: a status, the file, a source file and its function."""
    text = str(error).rpartition("Status Message: ")[2]
    text = text.split("failed:", 1)[-1].replace("This is an invalid model. ", "")
    return one_sentence(_LOADING.sub("", text).removeprefix("Error: "), _MOST)
