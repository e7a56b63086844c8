"""In a notebook's kernel, and free of charge where they are not imported: `import torchvision` works on any torch,
and Keras takes the pre-trained weights that were put into ~/.keras/models as they are.
"""

import importlib.util
import sys
from pathlib import Path

_OPERATORS = Path(__file__).resolve().parent.parent / "agent" / "torchvision_ops.py"
_GET_FILE = ("keras.src.utils.file_utils", "tf_keras.src.utils.data_utils")


class _BeforeTorchvision:
    """Declares torchvision's missing operators when torchvision is first looked for."""

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision" and importlib.util.find_spec("torch"):
            sys.meta_path.remove(self)
            spec = importlib.util.spec_from_file_location("_torchvision_ops", _OPERATORS)
            operators = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = operators
            spec.loader.exec_module(operators)
            operators.declare_missing()


class _AfterKerasFiles:
    """Lets `get_file` give what lies in ~/.keras/models without a hash: weights were checked when they came in,
    and what stands in for a file has another hash."""

    def find_spec(self, name, path=None, target=None):
        if name not in _GET_FILE:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                module.get_file = _from_models(module.get_file)

            spec.loader.exec_module = exec_module
        return spec


def _from_models(get_file):
    def given(fname=None, origin=None, *rest, cache_subdir="datasets", **options):
        name = Path(str(fname or origin)).name
        here = Path.home() / ".keras" / "models" / name
        if cache_subdir == "models" and here.is_file():
            return str(here)
        return get_file(fname, origin, *rest, cache_subdir=cache_subdir, **options)

    return given


sys.meta_path[:0] = [_BeforeTorchvision(), _AfterKerasFiles()]
