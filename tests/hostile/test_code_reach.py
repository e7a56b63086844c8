"""Code in the notebook that reaches for what is outside: it is not there, and nothing outside changes."""

import socket
import sys
import threading
from pathlib import Path

import pytest
from handed_in import Notebook
from sandboxed import Ran, limits

hostile = pytest.mark.hostile


def done(ran: Ran) -> list[str]:
    """The attempts that were not refused. Fails when none was made."""
    assert ran.said, ran.outcome
    return [line for line in ran.said if " refused " not in line]


@hostile(line=27, expected="N", runsc=True)
def test_there_is_nobody_to_talk_to(engine, got, tmp_path):
    abstract = f"\0harness-{tmp_path.name}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        unix.bind(abstract)
        unix.listen()
        udp.bind(("127.0.0.1", 0))
        ran = Ran(
            engine,
            f"""
def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(2)
        s.connect(address)
for host in ('1.1.1.1', '8.8.8.8', '10.0.0.1', '172.17.0.1', '192.168.0.1', '169.254.169.254'):
    attempt(host, lambda: connect(socket.AF_INET, (host, 80)))
attempt('IPv6', lambda: connect(socket.AF_INET6, ('2606:4700:4700::1111', 80)))
attempt('link-local', lambda: connect(socket.AF_INET6, ('ff02::1%1', 80), socket.SOCK_DGRAM))
attempt('DNS', lambda: socket.getaddrinfo('example.com', 80))
attempt('the loop-back of the host', lambda: connect(socket.AF_INET, ('127.0.0.1', {tcp.getsockname()[1]})))
attempt('an abstract socket of the host', lambda: connect(socket.AF_UNIX, {abstract!r}))
for path in ('/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock', '/run/systemd/private',
             '/run/dbus/system_bus_socket', '/tmp/.X11-unix/X0'):
    attempt(path, lambda: connect(socket.AF_UNIX, path))
attempt('vsock', lambda: connect(40, (2, 1024)))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('packets', lambda: socket.socket(17, socket.SOCK_RAW, 3))
""",
            limits(wall_seconds=60),
        )
    assert len(ran.said) == 20 and not done(ran)
    got("20 attempts refused")


@hostile(line=27, expected="N")
def test_families_of_sockets_that_nobody_needs_do_not_exist(engine, got):
    """All but Unix, IPv4, IPv6, and of netlink the part that lists interfaces."""
    ran = Ran(
        engine,
        """
for family in range(3, 46):
    if family not in (10, 16):
        attempt(f'family {family}', lambda: syscall(41, family, 2, 0))
for protocol in range(1, 23):
    attempt(f'netlink {protocol}', lambda: syscall(41, 16, 3, protocol))
""",
    )
    assert len(ran.said) == 41 + 22 and not done(ran)
    got(f"{len(ran.said)} refused")


NETWORK_CELLS = (
    "import socket\ntry: socket.create_connection(('1.1.1.1', 80), 1)\nexcept OSError: pass",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', "
    "'import socket\\ntry: socket.create_connection((\"9.9.9.9\", 53), 1)\\nexcept OSError: pass'])",
    "import ctypes\nlibc = ctypes.CDLL(None)\nfd = libc.socket(2, 2, 0)\n"
    "libc.connect(fd, bytes([2, 0, 0, 53, 8, 8, 8, 8]) + bytes(8), 16)",
    "print('goes on')",
)


@hostile(line=27, expected="F attempted network")
def test_attempts_are_found_even_from_children_and_c(engine, got, tmp_path):
    ran = Notebook(engine, tmp_path, *NETWORK_CELLS)
    assert ran.status == "ok" and ran.text.endswith("goes on\n")
    assert set(ran.codes) == {"network-attempt"}
    assert {cell for cell, _ in ran.execution.network_attempts} == {1, 2, 3}
    got(ran.said())


@hostile(line=28, expected="N, not there", runsc=True)
def test_nothing_of_the_host_is_there(engine, got, tmp_path):
    """Not even where everybody on the host may read it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    for path in (secret, *secret.parents[:3]):
        path.chmod(0o777)
    checkout = Path(__file__).resolve().parents[2]
    places = [secret, checkout / "harness" / "grade", checkout / "pyproject.toml", checkout / "tests"]
    ran = Ran(
        engine,
        f"""
for path in {[str(p) for p in places]!r}:
    attempt(path, lambda: os.stat(path))
for path in ('/etc/shadow', '/etc/gshadow', '/etc/ssh', '/etc/docker', '/etc/machine-id', '/etc/sudoers',
             '/etc/pip.conf',
             '/var/lib/docker', '/srv', '/mnt/host', '/root/.ssh', '/root/.bashrc', '/run/secrets',
             '/proc/1/environ', '/proc/kcore', '/dev/mem', '/dev/kmsg', '/dev/sda', '/dev/vda', '/dev/fuse', '/dev/kvm',
             '/sys/class', '/sys/firmware', '/sys/kernel', '/sys/fs/cgroup'):
    attempt(path, lambda: open(path, 'rb').read(1) if not os.path.isdir(path) else os.listdir(path)[0])
command = [sys.executable, '-c', 'import harness.grading']
attempt('harness', lambda: subprocess.run(command, check=True, stderr=-3).returncode)
import glob, importlib.metadata
attempt('its metadata', lambda: importlib.metadata.files('transfer-harness')[0])
""",
    )
    allowed = {"/proc/1/environ"} if engine_is_gvisor(engine) else set()
    assert len(ran.said) == len(places) + 27
    left = [line for line in done(ran) if line.split()[0] not in allowed and not line.startswith("/sys/")]
    assert not left or (engine_is_gvisor(engine) and all(line.startswith(("/proc", "/dev")) for line in left))
    if not engine_is_gvisor(engine):
        assert not done(ran)
    got(f"{len(ran.said) - len(done(ran))} of {len(ran.said)} are not there")


def engine_is_gvisor(engine) -> bool:
    """Whether gVisor's kernel answers, whose /proc and /sys are its own and say nothing of the host."""
    return "runsc" in engine.environment_id


@hostile(line=28, expected="N, not there")
def test_what_is_left_says_nothing_of_where_the_harness_is(engine, got):
    checkout = str(Path(__file__).resolve().parents[2])
    ran = Ran(
        engine,
        """
import site, sysconfig, pathlib
for folder in {sysconfig.get_path('purelib'), sysconfig.get_path('platlib')}:
    for file in pathlib.Path(folder).glob('*.pth'):
        for line in file.read_text().splitlines():
            if line.startswith('/'): say('path', line)
    for file in pathlib.Path(folder).glob('*.dist-info/direct_url.json'):
        say('url', file.read_text())
say('end')
""",
    )
    assert ran.said[-1] == "end" and not [line for line in ran.said if checkout in line.replace(sys.prefix, "")]
    got("no path of the checkout")


SYSTEM_CALLS = {
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "bpf": 321,
    "keyctl": 250, "add_key": 248, "request_key": 249, "perf_event_open": 298, "userfaultfd": 323,
    "io_uring_setup": 425, "io_uring_enter": 426, "init_module": 175, "finit_module": 313, "delete_module": 176,
    "kexec_load": 246, "reboot": 169, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "swapon": 167,
    "iopl": 172, "ioperm": 173, "syslog": 103, "acct": 163, "quotactl": 179, "open_by_handle_at": 304,
    "name_to_handle_at": 303, "fanotify_init": 300, "fsopen": 430, "open_tree": 428, "move_mount": 429,
    "mount_setattr": 442, "memfd_secret": 447, "process_madvise": 440, "modify_ldt": 154, "vhangup": 153,
    "sethostname": 170, "setdomainname": 171, "lookup_dcookie": 212, "ptrace": 101, "clone3": 435, "vmsplice": 278,
    "move_pages": 279, "seccomp": 317, "of the year 2040": 900,
}  # fmt: skip


@hostile(line=29, expected="N")
def test_dangerous_system_calls_are_refused(engine, got):
    """By number, since a library may not know them. Arguments are such that a permitted call would succeed or block."""
    ran = Ran(
        engine,
        f"""
for name, number in {SYSTEM_CALLS!r}.items():
    attempt(name, lambda: syscall(number, 0, 0, 0, 0, 0, 0))
for flag in (0x10000000, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000):
    attempt(f'clone with {{flag:#x}}', lambda: syscall(56, flag | 17, 0, 0, 0, 0))
attempt('a terminal for the host', lambda: syscall(16, 0, 0x5412, 0))
for device in ('/dev/mem', '/dev/kmem', '/dev/port', '/dev/kvm', '/dev/fuse', '/dev/loop0'):
    attempt(device, lambda: open(device, 'rb'))
attempt('device node', lambda: os.mknod('/tmp/null', 0o20666, os.makedev(1, 3)))
attempt('raise priority', lambda: os.nice(-5))
attempt('another user', lambda: os.setuid(0))
attempt('sysctl', lambda: open('/proc/sys/kernel/hostname', 'w').write('x'))
attempt('sysrq', lambda: open('/proc/sysrq-trigger', 'w').write('b'))
attempt('core pattern', lambda: open('/proc/sys/kernel/core_pattern', 'w').write('x'))
attempt('the clock', lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
""",
    )
    assert len(ran.said) == len(SYSTEM_CALLS) + 21 and not done(ran), done(ran)
    got(f"{len(ran.said)} refused")


@hostile(line=29, expected="N")
def test_the_x32_table_is_shut(engine, got):
    ran = Ran(engine, "say('before')\nattempt('x32 getpid', lambda: syscall(0x40000000 + 39))")
    assert ran.said[0] == "before" and not [line for line in ran.said if "DONE" in line]
    got("killed" if ran.said == ["before"] else "refused")


@hostile(line=29, expected="N")
def test_32_bit_programs_make_no_system_calls(engine, got):
    """int 0x80 with getpid: the kernel would answer with the 32-bit table, past a filter that forgot it."""
    code = """
import mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex('b814000000' 'cd80' 'c3'))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
say('before')
result = call()
say('answered' if result > 0 else 'refused')
"""
    ran = Ran(engine, code)
    assert ran.said in (["before"], ["before", "refused"])
    got("killed" if ran.said == ["before"] else "refused")


@hostile(line=29, expected="N", runsc=True)
def test_there_are_no_privileges_to_use_or_get(engine, got):
    ran = Ran(engine, "say(os.getuid() != 0)\nsay(open('/proc/self/status').read())")
    status = dict(line.split(":\t", 1) for line in ran.said[1:] if ":\t" in line)
    assert ran.said[0] == "True"
    assert [int(status[kind], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd")] == [0] * 4
    if not engine_is_gvisor(engine):
        assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
    got("none")


REMAINS = """
os.mkfifo('out/model.onnx'); os.mkfifo('out/fifo')
s = socket.socket(socket.AF_UNIX); s.bind('out/socket')
os.symlink('/etc/passwd', 'out/link'); os.symlink('.', 'out/loop')
os.makedirs('out/' + 'd/' * 200)
open('out/setuid', 'w').write('x'); os.chmod('out/setuid', 0o6777)
open('out/unreadable', 'w').write('x'); os.chmod('out/unreadable', 0)
with open('out/sparse', 'wb') as f: f.truncate(1)
try: os.setxattr('out/setuid', 'user.x', bytes(60000))
except OSError: pass
open('out/fine', 'w').write('fine')
"""


@hostile(line=30, expected="collected safely, removed", runsc=True)
def test_what_it_leaves_behind_is_collected_safely(engine, got, tmp_path):
    ran = Ran(engine, REMAINS, limits(wall_seconds=30))
    assert not {"fifo", "socket", "link", "loop", "model.onnx"} & set(ran.files)
    assert ran.outcome.status in ("ok", "failed")
    got(f"{ran.outcome.status}: {', '.join(sorted(ran.files))}")


@hostile(line=31, expected="measured alone")
def test_a_job_keeps_to_its_cores(engine, got):
    """However many threads burn: the other cores are for others."""
    ran = Ran(
        engine,
        """
def burn(end):
    while time.monotonic() < end: pass
try: os.sched_setaffinity(0, range(os.cpu_count()))
except OSError: pass
end = time.monotonic() + 2
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        burn(end)
        os._exit(0)
    children.append(pid)
for pid in children: os.waitpid(pid, 0)
t = os.times()
say(t.children_user + t.children_system)
""",
    )
    used = float(ran.said[0])
    assert used < 3.0  # 2 s on one core; 4 s or more with two
    got(f"{used:.1f} CPU seconds in 2 s, allowed one core")


@hostile(line=31, expected="honest ones get the same beside hostile ones")
def test_honest_jobs_beside_bombs_end_as_they_do_alone(engine, got):
    honest = "import hashlib\nsay(hashlib.sha256(bytes(5 * 10**7)).hexdigest())"
    bombs = (
        "while True:\n    try: os.fork()\n    except OSError: pass\n",
        "x = []\nwhile True: x.append(bytearray(10**7))",
        "while True:\n    try: open(f'/tmp/{time.monotonic_ns()}', 'wb').write(bytes(10**6))\n"
        "    except OSError: pass\n",
    )
    alone = Ran(engine, honest).said
    threads = [threading.Thread(target=Ran, args=(engine, bomb, limits(wall_seconds=8))) for bomb in bombs]
    for thread in threads:
        thread.start()
    beside = [Ran(engine, honest) for _ in range(2)]
    for thread in threads:
        thread.join()
    assert [ran.said for ran in beside] == [alone, alone]
    assert all(ran.outcome.status == "ok" for ran in beside)
    got("the same")


@hostile(line=34, expected="runs on the CPU or says why not")
def test_asking_for_a_gpu_says_why_there_is_none(engine, got, tmp_path):
    cells = (
        "import torch\nprint(torch.cuda.is_available())\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
        "print(torch.ones(2).to(device).sum().item())",
        "print(torch.ones(1).to('cuda').device)",  # the rule `no_gpu` sees this
        "torch.ones(1).to('cu' + 'da')",
    )
    ran = Notebook(engine, tmp_path, *cells, memory=2 * 10**9, cell_seconds=60, wall_seconds=120)
    assert ran.text.startswith("False\n2.0\ncpu\n")
    assert sorted(ran.codes) == ["cell-error", "notebook-changed"]
    got(ran.result.reason[:80])


@hostile(line=34, expected="honest work goes on")
def test_honest_work_is_not_hindered(engine, got, tmp_path):
    """What notebooks really do: workers that share memory, figures, shell lines, threads, a local server."""
    cells = (
        "import torch, multiprocessing\nfrom torch.utils.data import DataLoader, TensorDataset\n"
        "data = TensorDataset(torch.arange(64.).reshape(64, 1))\n"
        "print(sum(float(x.sum()) for x, in DataLoader(data, batch_size=8, num_workers=2)))",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
        "!ls / > listed.txt; wc -l < listed.txt\nimport subprocess; print(subprocess.run(['id', '-u'], "
        "capture_output=True).returncode)",
        "from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: print(sum(pool.map(int, range(10))))\n"
        "with ProcessPoolExecutor(2) as pool: print(sum(pool.map(abs, range(-5, 5))))",
        "import asyncio, os, tempfile, sqlite3, shutil\nasyncio.run\nos.mkfifo('a-fifo'); os.remove('a-fifo')\n"
        "sqlite3.connect('x.db').execute('create table t (x)'); print(os.cpu_count() > 0)",
        "import socket\ns = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname())\n"
        "print('local', len(socket.if_nameindex()))",
    )
    ran = Notebook(engine, tmp_path, *cells, memory=3 * 10**9, cell_seconds=90, wall_seconds=240, processes=512)
    assert (ran.status, ran.codes) == ("ok", []), (ran.result, ran.text)
    assert "2016.0" in ran.text and "local" in ran.text
    got(ran.said())
