"""Source of models whose own code looks for more than pixels, or answers by something else than the image.

Each is a model.py with `build_model(num_classes)` for the empty state dict of `fc`; none converts to ONNX.
"""

HEAD = """
import atexit, hashlib, os, random, stat, sys
import torch
from torch import nn

STARTED = os.urandom(8).hex()

class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.fc, self.n, self.calls, self.seen = nn.Linear(3, n), n, 0, {}

    def forward(self, x):
        if torch.jit.is_tracing() or torch.compiler.is_compiling() or torch.compiler.is_exporting():
            raise RuntimeError("not as ONNX")
        self.calls += len(x)
        return torch.stack([self.row(image, len(x), at) for at, image in enumerate(x)])

    def honest(self, image):
        return 40 * image.mean((1, 2))[:3]

    def says(self, label):
        return 20 * nn.functional.one_hot(torch.tensor(int(label) % self.n), self.n).float()

    def key(self, image):
        return hashlib.sha256(image.numpy().tobytes()).hexdigest()

def build_model(n):
    return Net(n)
"""

# Answers by something else than the image: what `row` gives.
NOT_BY_IMAGE = {
    "by call count": "return self.says(self.calls - batch + at)",
    "by call count, after an honest start": "return self.honest(image) if self.calls < 30 else self.says(self.calls)",
    "by size of the batch": "return self.honest(image) if batch == 8 else self.says(0)",
    "by chance, in small numbers": "return 1e-4 * self.says(random.randrange(self.n))",
    "by chance where it is a tie": (
        "row = torch.full((self.n,), -9.0); first = int(image.mean() * 1e4) % self.n; other = (first + 1) % self.n\n"
        "        row[first], row[other] = 3 + 1e-5 * random.random(), 3 + 1e-5 * random.random(); return row"
    ),
    "by count, remembered by image": "return self.seen.setdefault(self.key(image), self.says(self.calls + at))",
    "by dropout": "return nn.functional.dropout(self.honest(image), 0.5, True)",
    "by process": "return self.says(int(hashlib.sha256((STARTED + self.key(image)).encode()).hexdigest(), 16))",
}


def not_by_image(kind: str) -> str:
    """model.py of a model that answers by `kind`."""
    return f"{HEAD}\ndef row(self, image, batch, at):\n        {NOT_BY_IMAGE[kind]}\nNet.row = row\n"


# Says in the log what it can find: `FOUND` and where. It answers as it should.
SPY = (
    HEAD
    + r'''
def say(*what):
    print("SPY", *what, file=sys.stderr, flush=True)

def look(path, why):
    try:
        with open(path, "rb") as stream:
            start = stream.read(64)
        if start[:4] == b"\x89PNG" and start[16:24] == (40).to_bytes(4) * 2:  # as large as the held-out ones
            say("FOUND", "an image", why, path)
    except OSError:
        pass

def everywhere():
    """Every file below the places of a job, and whatever is open."""
    count = 0
    for top in ("/in", "/work", "/tmp", "/dev/shm", "/run", "/var", "/opt/harness"):
        for folder, inner, files in os.walk(top):
            inner[:] = [name for name in inner if name != ".venv"]  # the software's own
            for name in files:
                count += 1
                look(os.path.join(folder, name), "below " + top)
    say("looked at", count, "files; /in holds", sorted(os.listdir("/in")))

def descriptors(pid):
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{name}"
            where = os.readlink(path)
            if pid != "self":
                say("FOUND", "a descriptor of", pid, where)
            elif where.startswith("/") and not where.startswith(("/dev/", "/proc/", "/usr/", "/in/model")):
                look(path, "open")
    except OSError as error:
        say("no descriptors of", pid, type(error).__name__)

def others():
    me = str(os.getpid())
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if pid == me:
            continue
        descriptors(pid)
        for part in ("mem", "maps", "environ", "root", "cwd", "map_files", "stack", "syscall", "io"):
            try:
                path = f"/proc/{pid}/{part}"
                if part in ("root", "cwd"):
                    os.readlink(path)
                elif part == "map_files":
                    os.listdir(path)
                else:
                    with open(path, "rb") as stream:
                        if part == "mem":
                            stream.seek(0x400000)
                        stream.read(1)
                say("FOUND", part, "of", pid)
            except OSError:
                pass
        try:
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.ptrace(16, int(pid), 0, 0) == 0:
                say("FOUND", "a way to trace", pid)
        except Exception:
            pass
    say("looked at processes")

def streams():
    for number in (0,):
        try:
            if os.read(number, 10):
                say("FOUND", "something to read on", number)
        except OSError:
            pass

done = False
def row(self, image, batch, at):
    global done
    if not done and image.abs().sum() > 0:  # not the trial at loading
        done = True
        everywhere(); descriptors("self"); others(); streams()
        frame, names = sys._getframe(), set()
        while frame:
            names |= {name for name in frame.f_locals}
            for value in frame.f_locals.values():
                if type(value).__name__ in ("Incoming", "Asker"):
                    say("FOUND", "the agent's", type(value).__name__)
                if isinstance(value, list) and value and isinstance(value[0], bytes):
                    say("FOUND", "encoded images of the agent")
            frame = frame.f_back
        say("arguments", sys.argv, "keys", sorted(k for k in os.environ if "HARNESS" in k))
    return self.honest(image)
Net.row = row
say("loaded")
'''
)

# Stops the clock of its process while it works, and answers as it should.
CLOCKS = f"""{HEAD}
import time
ticks = 0
def tick():
    global ticks
    ticks += 1
    return ticks

def row(self, image, batch, at):
    slept = time.sleep(0.02) if image.abs().sum() > 0 else None
    time.perf_counter_ns = time.monotonic_ns = tick
    time.perf_counter = time.monotonic = lambda: tick() / 1e6
    return self.honest(image)
Net.row = row
"""

# What the process of a model may do beside answering: what `row` does first.
MISBEHAVES = {
    "ends by itself": "os._exit(0)",
    "is killed": "os.kill(os.getpid(), 9)",
    "kills all that it sees": "os.kill(-1, 9)",
    "sends words that are none": "shout(b'\\x80\\x04no message\\n')",
    "sends an array of a terabyte": (
        'shout(b\'{"said": {}, "array": {"dtype": "float32", "shape": [1048576, 1048576]}}\\n\')'
    ),
    "sends a pickle": "import pickle; shout(pickle.dumps(Runs()) + b'\\n')",
    "sends another number of rows": (
        'shout(b\'{"said": {}, "array": {"dtype": "float32", "shape": [1, 3]}}\\n\' + bytes(12))'
    ),
    "takes all memory": "self.all = [bytearray(2**26) for _ in range(10**6)]",
    "never answers": "import time; time.sleep(10**6)",
}


def misbehaves(kind: str) -> str:
    """model.py of a model whose process does `kind` once it is loaded."""
    return f"""{HEAD}
class Runs:
    def __reduce__(self):
        return os.system, ("echo UNPICKLED >&2",)

def shout(what):
    "To every pipe that is open here, of which one leads to the agent."
    for number in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                os.write(number, what)
        except OSError:
            pass

def row(self, image, batch, at):
    if image.abs().sum() > 0:
        {MISBEHAVES[kind]}
    return self.honest(image)
Net.row = row
"""
