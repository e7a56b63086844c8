"""The Docker image in which hand-ins run: built once for each lock, without a network.

The wheels are downloaded (or given) outside, and the build only unpacks them: the same build works where
no registry of images or packages can be reached from inside a container.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import docker.errors

from harness.errors import MachineError, UsageError

_HERE = Path(__file__).parent
REQUIREMENTS = _HERE / "environments" / "torch.txt"
CONSTRAINTS = _HERE / "environments" / "constraints.txt"
_REPOSITORY = "transfer-harness-env"
_TORCH = "torch"


def lock_hash() -> str:
    """The hash of what the environment holds: its requirements and their exact versions."""
    return hashlib.sha256(REQUIREMENTS.read_bytes() + CONSTRAINTS.read_bytes()).hexdigest()[:12]


def image_tag() -> str:
    """The image of this version's lock."""
    return f"{_REPOSITORY}:{lock_hash()}"


def image_is_built() -> bool:
    """Whether the Engine has the image. Raises `MachineError` when none answers."""
    try:
        docker.from_env().images.get(image_tag())
    except docker.errors.ImageNotFound:
        return False
    except (docker.errors.DockerException, OSError) as error:
        raise MachineError(f"no Docker Engine answers: {error}", "start Docker") from error
    return True


def build_image(base: str, wheels: Path | None, say: Callable[[str], None]) -> str:
    """Build the image on `base`, and return its tag. `wheels`: a folder to install from, else downloaded.

    Raises `MachineError` when no Engine answers or the build fails, `UsageError` for a folder without
    wheels.
    """
    if wheels is not None and not list(wheels.glob("*.whl")):
        raise UsageError(f"{wheels}: no wheels in it", "give a folder that pip download filled")
    try:
        client = docker.from_env(timeout=1800)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise MachineError(f"no Docker Engine answers: {error}", "start Docker") from error
    with TemporaryDirectory(prefix="harness-image-") as temporary:
        context = Path(temporary)
        for file in (_HERE / "Dockerfile", CONSTRAINTS):
            shutil.copyfile(file, context / file.name)
        shutil.copyfile(REQUIREMENTS, context / "requirements.txt")
        if wheels is None:
            say("Downloading the wheels ...")
            _download(context / "wheels")
        else:
            shutil.copytree(wheels, context / "wheels", copy_function=_link_or_copy)
        say(f"Building {image_tag()} on {base} ...")
        try:
            client.images.build(
                path=str(context),
                tag=image_tag(),
                buildargs={"BASE": base},
                network_mode="none",
                rm=True,
                forcerm=True,
                labels={"transfer-harness.lock": lock_hash()},
            )
        except docker.errors.BuildError as error:
            log = "".join(str(line.get("stream", "")) for line in error.build_log)
            raise MachineError(f"the image does not build: {error.msg}\n{log[-2000:]}", "see the log") from error
        except (docker.errors.APIError, OSError) as error:
            raise MachineError(
                f"the image does not build: {error}",
                f"check that the base image {base} is there: docker pull {base}",
            ) from error
    return image_tag()


def _download(folder: Path) -> None:
    """Fill `folder` with the locked wheels. torch comes first and by its exact version: where a CPU build
    of that version is configured, pip takes it, and the rest is resolved against it."""
    exact = next(line for line in CONSTRAINTS.read_text().splitlines() if line.startswith(f"{_TORCH}=="))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--dest",
        str(folder),
        "--find-links",
        str(folder),
    ]
    for what in (["--no-deps", exact], ["--requirement", str(REQUIREMENTS)]):
        done = subprocess.run(
            [*pip, "--only-binary=:all:", "--constraint", str(CONSTRAINTS), *what],
            capture_output=True,
            text=True,
            check=False,
            timeout=3600,
        )
        if done.returncode != 0:
            raise MachineError(
                f"pip cannot download the wheels:\n{done.stderr[-2000:]}",
                "give a folder of wheels with --wheels",
            )


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
        return target
    except OSError:
        return shutil.copy2(source, target)
