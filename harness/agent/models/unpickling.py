"""Unpickles a torch file, also where classes in it are not installed or have another name by now.

A stand-in takes the place of a class that is not there, so that a state dict beside somebody's settings or optimizer
still loads. A stand-in is never a model: what is left of one says which class was missing.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import io
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import torch

from .loaded_model import Unusable
from .model_file import head, is_old_torch

_DAMAGED = "the file is cut off or damaged; save or upload it again"
# Classes that torchvision has renamed or moved since, whose parts and forward are the same.
_NOW = {
    "ConvBNReLU": ("torchvision.ops.misc", "Conv2dNormActivation"),
    "ConvBNActivation": ("torchvision.ops.misc", "Conv2dNormActivation"),
    "ConvNormActivation": ("torchvision.ops.misc", "Conv2dNormActivation"),
    "BasicConv2d": ("torchvision.models.googlenet", "BasicConv2d"),
}
_WHERE = (  # where torchvision's classes are by now, for a path that is no more
    "mobilenetv2", "mobilenetv3", "resnet", "densenet", "googlenet", "inception", "vgg", "alexnet", "squeezenet",
    "shufflenetv2", "mnasnet", "efficientnet", "convnext", "regnet", "vision_transformer", "swin_transformer",
)  # fmt: skip
_WRAPPERS = {
    ("torch.nn.parallel.data_parallel", "DataParallel"),
    ("torch.nn.parallel.distributed", "DistributedDataParallel"),
    ("torch._dynamo.eval_frame", "OptimizedModule"),
}
_OURS = ("torch.", "torchvision.", "timm.")
_PLAIN = (type(None), bool, int, float, str, tuple)


class StandIn(Mapping[Any, Any]):
    """In place of an object whose class is not there: holds what the pickle gives it, and can be looked through."""

    missing: ClassVar[tuple[str, str]] = ("", "")  # the class's module and name

    def __new__(cls, *_: Any, **__: Any) -> StandIn:
        made = super().__new__(cls)
        made.held = {}
        return made

    held: dict[Any, Any]

    def __init__(self, *_: Any, **__: Any) -> None:
        """Takes what the class took."""

    def __setstate__(self, state: Any) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.held.update(part)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.held[key] = value

    def __getitem__(self, key: Any) -> Any:
        return self.held[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def __hash__(self) -> int:
        return id(self)

    @property
    def is_module(self) -> bool:
        """Whether the class was a `torch.nn.Module`: then it is a model, or a part of one."""
        return "_modules" in self.held or "_parameters" in self.held

    def append(self, value: Any) -> None:
        """As a list, whose subclass it may be."""
        self.held[len(self.held)] = value

    def extend(self, values: Any) -> None:
        """Likewise."""
        for value in values:
            self.append(value)

    add = append


def needed(absent: StandIn) -> str:
    """Why the model cannot be used without the class."""
    module, name = absent.missing
    package = module.partition(".")[0]
    if package in ("__main__", "model", "builtins") or _is_here(package):
        return (
            f"a class of the model is not to be found ({name}, of {module}); hand in model.py that defines it, or save "
            "the model as ONNX or TorchScript"
        )
    return (
        f"it was made with {package}: the pickle needs the module {module}, which is not here; save the model as ONNX "
        "or TorchScript"
    )


def _is_here(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


class Wrapped(torch.nn.Module):
    """In place of DataParallel, DistributedDataParallel and torch.compile's module, which need cards or processes."""

    def __init__(self, module: Any = None, *_: Any, **__: Any) -> None:
        super().__init__()
        if module is not None:
            self._modules["module"] = module

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def inner(self) -> Any:
        """The module inside."""
        found = self._modules.get("module") or self._modules.get("_orig_mod") or self.__dict__.get("_orig_mod")
        if found is None:
            raise Unusable("the file holds a wrapper without the model inside; save model.module or its state dict")
        return found


class _Unpickler(pickle.Unpickler):
    """Finds classes under their new names, and makes stand-ins for those that are not there."""

    def find_class(self, module: str, name: str) -> Any:
        """The class or function. Never fails: a class that is not there becomes a stand-in of its own."""
        if (module, name) in _WRAPPERS:
            return Wrapped
        if (module, name) == ("torch.storage", "_load_from_bytes"):  # how pickle.dump keeps a tensor
            return _from_bytes
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            found = _renamed(module, name)
        return found if found is not None else type(name, (StandIn,), {"missing": (module, name)})


def _from_bytes(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)


def _renamed(module: str, name: str) -> Any:
    """torchvision's class under the name that it has by now; None for any other."""
    if not module.startswith("torchvision."):
        return None
    places = [_NOW[name]] if name in _NOW else [(f"torchvision.models.{where}", name) for where in _WHERE]
    for place, called in places:
        try:
            return getattr(importlib.import_module(place), called)
        except (ImportError, AttributeError):
            continue
    return None


def unpickled(file: Path) -> Any:
    """What `torch.save` or `pickle.dump` put into the file, on the processor. Runs the file's code.

    Raises `Unusable` when it is damaged, and what the student's own code raises.
    """
    try:
        return _read(file)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, UnicodeDecodeError, KeyError) as error:
        raise Unusable(_DAMAGED) from error


def _read(file: Path) -> Any:
    ours = SimpleNamespace(Unpickler=_Unpickler, load=_load, __name__="pickle")
    try:
        return torch.load(file, map_location="cpu", weights_only=False, pickle_module=ours)
    except UnicodeDecodeError:  # of Python 2
        return torch.load(file, map_location="cpu", weights_only=False, pickle_module=ours, encoding="latin1")
    except (RuntimeError, pickle.UnpicklingError):
        if head(file, 1) != b"\x80" or is_old_torch(file):  # whose first pickle is a number, and no model
            raise
        with file.open("rb") as stream:
            return _Unpickler(stream).load()


def _load(stream: Any, **options: Any) -> Any:
    return _Unpickler(stream, **options).load()


def complete(part: torch.nn.Module) -> None:
    """Set what newer versions of torch and torchvision expect in their modules and older ones did not set."""
    kind = type(part)
    if not kind.__module__.startswith(_OURS):
        return
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if isinstance(parameter.default, _PLAIN) and not hasattr(part, name):
            part.__dict__[name] = parameter.default
    # Before torchvision 0.3 these had no pooling before the classifier; for the usual size it changes nothing.
    side = {"AlexNet": 6, "VGG": 7}.get(kind.__name__)
    if side and "avgpool" not in part._modules:
        part._modules["avgpool"] = torch.nn.AdaptiveAvgPool2d(side)
