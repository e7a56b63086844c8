"""TorchScript (`torch.jit.save`): it carries its own code."""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from ...paths import TMP
from ...phases.error_text import one_sentence
from ..class_names import names_in_extras
from ..loaded_model import Context, Native, Unusable
from ..model_file import has_member, zip_members
from ..torch_models import export_module, native, torch_ready

_OPERATOR = re.compile(r"Unknown builtin op: ([\w:]{1,80})")
_ON_A_CARD = re.compile(rb"torch\.device\(\"(?:cuda|mps)(?::\d+)?\"\)")  # as the code in the file says it


def matches(file: Path) -> bool:
    return has_member(file, "data.pkl", "constants.pkl")


def load(file: Path, context: Context) -> Native:
    torch = torch_ready(context.threads)
    names = names_in_extras(file)
    try:
        read = _for_the_processor(file)
        script = torch.jit.load(str(read), map_location="cpu").eval()
        return _ready(script, context, names, lambda: torch.jit.load(str(read), map_location="cpu").eval())
    except (RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise Unusable(_why(str(error))) from error


def _why(said: str) -> str:
    """Why torch does not take the script, and what to do."""
    if own := _OPERATOR.search(said):
        return f"it needs the operator {own[1]} of another package, which is not here; save it as ONNX"
    if "PytorchStreamReader" in said or "zip" in said or "unexpected EOF" in said:
        return "the file is cut off or damaged; save or upload it again"
    return f"torch.jit.load cannot read it ({one_sentence(said)}); save it again, or as ONNX"


def _ready(script: Any, context: Context, names: tuple[str, ...], again: Any) -> Native:
    """The script in float32 or, where its code says another type, in the type that it was saved in."""
    kind = next((p.dtype for p in script.parameters() if p.is_floating_point()), None)
    try:
        return native(script.float(), context, size=None, names=names)
    except Unusable:
        if kind is None or str(kind) == "torch.float32":
            raise
        return native(again(), context, size=None, names=names, dtype=kind)


def _for_the_processor(file: Path) -> Path:
    """The file or, if its code names a graphics card, a copy whose code names the processor."""
    code = [name for name in zip_members(file) if name.endswith(".py")]
    with zipfile.ZipFile(file) as archive:
        if not any(_ON_A_CARD.search(archive.read(name)) for name in code):
            return file
        handle, name = tempfile.mkstemp(".pt", "processor-", TMP)
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as copy:
            for member in archive.infolist():
                content = archive.read(member)
                if member.filename in code:
                    content = _ON_A_CARD.sub(b'torch.device("cpu")', content)
                copy.writestr(member.filename, content)
    return Path(name)


def to_onnx(native: Native, out: Path) -> None:
    export_module(native, out)
