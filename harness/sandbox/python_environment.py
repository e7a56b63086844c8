"""Which folders of the host a hand-in's Python needs, and which parts of them it must not see."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
import sysconfig
from pathlib import Path

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "mime.types")


def system_folders() -> list[Path]:
    """The system's own folders, links among them (merged /usr)."""
    return [Path(name) for name in _SYSTEM if Path(name).exists()]


def etc_files() -> list[Path]:
    """What programs need of /etc; nothing in it is secret."""
    return [Path("/etc", name) for name in _ETC if Path("/etc", name).exists()]


def python_folders() -> list[Path]:
    """The interpreter's installation and the virtual environment, outermost first, beside the system's."""
    real = Path(sys.executable).resolve()
    wanted = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve(), real.parent.parent}
    kept = [
        folder
        for folder in sorted(wanted, key=lambda path: len(path.parts))
        if not any(folder.is_relative_to(system) for system in _SYSTEM)
    ]
    if any(folder == Path("/") for folder in kept):
        raise RuntimeError("the Python installation is the whole file system")
    return kept


def masked_folders() -> list[Path]:
    """The harness itself where it is installed: hand-ins must not see it."""
    hidden = []
    for key in ("purelib", "platlib"):
        packages = Path(sysconfig.get_path(key))
        hidden += [packages / "harness", *packages.glob("transfer_harness-*.dist-info")]
    return [folder for folder in dict.fromkeys(hidden) if folder.is_dir()]


def environment_id() -> str:
    """The hash of the Python version and of every installed distribution but the harness."""
    installed = {
        f"{distribution.metadata['Name']}=={distribution.version}".lower()
        for distribution in importlib.metadata.distributions()
        if distribution.metadata["Name"] != "transfer-harness"
    }
    text = "\n".join([platform.python_version(), platform.machine(), *sorted(installed)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def missing_packages() -> list[str]:
    """What a hand-in needs and this Python lacks."""
    needed = ("torch", "torchvision", "onnx", "onnxruntime", "nbclient", "ipykernel")
    found = {str(d.metadata["Name"]).lower() for d in importlib.metadata.distributions()}
    return [name for name in needed if name not in found]
