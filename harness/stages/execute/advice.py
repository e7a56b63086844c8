"""Advice about a cell's error: one sentence for its author, if the error is known."""

from __future__ import annotations

import re

from harness.findings import advice
from harness.stages.evidence.execution import CellError

_NETWORK = (
    "URLError",
    "ConnectionError",
    "ConnectTimeout",
    "gaierror",
    "NewConnectionError",
    "MaxRetryError",
    "SSLError",
    "HTTPError",
    "LocalEntryNotFoundError",
    "OfflineModeIsEnabled",
)
_NETWORK_WORDS = re.compile(
    r"name resolution|name or service not known|network is unreachable|connection (?:refused|aborted|error)|"
    r"max retries exceeded|URL fetch failure|failed to resolve|urlopen error",
    re.IGNORECASE,
)
_MISSING_MODULE = re.compile(r"No module named '?([\w.]+)")
_MISSING_NAME = re.compile(r"cannot import name '(\w+)'|module '[\w.]+' has no attribute '(\w+)'")
_UNDEFINED = re.compile(r"name '(\w+)' is not defined")
_PATH = re.compile(
    r"(?:No such file or directory|Unable to open file|not found|Invalid .{0,30}path)[^'\"]*['\"]([^'\"]+)"
)
_QUOTED = re.compile(r"['\"]([^'\"\n]+)['\"]")
# Modules that the notebook's author probably wrote, or had beside it.
_OWN = re.compile(
    r"^(?:utils?|helpers?|my\w*|vgg16\w*|resnet50|model|dataset|plot\w*|functions?|\w+_(?:utils?|helpers?))$"
)
_NO_IMAGES = re.compile(
    r"found 0 (?:files|images)|num_samples=0|no images found|couldn't find any class|found no valid file", re.IGNORECASE
)
_SHAPES = re.compile(
    r"could not (?:be )?broadcast|shapes? .{0,60}(?:incompatible|mismatch|not aligned)|size mismatch|out of bounds|"
    r"target \d+ is out|must have the same (?:first dimension|size)|incompatible shape",
    re.IGNORECASE,
)
_NO_GPU = re.compile(
    r"not compiled with CUDA|no NVIDIA driver|CUDA.{0,40}not available|no CUDA GPUs|GPU device not found", re.IGNORECASE
)
_TOO_FEW = re.compile(
    r"sum of input lengths|sample larger than population|larger sample than population|ran out of data", re.IGNORECASE
)


def for_cell(error: CellError) -> str:
    """What to do, as a sentence without a full stop; empty when there is no advice."""
    name, message = error.name.rpartition(".")[2], error.message
    if name == "StdinNotImplementedError":
        return advice("nobody-types")
    if name == "NotImplementedError":
        return advice("left-open")
    if name in _NETWORK or _NETWORK_WORDS.search(f"{message} {error.traceback[-600:]}"):
        return advice("no-network")
    if missing := _MISSING_MODULE.search(message):
        module = missing[1].split(".")[0]
        if "." in missing[1]:
            return advice("moved-name", name=missing[1])
        return advice("own-module" if _OWN.match(module.lower()) else "no-package", name=module)
    if name in ("ImportError", "AttributeError") and (gone := _MISSING_NAME.search(message)):
        return advice("moved-name", name=gone[1] or gone[2])
    if name == "NameError" and (undefined := _UNDEFINED.search(message)):
        return advice("not-written", name=undefined[1])
    if name in ("SyntaxError", "IndentationError", "TabError"):
        return advice("left-open" if re.search(r"_{3,}|\.{3,}", message + error.traceback) else "no-python")
    return _about_data(name, message)


def _about_data(name: str, message: str) -> str:
    if _NO_IMAGES.search(message):
        return advice("no-pictures")
    if name in ("FileNotFoundError", "NotADirectoryError", "NotFoundError") or "No such file" in message:
        found = _PATH.search(message) or _QUOTED.search(message)
        return advice("no-file", name=found[1] if found else "The file")
    if _NO_GPU.search(message):
        return advice("no-gpu")
    if _TOO_FEW.search(message):
        return advice("too-few-pictures")
    if _SHAPES.search(message):
        return advice("two-shapes")
    return ""
