"""A Python installation that hand-ins run with: which folders of the host it needs, and what it must not show."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
import sysconfig
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "mime.types")


def system_folders() -> list[Path]:
    """The system's own folders, links among them (merged /usr)."""
    return [Path(name) for name in _SYSTEM if Path(name).exists()]


def etc_files() -> list[Path]:
    """What programs need of /etc; nothing in it is secret."""
    return [Path("/etc", name) for name in _ETC if Path("/etc", name).exists()]


@dataclass(frozen=True)
class PythonEnvironment:
    """A virtual environment, or the installation that the harness itself runs in."""

    prefix: Path

    @property
    def python(self) -> Path:
        """The interpreter."""
        return Path(sys.executable) if self._is_own else self.prefix / "bin" / "python"

    @property
    def _is_own(self) -> bool:
        return self.prefix == Path(sys.prefix)

    def folders(self) -> list[Path]:
        """The interpreter's installation and the virtual environment, outermost first, beside the system's."""
        real = self.python.resolve()
        wanted = {self.prefix, Path(sys.base_prefix), Path(sys.base_prefix).resolve(), real.parent.parent}
        kept = [
            folder
            for folder in sorted(wanted, key=lambda path: len(path.parts))
            if not any(folder.is_relative_to(system) for system in _SYSTEM)
        ]
        if any(folder == Path("/") for folder in kept):
            raise RuntimeError("the Python installation is the whole file system")
        return kept

    def masked_folders(self) -> list[Path]:
        """The harness itself where it is installed in one of `folders`: hand-ins must not see it."""
        hidden = []
        for key in ("purelib", "platlib"):
            packages = Path(sysconfig.get_path(key))
            hidden += [packages / "harness", *packages.glob("transfer_harness-*.dist-info")]
        shown = (*self.folders(), *system_folders())
        return [
            folder
            for folder in dict.fromkeys(hidden)
            if folder.is_dir() and any(folder.is_relative_to(place) for place in shown)
        ]

    @cached_property
    def id(self) -> str:
        """The hash of the Python version and of every installed distribution but the harness."""
        text = "\n".join([platform.python_version(), platform.machine(), *sorted(self._installed())])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _installed(self) -> set[str]:
        return {
            f"{distribution.metadata['Name']}=={distribution.version}".lower()
            for distribution in self._distributions()
            if distribution.metadata["Name"] != "transfer-harness"
        }

    def _distributions(self) -> list[importlib.metadata.Distribution]:
        if self._is_own:
            return list(importlib.metadata.distributions())
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return list(importlib.metadata.distributions(path=[str(self.prefix / "lib" / version / "site-packages")]))

    def missing_packages(self) -> list[str]:
        """What a hand-in in torch needs and this installation lacks."""
        needed = ("torch", "torchvision", "onnx", "onnxruntime", "nbclient", "ipykernel")
        found = {str(d.metadata["Name"]).lower() for d in self._distributions()}
        return [name for name in needed if name not in found]


def harness_own() -> PythonEnvironment:
    """The installation that the harness runs in."""
    return PythonEnvironment(Path(sys.prefix))
