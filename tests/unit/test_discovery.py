"""Modules that are found by their place: what a malformed one is told."""

from pathlib import Path

import pytest

from harness.plugins import modules_of

SOUND = 'TITLE = "A sound one"\n\ndef read(place):\n    return ()\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An empty package with a name of its own, since Python keeps what it imported."""
    package = tmp_path / f"found_{abs(hash(request.node.nodeid))}"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return package


def found(folder: Path, **more):
    return modules_of(folder.name, noun="LMS", function="read", parameters=("place",), **more)


def test_a_module_is_found_by_its_file_alone_in_the_order_of_names(folder: Path):
    for name in ("moodle", "canvas"):
        (folder / f"{name}.py").write_text(SOUND)
    assert list(found(folder)) == ["canvas", "moodle"]
    assert found(folder)["canvas"].TITLE == "A sound one"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def read(place): ...\n", "LMS canvas has no TITLE"),
        ("TITLE = 3\ndef read(place): ...\n", "LMS canvas has no TITLE"),
        ("TITLE = 'Canvas'\n", "LMS canvas has no read"),
        ("TITLE = 'Canvas'\nread = 'place'\n", "LMS canvas has no read"),
        ("TITLE = 'Canvas'\ndef read(place, more): ...\n", "LMS canvas has another signature of read"),
        ("TITLE = 'Canvas'\ndef read(folder): ...\n", "LMS canvas has another signature of read"),
    ],
)
def test_a_malformed_module_is_named_with_what_it_lacks(folder: Path, source: str, said: str):
    (folder / "canvas.py").write_text(source)
    with pytest.raises(TypeError, match=f"^{said}$"):
        found(folder)


def test_what_a_folder_asks_for_beside_title_and_function_is_checked_too(folder: Path):
    def reads(name: str, module):
        if not hasattr(module, "READS"):
            raise TypeError(f"LMS {name} has no READS")

    (folder / "canvas.py").write_text(SOUND)
    with pytest.raises(TypeError, match=r"^LMS canvas has no READS$"):
        found(folder, check=reads)
