"""Another user of the machine reads and lists nothing of a submission, while a run works and afterwards.

The class that he watches also holds a reply of a million keys: one submission that once took 3.3 GB of the harness.
"""

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from measured import MOST_MEMORY, memory_of, run_measured
from small_course import Course, hand_in, notebook

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
NAME = "mallory-whose-name-nobody-may-read"
# What any user of Linux may look at: command lines and where mounts come from. Each path that they name is tried.
SPY = r"""
ends=$((SECONDS + 600))
while [ ! -e "$HERE/ended" ] && [ $SECONDS -lt $ends ]; do
  for process in /proc/[0-9]*; do
    { tr '\0' '\n' < $process/cmdline; cut -d ' ' -f 4,5 $process/mountinfo | tr ' ' '\n'; } 2>/dev/null |
    grep -a -e "$NAME" -e "$HERE/" | while IFS= read -r said; do
      case "$said" in *"$NAME"*) echo "name: ${said:0:200}";; esac
      for path in $(grep -a -o "$HERE/[^ ]*" <<< "$said"); do
        found=$(ls "$path" 2>/dev/null | head -3 | tr '\n' ' ')
        [ -n "$found" ] && echo "lists $path: $found"
      done
    done
  done
  sleep 0.05
done | sort -u
"""


@dataclass
class Run:
    """What a run left, and what another user saw of it meanwhile."""

    done: subprocess.CompletedProcess[str]
    out: Path
    cache: Path
    seen: str


@pytest.fixture(scope="module")
def run(small_course: Course, tmp_path_factory: pytest.TempPathFactory, attacks: Path) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("run")
    cache, file = small_course.copied(folder)
    hand_in(folder / "in", NAME, small_course.reference, notebook__ipynb=notebook("import time; time.sleep(3)"))
    shutil.copytree(attacks / "json-error-bomb" / "bomb", folder / "in" / "bomb")
    here = Path(tempfile.mkdtemp(prefix="spied-", dir="/tmp"))  # where the run has its temporary files
    here.chmod(0o755)
    (here / "decoy").mkdir(mode=0o755)  # shows that the spy sees what is to be seen
    (here / "decoy" / "file").touch(mode=0o644)
    decoy = subprocess.Popen(["tail", "-f", str(here / "decoy" / "file")])
    spy = subprocess.Popen(
        [*NOBODY, "bash", "-c", SPY], stdout=subprocess.PIPE, text=True, cwd="/",
        env={**os.environ, "NAME": NAME, "HERE": str(here)},
    )  # fmt: skip
    arguments = ["grade", folder / "in", "--assignment", file, "--out", folder / "out", "--sandbox", "bubblewrap"]
    try:
        environment = {**os.environ, "HARNESS_CACHE": str(cache), "TMPDIR": str(here)}
        done = run_measured(*arguments, umask=0, env=environment)
        (here / "ended").touch()
        seen, _ = spy.communicate(timeout=60)
    finally:
        decoy.kill()
        spy.kill()
        shutil.rmtree(here)
    yield Run(done, folder / "out", cache, seen)


@pytest.mark.hostile(line=74, expected="nothing of a submission")
def test_another_user_sees_nothing_while_a_run_works(run: Run, got):
    """read-by-other-users: bwrap's command line named the folders of submissions, which any user could read."""
    lines = run.seen.splitlines()
    decoy = [line for line in lines if "/decoy/file" in line]
    assert decoy, run.seen
    assert [line for line in lines if line not in decoy] == []
    got("his own decoy, and nothing else")


@pytest.mark.hostile(line=74, expected="0700 and 0600")
def test_what_a_run_leaves_is_its_owners(run: Run, got):
    """Whatever the umask of the caller, which was 0."""
    assert run.out.is_dir()
    for path in (run.out, *run.out.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    for part in ("blobs", "results"):
        assert stat.S_IMODE((run.cache / part).stat().st_mode) == 0o700
    listed = subprocess.run([*NOBODY, "ls", "-R", run.out], capture_output=True, text=True, check=False, cwd="/")
    assert listed.stdout.strip() == "" and listed.returncode
    got("output, gradebook, cache")


@pytest.mark.hostile(line=73, expected="F; memory bounded")
def test_a_reply_of_a_million_keys_costs_its_submission_and_no_memory(run: Run, got):
    """json-error-bomb: 1.2 million keys that the schema forbids were listed by pydantic: 3.3 GB.

    The model's own process can send no reply of its own any more; that a reply is looked at before it is parsed,
    `tests/unit/stages/test_bounded_replies.py` tries.
    """
    assert run.done.returncode in (0, 1), run.done.stderr
    assert "Traceback" not in run.done.stderr
    rows = {row["id"]: row for row in json.loads((run.out / "results.json").read_text())["submissions"]}
    assert rows["bomb"]["stages"]["convert"]["status"] in ("ok", "rejected")
    assert rows[NAME]["stages"]["evaluate"]["status"] == "ok"
    assert rows[NAME]["evaluation"]["accuracy"] == 1.0
    memory = memory_of(run.done)
    assert memory < MOST_MEMORY
    got(f"its reply is the agent's own; {memory / 2**20:.0f} MiB over the idle size")
