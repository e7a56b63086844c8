"""A Python installation that submissions run with: the host's files that it needs, and those to hide."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")  # links to /usr, or separate folders
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "share", "include")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "mime.types")
# Parts of a Python installation; never the whole folder, which may be somebody's home, project or course.
_INSTALLATION = (*_SYSTEM, "pyvenv.cfg", "ssl", "etc/fonts", "etc/jupyter")


def system_folders() -> list[Path]:
    """The system's folders of programs and libraries; some may be links (merged /usr)."""
    wanted = [Path("/usr", name) for name in _SYSTEM] + [Path("/usr/local", name) for name in _SYSTEM]
    wanted += [*Path("/usr/local").glob("cuda*"), *map(Path, _LINKS)]
    return [path for path in wanted if path.exists()]


def etc_files() -> list[Path]:
    """The files of /etc that programs need; none is secret."""
    return [Path("/etc", name) for name in _ETC if Path("/etc", name).exists()]


@dataclass(frozen=True)
class PythonEnvironment:
    """A virtual environment, or the harness's own installation."""

    prefix: Path

    @property
    def python(self) -> Path:
        """The interpreter."""
        inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
        return Path(sys.executable) if self._is_own else self.prefix / inside

    @property
    def _is_own(self) -> bool:
        return self.prefix == Path(sys.prefix)

    def paths(self) -> list[Path]:
        """The interpreter's installation and the virtual environment, besides the system's folders."""
        real = self.python.resolve()
        homes = {self.prefix, Path(sys.base_prefix), Path(sys.base_prefix).resolve(), real.parent.parent}
        system = system_folders()
        wanted = [home / name for home in sorted(homes, key=lambda path: len(path.parts)) for name in _INSTALLATION]
        return [path for path in wanted if path.exists() and not any(path.is_relative_to(known) for known in system)]

    def masked_folders(self) -> list[Path]:
        """The harness's folders inside the mounted paths, which submissions must not see."""
        hidden = []
        for packages in _site_packages():
            hidden += [packages / "harness", *packages.glob("transfer_harness-*.dist-info")]
        return [folder for folder in hidden if folder.is_dir() and self._shows(folder)]

    def masked_files(self) -> list[Path]:
        """Files that reveal where the harness and its user's folders are: the command, and .pth files to elsewhere."""
        hidden = [folder / "harness" for folder in {Path(sys.prefix, "bin"), Path(sysconfig.get_path("scripts"))}]
        for packages in _site_packages():
            for file in packages.glob("*.pth"):
                named = [Path(line) for line in file.read_text(errors="replace").splitlines() if line.startswith("/")]
                if any(not self._shows(path) for path in named):
                    hidden.append(file)
        return [file for file in hidden if file.is_file() and self._shows(file)]

    def _shows(self, path: Path) -> bool:
        return any(path.is_relative_to(known) for known in (*self.paths(), *system_folders()))

    @property
    def id(self) -> str:
        """The hash of the Python version and of every installed distribution but the harness."""
        installed = {f"{name}=={version}".lower() for name, version in self._installed() if name != "transfer-harness"}
        text = "\n".join([platform.python_version(), platform.machine(), *sorted(installed)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _installed(self) -> tuple[tuple[str, str], ...]:
        """Name and version of each distribution."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        folders = sys.path if self._is_own else [str(self.prefix / "lib" / version / "site-packages")]
        return _distributions(tuple(folders), tuple(map(_changed, folders)))

    def missing_packages(self) -> list[str]:
        """Packages that a torch submission needs and this installation lacks."""
        needed = ("torch", "torchvision", "onnx", "onnxruntime", "nbclient", "ipykernel")
        found = {name.lower() for name, _ in self._installed()}
        return [name for name in needed if name not in found]


@functools.lru_cache(maxsize=16)
def _distributions(folders: tuple[str, ...], _: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """The distributions in the folders; cached until a folder changes, because every job asks for them."""
    found = importlib.metadata.distributions(path=list(folders))
    return tuple((str(one.metadata["Name"]), one.version) for one in found)


def _changed(folder: str) -> int:
    """The folder's modification time in nanoseconds; -1 if it does not exist."""
    try:
        return Path(folder or ".").stat().st_mtime_ns
    except OSError:
        return -1


def harness_own() -> PythonEnvironment:
    """The installation that the harness runs in."""
    return PythonEnvironment(Path(sys.prefix))


def _site_packages() -> list[Path]:
    return list(dict.fromkeys(Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")))
