"""`matplotlib.use('TkAgg')`, `plt.switch_backend(...)`: windows that nobody would see."""

from __future__ import annotations

import ast

from ..cell import Edit, calls, dotted, edited, span_of
from ..rule_context import Setting

TITLE = "Plots go into the notebook, not into windows"
ON = True


def apply(source: str, setting: Setting) -> str:
    found = [
        call
        for call in calls(source, "use", "switch_backend")
        if dotted(call.func) in ("matplotlib.use", "mpl.use", "plt.switch_backend", "matplotlib.pyplot.switch_backend")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and str(call.args[0].value).lower() not in ("agg", "inline", "module://matplotlib_inline.backend_inline")
    ]
    return edited(source, [Edit(span_of(source, call), "None") for call in found])
