"""Runs in a notebook's kernel after its last cell: saves the models whose weights it saved, as whole models.

A notebook that saves weights alone (`torch.save(model.state_dict(), ...)`, `save_weights_only=True`) has the model that
they belong to, with classes of its own, only here. What comes of this is as much the student's as the weights are.

As a program it imports nothing of the agent; `harness/agent/phases/execute.py` starts it.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_SIDES = (224, 299, 256, 192, 180, 160, 150, 128, 112, 100, 96, 64, 48, 32, 28)  # pixels, the usual one first
_MOST_MODELS = 60  # of the kernel's objects that are compared with a file


def save_whole(files: Sequence[str], folder: str) -> None:
    """Write a whole model to `folder` for each of the files that holds weights of a model in this process.

    Which file became which stands in `whole.json` there, a dict of paths.
    """
    made: dict[str, str] = {}
    for number, file in enumerate(files):
        target = Path(folder, f"{number}")
        for whole in (_of_torch, _of_keras):
            with contextlib.suppress(Exception):  # whatever the student's classes raise
                if done := whole(file, target):
                    made[file] = str(done)
                    break
    Path(folder, "whole.json").write_text(json.dumps(made))


def _models(kind: type) -> Iterator[Any]:
    """The objects of this kind: the notebook's own variables, then what its functions left behind."""
    named = [value for value in vars(sys.modules["__main__"]).values() if isinstance(value, kind)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        others = [value for value in gc.get_objects() if isinstance(value, kind)]
    seen = set[int]()
    for value in (*reversed(named), *others):
        if id(value) not in seen and len(seen) < _MOST_MODELS:
            seen.add(id(value))
            yield value


def _of_torch(file: str, target: Path) -> Path | None:
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    state = _state(torch.load(file, map_location="cpu", weights_only=False))
    if not state:
        return None
    for module in _models(torch.nn.Module):
        own = module.state_dict()
        if own.keys() != state.keys() or any(own[name].shape != state[name].shape for name in own):
            continue
        model = copy.deepcopy(module).cpu().float().eval()
        model.load_state_dict(state)
        for side in _SIDES:
            with contextlib.suppress(Exception), warnings.catch_warnings(), torch.inference_mode():
                warnings.simplefilter("ignore")
                script = torch.jit.trace(model, torch.zeros(1, 3, side, side), check_trace=False, strict=False)
                done = target.with_suffix(".pt")
                torch.jit.save(script, str(done))
                return done
    return None


def _state(loaded: Any) -> Mapping[str, Any] | None:
    """The tensors by name, also inside a checkpoint."""
    if not isinstance(loaded, Mapping):
        return None
    if loaded and all(hasattr(value, "shape") for value in loaded.values()):
        return loaded
    inside = [value for value in loaded.values() if isinstance(value, Mapping)]
    return next((found for one in inside if (found := _state(one))), None)


def _of_keras(file: str, target: Path) -> Path | None:
    keras = sys.modules.get("keras")
    if keras is None:
        return None
    for model in _models(keras.Model):
        if not model.built or not getattr(model, "inputs", None):
            continue
        with contextlib.suppress(Exception):
            model.load_weights(file)
            done = target.with_suffix(".keras")
            model.save(str(done))
            return done
    return None
