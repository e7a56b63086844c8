"""A pickled torch model (`torch.save(model)`, `pickle.dump`). Unpickling runs the file's code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from ..loaded_model import Context, Native, Unusable
from ..model_file import head, is_plain_state, is_torch_pickle
from ..torch_models import import_factory, native, to_onnx, torch_ready, unwrapped
from .state_dict import from_tensors

__all__ = ["load", "matches", "to_onnx"]


def matches(file: Path) -> bool:
    return is_torch_pickle(file) and not is_plain_state(file)


def load(file: Path, context: Context) -> Native:
    torch = torch_ready(context.threads)
    import torchvision  # noqa: F401  # before unpickling its classes

    import_factory(context.factory)
    loaded = unwrapped(_unpickled(torch, file))
    if isinstance(loaded, torch.nn.Module):
        return native(loaded.float().eval(), context, size=None)
    return from_tensors(loaded, context)


def _unpickled(torch: Any, file: Path) -> Any:
    try:
        try:
            return torch.load(file, map_location="cpu", weights_only=False)
        except (RuntimeError, pickle.UnpicklingError):
            if head(file, 1) != b"\x80":
                raise
            with file.open("rb") as stream:
                return pickle.load(stream)
    except AttributeError as error:
        raise Unusable(
            f"a class of the model is not to be found ({error}); hand in model.py that defines it, "
            "or save the model as ONNX or TorchScript"
        ) from error
    except ModuleNotFoundError as error:
        raise Unusable(
            f"the pickle needs the module {error.name}, which is not here; save the model as ONNX or TorchScript"
        ) from error
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise Unusable(f"the file is cut off or damaged ({str(error)[:150]}); save it again") from error
