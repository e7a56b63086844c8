"""Magics of other front ends: Colab's, TensorBoard's, interactive plots, debuggers."""

from __future__ import annotations

import re

from ..cell import comment_out
from ..rule_context import Setting

TITLE = "Magics that need another front end are left out, and interactive plots become images in the page"
ON = True

_GONE = re.compile(
    r"^([ \t]*)(%(?:tensorflow_version|tensorboard|reload_ext|debug|pdb|qtconsole|connect_info|notebook|gui|"
    r"load_ext\s+(?:tensorboard|google\.\S+|nb_black|lab_black|jupyternotify|watermark|autotime|cudf\S*)|watermark|"
    r"nvidia|env\s+CUDA\S*)\b.*)$",
    re.MULTILINE,
)
_PLOTS = re.compile(r"^([ \t]*)%(?:matplotlib|pylab)[ \t]+(?!inline|agg|--list)(\S+)(.*)$", re.MULTILINE)
_CELL = re.compile(r"^\s*(%%(?:tensorflow_version|notify|wandb|configure|debug)\b.*)(?=\n)")


def apply(source: str, setting: Setting) -> str:
    source = _CELL.sub(r"# not run: \1", source)
    source = _PLOTS.sub(r"\1%matplotlib inline", source)
    return _GONE.sub(lambda found: found[1] + comment_out(found[2]), source)
