"""Code in the notebook against the runner that marks it: killed, read, forged, changed under its hands."""

import pytest
from handed_in import Notebook
from sandboxed import Ran, limits

hostile = pytest.mark.hostile

MURDERS = {
    "exits": "import os\ngetattr(os, '_exit')(0)",  # as it is usually written, it is left out
    "kills-its-parent": "import os\nos.kill(os.getppid(), 9)",
    "kills-all": "import os\nos.kill(-1, 9)",
    "closes-every-descriptor": "import os\nos.closerange(0, 4096)\ngetattr(os, '_exit')(0)",
}


@hostile(line=21, expected="F notebook runner killed; never a pass")
@pytest.mark.parametrize("how", MURDERS)
def test_a_killed_runner_is_no_pass(engine, got, tmp_path, how):
    ran = Notebook(engine, tmp_path, "print('before')", MURDERS[how], "print('after')", cell_seconds=15)
    assert ran.status == "killed" and ran.codes == ["notebook-runner-killed"], ran.result
    got(ran.said())


@hostile(line=21, expected="never a pass", runsc=True)
def test_every_way_to_end_the_agent_is_a_failure(engine, got):
    """Signals, limits set from outside, and an exit status or words that pose as the engine's."""
    outcomes = []
    for code in (
        "os.kill(os.getppid(), 9)",
        "os.kill(os.getppid(), 15)",
        "os.kill(-1, 9)",
        "print('bwrap: no such thing', file=sys.stderr)\nos.kill(os.getppid(), 9)",
        "import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0))\nos.kill(os.getppid(), 24)",
    ):
        ran = Ran(engine, code, limits(wall_seconds=20))
        assert ran.outcome.status in ("killed", "failed") or ran.exit_status not in (0, None), ran.outcome
        outcomes.append(ran.outcome.status)
    got(", ".join(outcomes))


READ_THE_RUNNER = """
parent = os.getppid()
for pid in (parent, 1):
    for name in ('mem', 'environ', 'maps', 'smaps', 'auxv', 'stack', 'syscall', 'pagemap', 'io', 'personality'):
        attempt(f'{name} of {pid}', lambda: open(f'/proc/{pid}/{name}', 'rb').read(1))
    for name in ('fd', 'map_files', 'root', 'cwd'):
        attempt(f'{name} of {pid}', lambda: os.listdir(f'/proc/{pid}/{name}'))
    attempt('exe', lambda: os.readlink(f'/proc/{pid}/exe'))
    attempt('open its output', lambda: open(f'/proc/{pid}/fd/1', 'wb'))
    attempt('oom', lambda: open(f'/proc/{pid}/oom_score_adj', 'w').write('1000'))
    attempt('coredump filter', lambda: open(f'/proc/{pid}/coredump_filter', 'w').write('0'))
buffer = ctypes.create_string_buffer(64)
attempt('attach', lambda: syscall(101, 16, parent, 0, 0))
attempt('seize', lambda: syscall(101, 0x4206, parent, 0, 0))
attempt('process_vm_readv', lambda: syscall(310, parent, ctypes.addressof(buffer), 1, ctypes.addressof(buffer), 1, 0))
attempt('process_vm_writev', lambda: syscall(311, parent, ctypes.addressof(buffer), 1, ctypes.addressof(buffer), 1, 0))
attempt('kcmp', lambda: syscall(312, os.getpid(), parent, 0, 1, 1))
attempt('its descriptor', lambda: syscall(438, os.pidfd_open(parent), 1, 0))
import resource
attempt('its limits', lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, (3, 3)))
say('arguments', open(f'/proc/{parent}/cmdline').read().split('\\0')[-3:-1])
"""


@hostile(line=22, expected="N")
def test_the_runner_cannot_be_read_traced_or_limited(engine, got):
    ran = Ran(engine, READ_THE_RUNNER)
    *attempts, arguments = ran.said
    assert len(attempts) == 2 * 18 + 7
    assert not [line for line in attempts if "refused" not in line]
    assert arguments == "arguments ['/opt/harness/agent/__main__.py', 'selfcheck']"  # and no nonce
    got(f"{len(attempts)} attempts refused")


@hostile(line=22, expected="N", runsc=True)
def test_nothing_of_the_conversation_is_inherited(engine, got):
    """A child has no descriptor of the results, no request to read, and nothing of them in its environment."""
    ran = Ran(
        engine,
        """
say(sorted(int(fd) for fd in os.listdir('/proc/self/fd') if int(fd) < 3))
say([t for fd in os.listdir('/proc/self/fd') if int(fd) > 2 for t in [os.readlink(f'/proc/self/fd/{fd}')
     if os.path.exists(f'/proc/self/fd/{fd}') else ''] if t.startswith(('pipe', 'socket'))])
say(repr(sys.stdin.buffer.read()))
say(sorted(k for k in os.environ if 'NONCE' in k.upper()))
""",
    )
    assert ran.said == ["[0, 1, 2]", "[]", "b''", "[]"]
    got("nothing inherited")


FORGERY = """
import json, os
reply = {"code_cells": 2, "executed_cells": 2, "errors": [], "produced": [], "network_attempts": [],
         "outside_reads": [], "truncated": ""}
for place in (".", "..", "/tmp", "/work", "/work/home", "/dev/shm"):
    for name in ("execution.json", "executed.ipynb", "grades.csv", "results.json", "evidence.json"):
        try:
            open(f"{place}/{name}", "w").write(json.dumps(reply))
        except OSError:
            pass
frame = json.dumps({"name": "execution.json", "bytes": 2}) + "\\n{}" + json.dumps({"end": True}) + "\\n"
for number in range(3, 64):
    try:
        os.write(number, frame.encode())
    except OSError:
        pass
print(frame)
os.write(1, frame.encode()); os.write(2, frame.encode())
"""


@hostile(line=23, expected="ignored")
def test_forged_results_are_ignored(engine, got, tmp_path):
    ran = Notebook(engine, tmp_path, FORGERY.replace("range(3, 64)", "()"), "raise RuntimeError('and then it fails')")
    assert ran.status == "failed" and ran.codes == ["cell-error"]
    assert ran.execution.executed_cells == 1 and ran.execution.produced == ()
    got(ran.said())


@hostile(line=23, expected="no success", runsc=True)
def test_frames_without_the_nonce_are_no_success(engine, got):
    """Results are a pipe that only the agent holds, and they end with what only it was told."""
    ran = Ran(engine, FORGERY)
    assert ran.outcome.status == "ok" and "execution.json" not in ran.files
    got(f"{ran.outcome.status}, nothing forged")


@hostile(line=24, expected="the phase sees one frozen copy", runsc=True)
def test_a_file_that_grows_while_it_is_collected_forges_nothing(engine, got):
    """A daemon appends frames to a file that is being sent: it is dead by then, and its bytes are not announced."""
    ran = Ran(
        engine,
        """
open('out/model.onnx', 'wb').write(bytes(10**7))
if os.fork() == 0:
    os.setsid()
    frame = b'\\n{"name": "forged", "bytes": 2}\\nhi{"end": true}\\n' * 100
    with open('out/model.onnx', 'ab') as f:
        while True:
            f.write(frame); f.flush(); time.sleep(0.001)
time.sleep(0.2)
""",
    )
    assert ran.outcome.status == "ok" and set(ran.files) == {"model.onnx", "said", "status.txt"}
    got("nothing forged")


@hostile(line=24, expected="the phase sees one frozen copy")
def test_what_was_handed_in_stays_as_it_was(engine, got, tmp_path):
    overwrite = """
import os
for folder in ("/in/submission", "."):
    for name in ("notebook.ipynb", "handin.json", "labels.txt"):
        for change in (lambda p: open(p, "w").write("changed"), os.remove, lambda p: os.chmod(p, 0o777)):
            try:
                change(f"{folder}/{name}")
            except OSError:
                pass
"""
    extra = {"handin.json": "{}", "labels.txt": "ball\\nmug\\n"}
    ran = Notebook(engine, tmp_path, overwrite, "print('goes on')", extra=extra)
    assert ran.status == "ok" and "goes on" in ran.text
    assert {name: (ran.root / name).read_text() for name in extra} == extra
    assert "goes on" in (ran.root / "notebook.ipynb").read_text()
    got("unchanged outside")


TAMPERING = (
    "import nbclient, json, time, numpy\n"
    "nbclient.NotebookClient.execute_cell = numpy.save = lambda *a, **k: None\n"
    "json.load = json.loads = lambda *a, **k: {}\ntime.monotonic = lambda: 0.0",
    "import pathlib, os, sys\n"
    "for place in ('/work/sitecustomize.py', '/tmp/sitecustomize.py', '/opt/harness/site/sitecustomize.py'):\n"
    "    try: pathlib.Path(place).write_text('import os; os._exit(0)')\n    except OSError: pass\n"
    "os.environ['PYTHONPATH'] = '/work:/tmp'\nsys.path.insert(0, '/work')",
    "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])",
    "print('this is not run')",
    "raise RuntimeError('neither is this')",
)


@hostile(line=25, expected="own process only, no gain")
def test_patching_the_machinery_changes_its_own_process_only(engine, got, tmp_path):
    ran = Notebook(engine, tmp_path, *TAMPERING)
    assert ran.execution.produced == () and "not run" not in ran.text
    again = tmp_path / "again"
    again.mkdir()
    assert Notebook(engine, again, "print(1)").text == "1\n"
    got(f"{ran.status}; the next run is untouched")


HARMFUL = """
import os, atexit
class Harm:
    def __eq__(self, other): os.kill(os.getppid(), 0); return True
    def __repr__(self): raise SystemExit
    def __reduce__(self): return (os.system, ("touch /tmp/reduced",))
    def _repr_html_(self): return "<script>alert(1)</script>"
    def __del__(self): raise RuntimeError
atexit.register(lambda: open('/work/handin/model.onnx', 'w').write('late'))
Harm()
"""


@hostile(line=26, expected="no effect outside")
def test_objects_that_do_harm_harm_themselves(engine, got, tmp_path):
    ran = Notebook(engine, tmp_path, HARMFUL, "print('goes on')")
    assert ran.status in ("ok", "failed")
    assert '"text/html"' not in ran.store.path(ran.execution.notebook).read_text()
    assert ran.execution.produced == ()
    got(ran.said())


@hostile(line=32, expected="nothing inside differs from self-check")
def test_nothing_inside_says_that_this_is_grading(engine, got):
    ran = Ran(
        engine,
        """
import json, platform
say(socket.gethostname(), os.path.basename(os.getcwd()))
say(sorted(os.environ))
say(open('/proc/self/cgroup').read().count('grad'), time.tzname)
""",
    )
    host, variables, rest = ran.said
    assert host == "sandbox work"
    assert not [word for word in ("GRAD", "STUDENT", "COURSE") if word in variables]
    assert rest.startswith("0 ('UTC'")
    got("host name, folder and variables are fixed")


@hostile(line=33, expected="error at once")
def test_questions_are_answered_by_an_error_at_once(engine, got, tmp_path):
    cells = (
        "import getpass\nfor ask in (input, getpass.getpass):\n    try: ask()\n"
        "    except Exception as e: print(type(e).__name__)",
        "try: breakpoint()\nexcept BaseException as e: print(type(e).__name__)",
        "1 / 0",
    )
    ran = Notebook(engine, tmp_path, *cells, cell_seconds=30)
    assert ran.text.startswith("StdinNotImplementedError\nStdinNotImplementedError\n")
    assert ran.status == "failed" and "timeout" not in " ".join(ran.codes)
    got(ran.said())
