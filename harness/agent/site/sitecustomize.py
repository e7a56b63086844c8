"""In a notebook's kernel: `import torchvision` works on any torch. Costs nothing where it is not imported."""

import importlib.util
import sys
from pathlib import Path

_OPERATORS = Path(__file__).resolve().parent.parent / "agent" / "torchvision_ops.py"


class _BeforeTorchvision:
    """Declares torchvision's missing operators when torchvision is first looked for."""

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            spec = importlib.util.spec_from_file_location("_torchvision_ops", _OPERATORS)
            operators = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = operators
            spec.loader.exec_module(operators)
            operators.declare_missing()


sys.meta_path.insert(0, _BeforeTorchvision())
