"""Imports Keras and TensorFlow without what they use for plots, notebooks and tables only.

Keras tries these libraries while it is imported and goes on without them. Where they are installed, they took half of
the processor's time that reading a small Keras model takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NOT_NEEDED = ("IPython", "cv2", "matplotlib", "mpl_toolkits", "pandas", "sklearn")


@contextmanager
def lean() -> Iterator[None]:
    """Let imports of these libraries fail meanwhile, unless they are loaded; afterwards they can be imported."""
    absent = [name for name in _NOT_NEEDED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # Python's way to say that there is none
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
