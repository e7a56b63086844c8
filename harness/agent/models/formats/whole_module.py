"""A pickled torch model (`torch.save(model)`, `pickle.dump`). Unpickling runs the file's code."""

from __future__ import annotations

from pathlib import Path

from ..class_names import names_in
from ..loaded_model import Context, Native
from ..model_file import is_plain_state, is_torch_pickle
from ..model_py import import_factory
from ..torch_models import native, to_onnx, torch_ready
from .state_dict import from_tensors

__all__ = ["load", "matches", "to_onnx"]


def matches(file: Path) -> bool:
    return is_torch_pickle(file) and not is_plain_state(file)


def load(file: Path, context: Context) -> Native:
    torch = torch_ready(context.threads)
    import torchvision  # noqa: F401  # before unpickling its classes

    from ..checkpoints import model_or_state
    from ..unpickling import unpickled

    import_factory(context.factory)
    loaded = unpickled(file)
    found = model_or_state(loaded)
    names = names_in(loaded)
    if isinstance(found, torch.nn.Module):
        return native(found.float().eval(), context, size=None, names=names or names_in(vars(found)))
    return from_tensors(found, context, names)
