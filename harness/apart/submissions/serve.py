"""The process's work: it sets its limits, then answers requests, one line of JSON each.

A request holds `what` it asks for (a name in `_ANSWERS`) and `seconds` of processor time. The answer has one of

value     what was asked
stopped   [code, particulars]: why the archive is not taken
machine   why the machine cannot take it
trouble   why the file cannot be read

and `spent`, what unpacking has used so far: {bytes, files, members, seconds}. After `last` the process ends itself.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from .budget import CHUNK, Budget, Spent, UnpackLimits
from .noticed import Noticed, OutOfRoom, Stopped
from .sources import Unreadable

# Only Linux has all of these limits. Elsewhere students check their own files, which need none.
resource: ModuleType | None = importlib.import_module("resource") if sys.platform == "linux" else None

_MEMORY = 1 << 30  # bytes besides Python's own; 7-Zip's best compression needs 0.3 GB
ANSWER_BYTES = 1 << 20
_SAID = 2000  # characters of an error; who shows them cuts them after a word

_VM_DATA = re.compile(r"^VmData:\s+(\d+) kB$", re.MULTILINE)

Request = dict[str, Any]


def main() -> None:
    """Answer until there are no more requests, or memory has run out; the next request then gets a new process."""
    if resource is not None:
        # What can be written to, so not address space: a file that is mapped to be read, a repository's pack, is no
        # memory.
        taken = int(_VM_DATA.findall(Path("/proc/self/status").read_text())[0]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (taken + _MEMORY, taken + _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        answer = _answer(json.loads(line))
        text = json.dumps(answer)
        if len(text) >= ANSWER_BYTES:
            text = json.dumps({"trouble": "there is more of it than anyone needs", "spent": answer["spent"]})
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        if "last" in answer:
            break


def _answer(request: Request) -> dict[str, object]:
    """The answer to a request."""
    before = time.process_time()
    _limit_time(before, request["seconds"])
    limits = UnpackLimits(**request.get("limits", {}))
    _limit_files(limits.total_bytes + CHUNK)
    budget = Budget(limits, request.get("packed_bytes"), Spent(**request.get("spent", {})))
    said: dict[str, object] = {}
    try:
        said["value"] = _ANSWERS[request["what"]](request, budget)
    except Stopped as stopped:
        said["stopped"] = [stopped.noticed.code, stopped.noticed.particulars]
    except OutOfRoom as trouble:
        said["machine"] = str(trouble)
    except Unreadable as trouble:
        said["trouble"] = str(trouble)
    except MemoryError:
        said["trouble"], said["last"] = "reading it takes too much memory", True
    except Exception as error:  # any error of a decoder is that file's trouble
        said["trouble"] = f"{type(error).__name__}: {error}"[:_SAID]
    said["spent"] = asdict(budget.used(time.process_time() - before))
    return said


def _limit_time(used: float, seconds: float) -> None:
    """Let the kernel end the process after `seconds` more of processor time."""
    if resource is None:
        return
    soft = math.ceil(used + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _limit_files(size: int) -> None:
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _unpack(request: Request, budget: Budget) -> object:
    from .archive import unpack

    folder = Path(request["folder"])
    os.chdir(folder)
    return _told(unpack(Path(request["archive"]), folder, budget))


def _unpack_member(request: Request, budget: Budget) -> object:
    from .class_zip import opened

    return _told(opened(request["zip"]).unpack(request["member"], Path(request["folder"]), budget))


def _content(request: Request, _: Budget) -> object:
    from .archive import content

    return content(Path(request["path"]))


def _listed(request: Request, _: Budget) -> object:
    from .class_zip import opened

    entries, more = opened(request["zip"]).listed(request["folder"], request["start"])
    return {"entries": entries, "more": more}


def _table(request: Request, _: Budget) -> object:
    from .tables import table

    return table(request["file"], request["columns"], request["start"])


def _receipt(request: Request, _: Budget) -> object:
    from .lms_text import receipt

    return receipt(request["file"])


def _stamp(request: Request, _: Budget) -> object:
    from .lms_text import stamp

    return stamp(request["file"])


def _gradescope(request: Request, _: Budget) -> object:
    from .gradescope_yaml import metadata

    return metadata(request["file"], request["folders"])


def _last_commit(request: Request, _: Budget) -> object:
    from .commit_time import last_commit

    return last_commit(Path(request["folder"])).isoformat()


def _manifest(request: Request, _: Budget) -> object:
    from .manifest import top_names

    return top_names(request["file"])


def _names(request: Request, _: Budget) -> object:
    from .name_cell import names_in

    return names_in(Path(request["notebook"]))


def _imports(request: Request, _: Budget) -> object:
    from .imports import imported_modules

    return sorted(imported_modules(Path(request["notebook"])))


def _texts(request: Request, _: Budget) -> object:
    from .texts import texts

    return texts(Path(request["notebook"]))


def _calls(request: Request, _: Budget) -> object:
    from .calls import calls_and_addresses

    return calls_and_addresses(Path(request["notebook"]))


def _labels(request: Request, _: Budget) -> object:
    from .label_lists import label_list

    return label_list(request["file"])


def _kinds(request: Request, _: Budget) -> object:
    from .file_kinds import kinds

    return kinds(request["folder"], request["files"])


def _external_data(request: Request, _: Budget) -> object:
    from .external_data import locations

    return locations(Path(request["file"]))


def _told(noticed: list[Noticed]) -> list[object]:
    return [[one.code, one.particulars] for one in noticed]


_ANSWERS: dict[str, Callable[[Request, Budget], object]] = {
    "unpack": _unpack,
    "content": _content,
    "unpack member": _unpack_member,
    "list": _listed,
    "table": _table,
    "receipt": _receipt,
    "stamp": _stamp,
    "gradescope": _gradescope,
    "last commit": _last_commit,
    "manifest": _manifest,
    "names": _names,
    "imports": _imports,
    "texts": _texts,
    "calls": _calls,
    "labels": _labels,
    "kinds": _kinds,
    "external data": _external_data,
}
