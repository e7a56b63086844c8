"""What the process does: takes its limits, unpacks, and says on stdout as JSON what came of it.

noticed   a list of [code, particulars]: what was left out
stopped   [code, particulars]: why the archive is not taken
machine   why the machine cannot take it
"""

from __future__ import annotations

import json
import resource
from pathlib import Path

from .archive import unpack
from .budget import CHUNK, UnpackLimits
from .noticed import OutOfRoom, Stopped

_MEMORY = 1 << 30  # bytes of address space beside what Python itself takes; 7-Zip's own best needs 0.3


def main(archive: str, folder: str, limits: str) -> None:
    """Unpack `archive` into `folder` under `limits`, which are `UnpackLimits` as JSON; say what came of it."""
    bounds = UnpackLimits(**json.loads(limits))
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, taken + _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.total_bytes + CHUNK, bounds.total_bytes + CHUNK))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    said: dict[str, object] = {}
    try:
        said["noticed"] = [[n.code, n.particulars] for n in unpack(Path(archive), Path(folder), bounds)]
    except Stopped as stopped:
        said["stopped"] = [stopped.noticed.code, stopped.noticed.particulars]
    except OutOfRoom as trouble:
        said["machine"] = str(trouble)
    print(json.dumps(said))
