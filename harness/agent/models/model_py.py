"""The student's model.py: importing it, calling build_model, and saying what is wrong with it in one sentence."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..phases.error_text import one_sentence
from .loaded_model import Unusable

_NAME = "model.py"
_TRIED = 30  # files that a line is looked for in, from where it stopped


def import_factory(factory: Path | None) -> Any:
    """The student's model.py as the module `model`; its classes are put into `__main__` too.

    A notebook pickles its classes as `__main__.Name`. Raises `Unusable` when it does not run.
    """
    if factory is None:
        return None
    spec = importlib.util.spec_from_file_location("model", factory)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["model"] = module
    with _told("it"):
        spec.loader.exec_module(module)
    main = sys.modules["__main__"]
    for name, value in vars(module).items():
        if not hasattr(main, name):
            setattr(main, name, value)
    return module


def build_model(module: Any) -> Callable[[int], Any]:
    """The module's function. Raises `Unusable` when there is none, or when it does not take one argument."""
    build = getattr(module, "build_model", None)
    if not callable(build):
        raise Unusable("model.py has no function build_model(num_classes); add one that returns the model")
    try:
        inspect.signature(build).bind(2)
    except TypeError as error:
        raise Unusable(
            f"build_model in model.py is called as build_model(num_classes), which it does not allow ({error}); give "
            "its other arguments defaults"
        ) from error
    except ValueError:  # of a function written in C
        pass
    return build  # type: ignore[no-any-return]


def built(torch: Any, build: Callable[[int], Any], classes: int, seed: int) -> Any:
    """The module that `build` gives after `seed`. Raises `Unusable` when it gives none."""
    torch.manual_seed(seed)
    with _told(f"build_model({classes})"):
        model = build(classes)
    if not isinstance(model, torch.nn.Module):
        given = "nothing (is there a return?)" if model is None else f"a {type(model).__name__}"
        raise Unusable(f"build_model({classes}) in model.py gave {given}; it must return a torch.nn.Module")
    return model


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Raises `Unusable` for what model.py raises. `what`: what was being done with it."""
    try:
        yield
    except Unusable:
        raise
    except (Exception, SystemExit) as error:
        raise Unusable(_why(error, what)) from error


def _why(error: BaseException, what: str) -> str:
    """Why model.py cannot be used, and what to do."""
    where = _line(error)
    if isinstance(error, SyntaxError):
        at = f" in line {error.lineno}" if error.lineno else ""
        return f"model.py is not valid Python{at} ({error.msg}); correct it, and try it with python model.py"
    if isinstance(error, SystemExit):
        return f"model.py ends the program{where} (exit); take that out, it must only define build_model"
    if isinstance(error, ImportError) and "relative import" in str(error):
        return f"model.py imports another file of the submission{where}; put what it needs into model.py itself"
    if isinstance(error, ModuleNotFoundError):
        return (
            f"model.py imports {error.name}{where}, and that is not here; build the model with torch and torchvision "
            "alone, put code of your own into model.py itself, or save the model as ONNX"
        )
    said = one_sentence(str(error), 120)
    if isinstance(error, OSError):
        subject = "model.py" if what == "it" else what
        return (
            f"{subject} tried{where} to read or download something that is not there ({said}); use weights=None in "
            "model.py, the handed-in weights replace them"
        )
    if "CUDA" in said or "NVIDIA" in said:
        return f"model.py needs a graphics card{where}, and there is none here; build the model without .cuda()"
    called = "" if what == "it" else f"{what} in "
    name = type(error).__name__
    what_it_said = f": {said}" if said else ""
    return f"{called}model.py stopped{where} with {name}{what_it_said}; correct it, or save the model as ONNX"


def _line(error: BaseException) -> str:
    """The last line of model.py that ran; empty where none did."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames[-_TRIED:] if Path(frame.filename).name == _NAME]
    return f" in line {lines[-1]}" if lines else ""
