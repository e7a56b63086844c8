"""`tf.keras.utils.get_file(...)` of a data set, `urlretrieve`, `kagglehub`: the file's place, without the download.

A published set that torchvision loads is asked for, as where nobody has downloaded it yet: it is then found where the
course gives it, or named as missing.
"""

from __future__ import annotations

import ast
import re

from .. import pretrained
from ..cell import Edit, calls, dotted, edited, keyword, span_of
from ..rule_context import Setting

TITLE = "A data set that Python would download is taken from where the assignment's images are put"
ON = True

_LONGEST = 400  # characters of a path
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.gz|tar\.bz2|tbz2)$", re.IGNORECASE)
_PUBLISHED = (
    "MNIST", "FashionMNIST", "KMNIST", "EMNIST", "QMNIST", "CIFAR10", "CIFAR100", "SVHN", "STL10", "USPS", "Caltech101",
    "Caltech256", "Flowers102", "OxfordIIITPet", "Food101", "DTD", "EuroSAT", "GTSRB", "FGVCAircraft", "Imagenette",
    "VOCDetection", "VOCSegmentation", "SEMEION", "RenderedSST2",
)  # fmt: skip
_KAGGLE = ("kagglehub.dataset_download", "kagglehub.competition_download")


def apply(source: str, setting: Setting) -> str:
    edits = []
    for call in calls(source, "get_file", "urlretrieve", "dataset_download", "competition_download", "login"):
        name = dotted(call.func)
        if any(_is_given(value) for value in (*call.args, *(word.value for word in call.keywords))):
            continue  # the file is already where the download looks for it
        if name.endswith("get_file") and setting.has_images and (place := _place(call, source)) is not None:
            setting.note("download-left-out", place)
            edits.append(Edit(span_of(source, call), repr(place)))
        elif name in _KAGGLE:
            setting.note("download-left-out", name)
            edits.append(Edit(span_of(source, call), repr(".")))
        elif name == "kagglehub.login":
            edits.append(Edit(span_of(source, call), "None"))
        elif name.endswith("urlretrieve") and call.args and _is_archive(call.args[0]):
            setting.note("download-left-out", str(_constant(call.args[0])))
            edits.append(Edit(span_of(source, call), "None"))
    for call in calls(source, *_PUBLISHED):
        if setting.mentions("torchvision") and not _is_here(call, setting):
            edits += _asking(source, call)
    return edited(source, edits)


def _is_here(call: ast.Call, setting: Setting) -> bool:
    """Whether the folder of the set was handed in."""
    root = _constant(call.args[0] if call.args else _value(call, "root"))
    return root is not None and len(root) < _LONGEST and (setting.here / root).is_dir()


def _asking(source: str, call: ast.Call) -> list[Edit]:
    """The call with `download=True`; as it is where it says more than a plain False."""
    if not call.args and not call.keywords:
        return []  # a class of the notebook's own
    given = keyword(call, "download")
    if given is not None:
        is_false = isinstance(given.value, ast.Constant) and given.value.value is False
        return [Edit(span_of(source, given.value), "True")] if is_false else []
    if any(word.arg is None for word in call.keywords) or len(call.args) > 1:
        return []  # it may stand among the values
    end = span_of(source, (call.keywords or call.args)[-1])[1]
    return [Edit((end, end), ", download=True")]


def _place(call: ast.Call, source: str) -> str | None:
    """Where `get_file` would put a data set; None for weights and for unknown arguments."""
    fname = _constant(call.args[0] if call.args else _value(call, "fname"))
    origin = _constant(call.args[1] if len(call.args) > 1 else _value(call, "origin"))
    unpacks = any(keyword(call, name) is not None for name in ("untar", "extract"))
    name = fname or (origin or "").rsplit("/", 1)[-1]
    if not name or not (unpacks or _ARCHIVE.search(name)):
        return None
    return _ARCHIVE.sub("", name) if keyword(call, "untar") is not None else name


def _value(call: ast.Call, name: str) -> ast.expr | None:
    given = keyword(call, name)
    return given.value if given else None


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_given(node: ast.expr) -> bool:
    address = _constant(node)
    return address is not None and pretrained.gives(address)


def _is_archive(node: ast.expr) -> bool:
    return bool(_ARCHIVE.search(_constant(node) or ""))
