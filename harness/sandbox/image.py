"""The Docker images in which submissions run: one for each lock, built without a network.

The wheels are gathered outside (`wheels.gather`), and the build only installs them. So it also works where a
container cannot reach a registry of images or packages.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import docker.errors

from harness.errors import MachineError
from harness.sandbox.software import TORCH, Software

_DOCKERFILE = Path(__file__).with_name("Dockerfile")
_REPOSITORY = "transfer-harness-env"
_LABEL_NAME, _LABEL_LOCK = "transfer-harness.environment", "transfer-harness.lock"
_BUILD_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Image:
    """A built image."""

    name: str  # of the environment
    lock: str
    tag: str
    bytes: int


def image_tag(software: Software = TORCH) -> str:
    """The tag of the image for the software's lock."""
    return f"{_REPOSITORY}:{software.lock}"


def engine_answers() -> bool:
    """Whether there is a Docker Engine to build images with."""
    try:
        return bool(docker.from_env(timeout=10).ping())
    except (docker.errors.DockerException, OSError):
        return False


def image_is_built(software: Software) -> bool:
    """Whether the Engine has the image. Raises `MachineError` when none answers."""
    try:
        _client().images.get(image_tag(software))
    except docker.errors.ImageNotFound:
        return False
    return True


def build_image(software: Software, base: str, wheels: Path, say: Callable[[str], None]) -> str:
    """Build the image on `base` from a folder that `wheels.gather` filled, and return its tag.

    Raises `MachineError` when no Engine answers or the build fails.
    """
    client = _client(_BUILD_SECONDS)
    with TemporaryDirectory(prefix="harness-image-") as temporary:
        context = Path(temporary)
        shutil.copyfile(_DOCKERFILE, context / "Dockerfile")
        shutil.copytree(wheels, context / "wheels", copy_function=_link_or_copy)
        say(f"Building {image_tag(software)} on {base} ...")
        try:
            client.images.build(
                path=str(context),
                tag=image_tag(software),
                buildargs={"BASE": base},
                network_mode="none",
                rm=True,
                forcerm=True,
                labels={_LABEL_NAME: software.name, _LABEL_LOCK: software.lock},
            )
        except docker.errors.BuildError as error:
            log = "".join(str(line.get("stream", "")) for line in error.build_log)
            raise MachineError(f"the image does not build: {error.msg}\n{log[-2000:]}", "see the log") from error
        except (docker.errors.APIError, OSError) as error:
            raise MachineError(
                f"the image does not build: {error}",
                f"check that the base image {base} is there: docker pull {base}",
            ) from error
    return image_tag(software)


def images() -> list[Image]:
    """The images that were built here. Raises `MachineError` when no Engine answers."""
    found = _client().images.list(filters={"label": _LABEL_NAME})
    return [
        Image(image.labels[_LABEL_NAME], image.labels[_LABEL_LOCK], tag, int(image.attrs["Size"]))
        for image in found
        for tag in image.tags
        if tag.startswith(f"{_REPOSITORY}:")
    ]


def remove_image(lock: str) -> bool:
    """Remove the image of this lock; whether there was one. Raises `MachineError` when it is in use."""
    try:
        _client().images.remove(f"{_REPOSITORY}:{lock}")
    except docker.errors.ImageNotFound:
        return False
    except docker.errors.APIError as error:
        raise MachineError(f"the image is not removed: {error}", "docker ps -a") from error
    return True


def _client(seconds: int = 60) -> docker.DockerClient:
    try:
        client = docker.from_env(timeout=seconds)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise MachineError(f"no Docker Engine answers: {error}", "start Docker") from error
    return client


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
        return target
    except OSError:
        return shutil.copy2(source, target)
