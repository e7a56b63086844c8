"""Which folders of the host a hand-in's Python needs, and which parts of them it must not see."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
import sysconfig
from pathlib import Path

_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")  # to /usr, or folders of their own
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "share", "include")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "mime.types")
# Of an installation of Python; never the whole folder, which may be somebody's home, project or course.
_INSTALLATION = (*_SYSTEM, "pyvenv.cfg", "ssl", "etc/fonts", "etc/jupyter")


def system_folders() -> list[Path]:
    """The system's own folders of programs and libraries, links among them (merged /usr)."""
    wanted = [Path("/usr", name) for name in _SYSTEM] + [Path("/usr/local", name) for name in _SYSTEM]
    wanted += [*Path("/usr/local").glob("cuda*"), *map(Path, _LINKS)]
    return [path for path in wanted if path.exists()]


def etc_files() -> list[Path]:
    """What programs need of /etc; nothing in it is secret."""
    return [Path("/etc", name) for name in _ETC if Path("/etc", name).exists()]


def python_paths() -> list[Path]:
    """The interpreter's installation and the virtual environment, beside the system's own folders."""
    real = Path(sys.executable).resolve()
    homes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve(), real.parent.parent}
    system = system_folders()
    wanted = [home / name for home in sorted(homes, key=lambda path: len(path.parts)) for name in _INSTALLATION]
    return [path for path in wanted if path.exists() and not any(path.is_relative_to(known) for known in system)]


def masked_folders() -> list[Path]:
    """The harness itself where it is installed: hand-ins must not see it."""
    hidden = []
    for packages in _site_packages():
        hidden += [packages / "harness", *packages.glob("transfer_harness-*.dist-info")]
    return [folder for folder in hidden if folder.is_dir()]


def masked_files() -> list[Path]:
    """What says where the harness and its user's other folders are: the command, and .pth files to elsewhere."""
    inside = [*python_paths(), *system_folders()]
    hidden = [folder / "harness" for folder in {Path(sys.prefix, "bin"), Path(sysconfig.get_path("scripts"))}]
    for packages in _site_packages():
        for file in packages.glob("*.pth"):
            named = [Path(line) for line in file.read_text(errors="replace").splitlines() if line.startswith("/")]
            if any(not any(path.is_relative_to(known) for known in inside) for path in named):
                hidden.append(file)
    return [file for file in hidden if file.is_file()]


def _site_packages() -> list[Path]:
    return list(dict.fromkeys(Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")))


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
