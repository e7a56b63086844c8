"""Real sandboxes. An engine, or shared material, that CI must have is never skipped there."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from readable import readable_to_the_sandbox
from small_course import make_course

from harness.errors import HarnessError
from harness.grading.context import given_weights
from harness.inputs import weights
from harness.inputs.assignment import Assignment, load
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.sandbox import KERAS, TORCH, Sandbox, environments
from harness.sandbox.choose import ENGINES

HANDINS = Path(__file__).parents[1] / "handins"
ENGINE_NAMES = ("bubblewrap", "docker")


def _required(what: str) -> bool:
    return os.environ.get(f"HARNESS_REQUIRE_{what}") == "1"


@pytest.fixture(scope="session")
def started_engines() -> dict[str, Sandbox]:
    return {}


def _started(name: str, started: dict[str, Sandbox]) -> Sandbox:
    """The engine, made once for all tests; Docker's image is built where it is missing and a base is named."""
    if name not in started:
        try:
            if name == "docker" and (base := os.environ.get("HARNESS_DOCKER_BASE")):
                environments.build(TORCH, base, None, print, engine="docker")
            started[name] = ENGINES[name]()
        except HarnessError as error:
            if name == "docker" and not _required("DOCKER"):
                pytest.skip(f"no Docker here: {error.message}")
            raise
    return started[name]


@pytest.fixture(params=ENGINE_NAMES)
def engine(request: pytest.FixtureRequest, started_engines: dict[str, Sandbox]) -> Sandbox:
    """Each engine in turn. bubblewrap comes with the installation; Docker may be missing on a laptop."""
    return _started(request.param, started_engines)


@pytest.fixture
def docker_engine(started_engines: dict[str, Sandbox]) -> Sandbox:
    return _started("docker", started_engines)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless. Playwright's own would be another download."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        if _required("CHROMIUM"):
            pytest.fail("no Chromium here, and CI must have it")
        pytest.skip("no Chromium here; install Debian's chromium to look at the pages")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as started:
        yield started


@pytest.fixture(scope="session")
def keras_built() -> None:
    """The environment `keras`, for Docker too where a base image is named; 2 GB each, built once and kept."""
    base = os.environ.get("HARNESS_DOCKER_BASE", "")
    environments.build(KERAS, base, None, print, engine="all" if base else "bubblewrap")


@pytest.fixture
def keras_engine(engine: Sandbox, keras_built: None) -> Sandbox:
    """Each engine in turn, with the environment `keras`."""
    if engine.software_id(KERAS) is None:
        assert not _required("DOCKER"), f"{engine.name} lacks the environment keras"
        pytest.skip("no Docker image of the environment keras: set HARNESS_DOCKER_BASE")
    return engine


@pytest.fixture(scope="session")
def handins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Submission]:
    """The submissions of `tests/handins/` by the name of their folder."""
    folder = readable_to_the_sandbox(tmp_path_factory.mktemp("handins"))
    return {submission.student: submission for submission in collect(HANDINS, folder)}


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photographs and weights beside the checkout."""
    folder = Path(os.environ.get("HARNESS_SHARED", Path(__file__).parents[2].parent / "shared")) / "data"
    if not folder.is_dir():
        if _required("SHARED"):
            raise FileNotFoundError(f"{folder} is missing, and CI must have it")
        pytest.skip(f"no shared material at {folder}")
    return folder


@pytest.fixture
def vgg16(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Assignment, Path]:
    """A course's assignment, and the folder of weights that its notebooks get: VGG16, by what stands in for it."""
    built_in = os.environ.get("HARNESS_CACHE")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    weights.add("vgg16_notop_caffe", shared / "weights" / "vgg16_notop_caffe.safetensors")
    loaded = load(make_course(tmp_path / "course"))
    reference = loaded.reference.model_copy(update={"weights": "vgg16_notop_caffe"})
    given = given_weights(loaded.model_copy(update={"reference": reference}), tmp_path / "scratch")
    monkeypatch.undo()
    assert os.environ.get("HARNESS_CACHE") == built_in
    assert given.hub is not None
    for folder in (tmp_path, *tmp_path.rglob("*")):
        if folder.is_dir():
            folder.chmod(0o755)
    return loaded, given.hub
