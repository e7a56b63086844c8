"""The engine, not the submission, breaks; or the harness is killed: nobody is blamed, and nothing is left."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import docker
import psutil
import pytest
from sandboxed import Ran, limits

from harness.errors import EngineFailed, NoSandbox
from harness.sandbox import docker as docker_engine
from harness.sandbox.docker import Docker
from harness.sandbox.image import image_tag

hostile = pytest.mark.hostile

KILLED = """
import json, sys, tempfile
from pathlib import Path
from harness.sandbox import Job, Limits
from harness.sandbox.choose import ENGINES
code = "import time; time.sleep(600)  # " + sys.argv[2]
job = Job("selfcheck", json.dumps({"code": code}).encode(), {}, Limits(900, 6 * 10**8, 1, 64, 10**7, 10**6))
ENGINES[sys.argv[1]]().run(job, Path(tempfile.mkdtemp()))
"""


@hostile(line=53, expected="the next run goes on; nothing is left")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_harness_leaves_nothing_to_the_next(engine, got, how):
    mark = f"orphan-{time.monotonic_ns()}"
    process = subprocess.Popen([sys.executable, "-c", KILLED, engine.name, mark])
    try:
        wait_until(lambda: running(mark), 60)
        process.send_signal(how)
        process.wait(timeout=20)
    finally:
        process.kill()
    type(engine)()  # the next harness
    wait_until(lambda: not running(mark), 20)
    assert not list(Path("/sys/fs/cgroup").glob(f"**/harness-{process.pid}-*"))
    got("nothing left")


def running(mark: str) -> bool:
    """Whether a program with `mark` in its own text runs in a sandbox."""
    return any(
        mark in part and "sleep(" in part and "harness" not in part
        for process in psutil.process_iter(["cmdline"])
        for part in process.info["cmdline"] or ()
    )


def wait_until(what, seconds: float) -> None:
    """Fails when `what()` has not come true in time."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class PrivateEngine:
    """A Docker Engine of our own, to be stopped and killed; with a small image under the name that we look for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shared = docker.from_env(timeout=120)
        self.url = f"unix://{folder}/docker.sock"
        self._log = (folder / "log").open("wb")
        (folder / "config.json").write_text("{}")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                "dockerd",
                f"--host={self.url}",
                f"--pidfile={self._folder / 'pid'}",
                f"--data-root={self._folder / 'data'}",
                f"--exec-root={self._folder / 'exec'}",
                f"--config-file={self._folder / 'config.json'}",
                "--iptables=false",
                "--ip6tables=false",
                "--bridge=none",
            ],
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        wait_until(self.answers, 60)

    def answers(self) -> bool:
        try:
            return bool(docker.DockerClient(base_url=self.url, timeout=5).ping())
        except Exception:  # of many kinds while it starts
            return False

    def load_image(self) -> None:
        """Debian's Python where the environment's is expected: enough for a phase of the standard library."""
        image = os.environ.get("HARNESS_DOCKER_BASE", "harness-base:bookworm")
        base = self._shared.containers.create(image, "true")
        try:
            client = docker.DockerClient(base_url=self.url, timeout=120)
            client.api.import_image_from_data(b"".join(base.export()), repository="base", tag="1")
        finally:
            base.remove()
        recipe = b"FROM base:1\nRUN mkdir -p /opt/env/bin && ln -s /usr/bin/python3.11 /opt/env/bin/python\n"
        client.images.build(fileobj=io.BytesIO(recipe), tag=image_tag(), network_mode="none", rm=True)

    def containers(self) -> list:
        return docker.DockerClient(base_url=self.url, timeout=20).containers.list(all=True)

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        finally:
            for process in psutil.process_iter(["cmdline"]):
                if any(str(self._folder) in part for part in process.info["cmdline"] or ()):
                    process.kill()
            self._log.close()


@pytest.fixture(scope="module")
def private_engine():
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        if os.environ.get("HARNESS_REQUIRE_DOCKER") == "1":
            raise FileNotFoundError("dockerd, and root to start it")
        pytest.skip("a private Docker Engine needs dockerd and root")
    folder = Path(tempfile.mkdtemp(prefix="dockerd-", dir="/tmp"))  # a socket's path must be short
    engine = PrivateEngine(folder)
    yield engine
    engine.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sandbox(private_engine: PrivateEngine, monkeypatch: pytest.MonkeyPatch) -> Docker:
    monkeypatch.setenv("DOCKER_HOST", private_engine.url)
    if not docker.from_env().images.list():
        private_engine.load_image()
    return Docker()


def failure_of(sandbox: Docker, trouble) -> EngineFailed:
    """What a job says when `trouble(container)` comes over the Engine while the job runs."""
    caught: list[BaseException] = []
    mark = f"sleeper-{time.monotonic_ns()}"

    def run() -> None:
        try:
            Ran(sandbox, f"time.sleep(60)  # {mark}", limits(wall_seconds=30))
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    client = docker.from_env()
    wait_until(lambda: running(mark), 60)
    trouble(client.containers.list()[0])
    thread.join(timeout=120)
    assert not thread.is_alive() and len(caught) == 1, caught
    assert isinstance(caught[0], EngineFailed), caught
    return caught[0]


@hostile(line=54, expected="retried, then needs-review: image missing")
def test_a_missing_image_is_said_with_what_to_do(private_engine, monkeypatch, got):
    monkeypatch.setenv("DOCKER_HOST", private_engine.url)
    with pytest.raises(NoSandbox) as raised:
        Docker()
    assert "lacks the image" in raised.value.message and raised.value.do == "harness env build torch"
    got(str(raised.value.message)[:60])


@hostile(line=54, expected="retried, then needs-review: container removed")
def test_a_container_that_somebody_removes_is_the_engines_failure(sandbox, got):
    error = failure_of(sandbox, lambda container: container.remove(force=True))
    got(error.message[:60])


@hostile(line=54, expected="retried, then needs-review: engine slow")
def test_an_engine_that_does_not_answer_is_not_the_students_fault(sandbox, private_engine, monkeypatch, got):
    monkeypatch.setattr(docker_engine, "_API_SECONDS", 3)
    impatient = Docker()
    private_engine.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(EngineFailed) as raised:
            Ran(impatient, "pass")
    finally:
        private_engine.process.send_signal(signal.SIGCONT)
    assert Ran(impatient, "say('again')").said == ["again"]
    wait_until(lambda: Ran(impatient, "pass") and not private_engine.containers(), 60)  # what it made meanwhile
    got(raised.value.message[:60])


@hostile(line=54, expected="retried, then needs-review: daemon stops")
def test_an_engine_that_dies_in_mid_run_is_tried_again(sandbox, private_engine, got):
    """The next try, with the Engine back, does the job, and takes away what the first left."""

    def die(container) -> None:
        private_engine.process.kill()
        private_engine.process.wait()

    error = failure_of(sandbox, die)
    for file in ("pid", "docker.sock"):
        (private_engine._folder / file).unlink(missing_ok=True)
    private_engine.start()
    assert Ran(sandbox, "say('again')").said == ["again"]
    left = [(container.status, container.attrs["Created"]) for container in private_engine.containers()]
    assert left == []
    got(error.message[:60])


ORDINARY = """
import json, os
from sandboxed import Ran, limits
from test_code_runner import READ_THE_RUNNER
from harness.sandbox.bubblewrap import Bubblewrap
engine = Bubblewrap()
tried = Ran(engine, READ_THE_RUNNER).said
hog = Ran(engine, "x = []\\nfor _ in range(8):\\n    if os.fork() == 0:\\n        x = bytearray(150 * 10**6)\\n"
    "        time.sleep(20)\\n        os._exit(0)\\nfor _ in range(8): os.wait()", limits(wall_seconds=30))
files = Ran(engine, "n = 0\\nwhile True:\\n    os.close(os.open(f'/tmp/{n}', os.O_CREAT)); n += 1",
    limits(wall_seconds=60, memory_bytes=256 * 10**6))
status = Ran(engine, "say(open('/proc/self/status').read())\\nattempt('unshare', lambda: syscall(272, 1 << 28))")
print(json.dumps({
    "uid": os.getuid(), "not_enforced": engine.not_enforced,
    "done": [line for line in tried if "refused" not in line and not line.startswith("arguments")], "tried": len(tried),
    "hog": hog.outcome.status, "files": files.outcome.status, "status": status.said,
}))
"""


@hostile(line=59, expected="works: as an ordinary user, the same promises")
def test_an_ordinary_user_has_the_same_protection(got):
    """Without root there is a user namespace instead of a user of its own; what is missing is named."""
    python = Path(sys.executable).resolve()
    if not all(folder.stat().st_mode & 0o001 for folder in python.parents):
        python = Path("/usr/bin/python3.11")  # ours is in root's home
    here = Path(__file__).parent
    site, ours = Path(pytest.__file__).parents[1], Path(docker_engine.__file__).parents[2]
    command = [python, "-B", "-c", ORDINARY]
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o777)
        if os.geteuid() == 0:
            # In view of that user, whoever may enter the folders above: tox keeps its own to their owner.
            seen = [Path(home, "site"), Path(home, "ours")]
            for folder in seen:
                folder.mkdir()
            mounts = "".join(f"mount --bind '{a}' '{b}' && " for a, b in zip((site, ours), seen, strict=True))
            site, ours = seen
            user = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"]
            command = ["unshare", "--mount", "sh", "-c", f'{mounts}exec "$@"', "sh", *user, *command]
        environment = {"PATH": "/usr/bin:/bin", "HOME": home, "TMPDIR": home, "PYTHONPATH": f"{site}:{ours}:{here}"}
        done = subprocess.run(
            [str(part) for part in command], env=environment, cwd="/", capture_output=True, text=True, timeout=300
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["uid"] != 0 and found["tried"] == 44 and found["done"] == []
    assert found["hog"] == "memory" and found["files"] == "memory"
    status = "\n".join(found["status"])
    assert "CapEff:\t0000000000000000" in status and "Seccomp:\t2" in status and "unshare refused EPERM" in status
    got(f"{found['tried'] - 1} attempts refused; not enforced: {len(found['not_enforced'])} named")
