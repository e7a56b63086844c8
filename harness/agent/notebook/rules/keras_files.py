"""The names of Keras' files: Keras 3 refuses what Keras 2 wrote under any name.

    save_weights, ModelCheckpoint(save_weights_only=True)    NAME.weights.h5
    save, save_model, ModelCheckpoint                        NAME.keras, NAME.h5

A name with a suffix is changed wherever the notebook gives it, so that what is saved is found again; one without could
be anything else, a folder too, so it is changed where a model is saved and loaded. Names are followed through
variables, f-strings, `+`, `/` and `os.path.join`, of which the last part counts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..cell import Edit, calls, dotted, edited, keyword, last_name, nodes, span_of, text_of, without
from ..rule_context import Setting

TITLE = "Files of Keras models have the names that Keras 3 takes: NAME.weights.h5 for weights, NAME.keras for a model"
ON = True

_WEIGHTS, _MODEL = ".weights.h5", ".keras"
_READERS = ("load_weights", "load_model")
_CHECKPOINTS = re.compile(r"^tf\.train\.latest_checkpoint$|^tensorflow\.train\.latest_checkpoint$")
_NEWEST = "max(__import__('glob').glob(f'{{{}}}/*.weights.h5'), default=None, key=__import__('os').path.getmtime)"
_OLD = re.compile(r"(?:\.weights)?\.(?:h5|hdf5|hdf|ckpt|keras|tf|weights|model)$", re.IGNORECASE)
_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,9}$")
_KERAS = ("keras", "tensorflow", "tf.")
_KERAS_2 = ("tf_keras", "TF_USE_LEGACY_KERAS")
_DEEPEST = 20


def apply(source: str, setting: Setting) -> str:
    if not any(map(setting.mentions, _KERAS)) or any(map(setting.mentions, _KERAS_2)):
        return source
    assigned = _assigned(setting.sources)
    names = _renamed(setting.sources, assigned)
    edits = [
        Edit(span_of(source, node), _literal(source, node, text, names[text]))
        for node, text in _whole_strings(source)
        if text in names and _SUFFIX.search(text)
    ]
    for node in nodes(source):
        if (
            isinstance(node, ast.JoinedStr)
            and (last := _last(node)) is not None
            and last in names
            and _SUFFIX.search(last)
        ):
            edits.append(Edit(span_of(source, node), _formatted(source, node, last, names[last])))
    for call in (*calls(source, "save", "save_model", "save_weights"), *calls(source, "ModelCheckpoint")):
        edits += without(source, call, "save_format", "save_traces", "period")
    paths = [path for path, _, _ in _written(source)]
    paths += [call.args[0] for call in calls(source, *_READERS) if call.args]
    for path in paths:
        if bare := [last for last in _ends(path, assigned) if last in names and not _SUFFIX.search(last)]:
            edits.append(
                Edit(span_of(source, path), _longer(source, path, names[bare[0]].removeprefix(bare[0].rstrip("/"))))
            )
    if any(new.endswith(_WEIGHTS) for new in names.values()):
        for call in calls(source, "latest_checkpoint"):
            if _CHECKPOINTS.match(dotted(call.func)) and call.args and "'" not in text_of(source, call.args[0]):
                edits.append(Edit(span_of(source, call), _NEWEST.format(text_of(source, call.args[0]))))
    return edited(source, edits)


def _assigned(sources: tuple[str, ...]) -> dict[str, list[ast.expr]]:
    """Name -> the values that the notebook gives it."""
    found: dict[str, list[ast.expr]] = {}
    for source in sources:
        for node in nodes(source):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Attribute):
                found.setdefault(last_name(node.targets[0]), []).append(node.value)
    return found


def _renamed(sources: tuple[str, ...], assigned: dict[str, list[ast.expr]]) -> dict[str, str]:
    """The last part of a written file's name -> what Keras 3 takes in its place."""
    names: dict[str, str] = {}
    for source in sources:
        for path, suffix, asked in _written(source):
            for last in _ends(path, assigned):
                new = _taken(last, suffix, asked)
                if new != last:
                    names[last] = new
    return names


def _written(source: str) -> Iterator[tuple[ast.expr, str, str]]:
    """(path, suffix that Keras 3 asks for, `save_format`) of each call that writes a file."""
    for call in calls(source, "save_weights", "ModelCheckpoint", "save_model", "save"):
        name = last_name(call.func)
        position = 1 if name == "save_model" else 0
        given = next((word for key in ("filepath", "path") if (word := keyword(call, key)) is not None), None)
        path = given.value if given is not None else call.args[position] if len(call.args) > position else None
        if path is None or (name == "save" and not _is_model(call)):
            continue
        form = keyword(call, "save_format")
        asked = str(form.value.value) if form is not None and isinstance(form.value, ast.Constant) else ""
        only = keyword(call, "save_weights_only")
        weights = name == "save_weights" or (
            only is not None and isinstance(only.value, ast.Constant) and only.value.value is True
        )
        yield path, _WEIGHTS if weights else ".h5" if name == "ModelCheckpoint" else _MODEL, asked


def _is_model(call: ast.Call) -> bool:
    """Whether `x.save(...)` saves a Keras model, as far as its name tells."""
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = dotted(call.func.value).lower()
    return "model" in owner or last_name(call.func.value).lower() in ("net", "network", "classifier", "cnn", "vgg")


def _taken(name: str, suffix: str, asked: str) -> str:
    """The name that Keras 3 takes; the same where it takes that one.

    `suffix`: `.weights.h5`; `.h5` of a checkpoint, which may also be `.keras`; or `.keras` of a saved model.
    """
    if name.endswith(suffix) or (suffix != _WEIGHTS and name.endswith((".h5", _MODEL))):
        return name
    is_old = bool(_OLD.search(name))
    if suffix == _MODEL and (name.endswith(".hdf5") or (_SUFFIX.search(name) and not is_old)):
        return name  # what Keras takes, or no model
    if suffix == ".h5" and not re.search(r"\.hdf5?$", name, re.IGNORECASE):
        suffix = _MODEL
    if suffix == _MODEL and asked == "h5":
        suffix = ".h5"
    return (_OLD.sub("", name) if is_old else name.rstrip("/")) + suffix


def _longer(source: str, path: ast.expr, suffix: str) -> str:
    """The path with a suffix."""
    if isinstance(path, ast.Constant) and isinstance(path.value, str):
        return repr(path.value.rstrip("/") + suffix)
    return f"str({text_of(source, path)}) + {suffix!r}"


def _ends(path: ast.expr, assigned: dict[str, list[ast.expr]], depth: int = 0) -> Iterator[str]:
    """The last constant part of a path, of every value that the notebook gives it."""
    if depth > _DEEPEST:
        return
    match path:
        case ast.Constant(value=str() as text) if text and "\n" not in text:
            yield text
        case ast.Name() | ast.Attribute():
            for value in assigned.get(last_name(path), ())[:_DEEPEST]:
                yield from _ends(value, assigned, depth + 1)
        case ast.BinOp(right=right, op=ast.Add() | ast.Div()):
            yield from _ends(right, assigned, depth + 1)
        case ast.BinOp(left=left, op=ast.Mod()):
            yield from _ends(left, assigned, depth + 1)
        case ast.JoinedStr():
            if (last := _last(path)) is not None:
                yield last
        case ast.Call(func=func, args=[*_, last_given]) if last_name(func) in ("join", "joinpath", "str", "Path"):
            yield from _ends(last_given, assigned, depth + 1)
        case ast.Call(func=ast.Attribute(attr="format", value=text)):
            yield from _ends(text, assigned, depth + 1)


def _last(node: ast.JoinedStr) -> str | None:
    """The constant at the end of an f-string."""
    last = node.values[-1] if node.values else None
    return last.value if isinstance(last, ast.Constant) and isinstance(last.value, str) else None


def _whole_strings(source: str) -> Iterator[tuple[ast.Constant, str]]:
    """String constants, without the parts of f-strings."""
    parts = {id(part) for node in nodes(source) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in nodes(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node, node.value


def _literal(source: str, node: ast.Constant, text: str, new: str) -> str:
    """The new string, in the quotes of the old one where it is written plainly."""
    old = text_of(source, node)
    return old.replace(text, new) if old.count(text) == 1 else repr(new)


def _formatted(source: str, node: ast.JoinedStr, old: str, new: str) -> str:
    before, found, after = text_of(source, node).rpartition(old)
    return f"{before}{new}{after}" if found else text_of(source, node)
