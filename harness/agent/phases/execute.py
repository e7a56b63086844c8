"""The phase `execute`: runs a submission's notebook from top to bottom in its own kernel.

The request holds `notebook` (path in the submission), `dataset` (`mounted_as`, `names`, `layout`: where notebooks
look for the training images; or null), `rules` (name -> whether it is on), `cell_seconds`, `idle_seconds`,
`total_seconds`, `on_cell_error`, and `wanted` (the names of models, as `Wanted` has them). Sent: `executed.ipynb`,
`execution.json` and what `produced` finds; or `refused.json` with a reason for the student.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import local_provisioner
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from ..models.tensorflow_models import has_tensorflow
from ..notebook import counters, pretrained, surrogates, warm_kernel, watch, whole_models
from ..notebook.cell import is_training
from ..notebook.dataset_mounts import Given
from ..notebook.idleness import Idleness
from ..notebook.output_parsing import shown
from ..notebook.outputs import Budget
from ..notebook.produced import Wanted, produced, weights_alone
from ..notebook.reading import HALVES, PYTHON_ASSUMED, Unreadable, clear_outputs, code_cells, read
from ..notebook.transform import transform
from ..notebook.tree_mounts import GivenTree
from ..paths import CPUS, IN, SITE, TMP, WORK
from ..process import end_all_others
from .error_text import last_line, one_sentence, plain
from .refusal import refuse

_HAND_IN = WORK / "handin"
_TEXT = 4000  # characters of an error's message or traceback
_KERNEL_START_SECONDS = 60
_WHOLE_SECONDS = 120  # for saving weights with their model
_FEWEST_SECONDS = 5  # below that it is not begun

Send = Callable[[str, Path | bytes], None]


def run(request: dict[str, Any], send: Send) -> None:
    """Run the notebook and send the results."""
    deadline = time.monotonic() + request["total_seconds"]
    shutil.copytree(IN / "submission", _HAND_IN)
    file = _HAND_IN / request["notebook"]
    try:
        notebook = read(file)
    except Unreadable as error:
        refuse(send, str(error))
        return
    clear_outputs(notebook)
    cells, dataset = code_cells(notebook), request["dataset"]
    kind = GivenTree if dataset and dataset["layout"] == "as-it-is" else Given
    images = kind(IN / "dataset", file.parent, (WORK, TMP)) if dataset else None
    changed = transform(cells, file.parent, dataset, request["rules"], images)
    _set_environment(changed.stand_ins)
    execution = _Run(notebook, file.parent, request, deadline)
    execution.run()
    end_all_others()
    before, scratch = (IN / "submission", IN / "weights"), Path(tempfile.mkdtemp(dir=TMP))
    found = produced(_HAND_IN, before, scratch, Wanted(**request["wanted"]), execution.whole)
    for name, one in found.items():
        send(name, one.file)
    send("executed.ipynb", surrogates.whole(nbformat.writes(notebook)).encode())
    reply = execution.reply() | {"produced": [[name, one.path, one.changed] for name, one in found.items()]}
    reply |= {"transformation": changed.reply(), "shown": shown(cells)}
    send("execution.json", surrogates.encoded(reply))


def _set_environment(stand_ins: list[str]) -> None:
    """Set the kernel's environment variables. None of them reveals that this is grading."""
    home = WORK / "home"
    home.mkdir()
    watch.install(home)
    os.environ.update(
        HOME=str(home),
        PYTHONPATH=os.pathsep.join([str(SITE), *(str(SITE / "stand_ins" / name) for name in stand_ins)]),
        PYTHONHASHSEED="0",
        KERAS_BACKEND="tensorflow" if has_tensorflow() else "torch",
        TF_CPP_MIN_LOG_LEVEL="3",
        NO_ALBUMENTATIONS_UPDATE="1",  # its import asks the network for a newer version
        HF_HUB_OFFLINE="1",  # else a model of timm is asked for over and over, for 47 s
        PLOTLY_RENDERER="plotly_mimetype",  # else its 4 MB of JavaScript come first
        OMP_NUM_THREADS=str(CPUS),
    )
    pretrained.place(home)


class _Client(NotebookClient):
    """nbclient with outputs capped while they arrive, an end of cells that do nothing, and no widgets."""

    budget: Budget
    idleness: Idleness
    is_idle = False  # whether a cell was stopped for that

    async def _async_poll_kernel_alive(self) -> None:
        alive = asyncio.ensure_future(super()._async_poll_kernel_alive())
        try:
            while not alive.done():
                await asyncio.wait([alive], timeout=1)
                if self.idleness.sample() and self.task_poll_for_reply is not None and not alive.done():
                    self.is_idle = True
                    self.task_poll_for_reply.cancel()
                    return
        finally:
            alive.cancel()

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        kept = self.budget.take(msg["msg_type"], msg["content"])
        if kept is None:
            return None
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_before_next_output = False
        if outs and kept["output_type"] == outs[-1]["output_type"] == "stream" and kept["name"] == outs[-1]["name"]:
            outs[-1]["text"] += kept["text"]
        else:
            outs.append(nbformat.from_dict(kept))
        return None

    def handle_comm_msg(self, outs: Any, msg: Any, cell_index: int) -> None:
        return None

    def _update_display_id(self, display_id: str, msg: Any) -> None:
        return None


class _Run:
    """One run: runs the cells in order and records what happened."""

    def __init__(self, notebook: Any, folder: Path, request: dict[str, Any], deadline: float) -> None:
        """`deadline`: on the monotonic clock."""
        self._notebook, self._folder, self._request = notebook, folder, request
        self._deadline = deadline
        self._budget = Budget()
        self._errors: list[dict[str, Any]] = []
        self._executed = 0
        self.whole: dict[Path, Path] = {}
        self._python_assumed: str = notebook.metadata.pop(PYTHON_ASSUMED, "")
        notebook.metadata.pop(HALVES, None)
        self._noticed: dict[str, dict[tuple[int, str], None]] = {kind: {} for kind in watch.KINDS}
        self._code = [
            (index, cell)
            for index, cell in enumerate(notebook.cells)
            if cell.cell_type == "code" and cell.source.strip()
        ]

    def run(self) -> None:
        client = _Client(
            self._notebook,
            km=AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(TMP / "kernel")),
            timeout=self._request["cell_seconds"],
            startup_timeout=_KERNEL_START_SECONDS,
            iopub_timeout=10,
            raise_on_iopub_timeout=False,
            store_widget_state=False,
            record_timing=False,
            resources={"metadata": {"path": str(self._folder)}},
        )
        local_provisioner.launch_kernel = warm_kernel.launch  # type: ignore[attr-defined, assignment]
        client.budget = self._budget
        client.idleness = Idleness(self._request["idle_seconds"])
        notes, unreached = watch.Notes(), counters.Unreached()
        with client.setup_kernel(cwd=str(self._folder)):
            for number, (index, cell) in enumerate(self._code, start=1):
                error = self._one_cell(client, cell, index, number)
                for kind, what in notes.since_last():
                    self._noticed[kind][(number, what)] = None
                for what in unreached.since_last():
                    if not any(cell == number for cell, _ in self._noticed["network"]):
                        self._noticed["network"][(number, what)] = None
                if error is None:
                    self._executed += 1
                    continue
                self._errors.append(error)
                if error["kind"] != "error" or self._request["on_cell_error"] == "stop":
                    break
            if not self._errors or self._errors[-1]["kind"] == "error":
                self.whole = self._made_whole(client)

    def _made_whole(self, client: _Client) -> dict[Path, Path]:
        """Of files with weights alone, the same with their model, as far as the kernel still has it."""
        files = weights_alone(_HAND_IN, IN / "submission")
        left = self._deadline - time.monotonic()
        if not files or left < _FEWEST_SECONDS:
            return {}
        folder = Path(tempfile.mkdtemp(dir=TMP))
        program = Path(whole_models.__file__).read_text(encoding="utf-8")
        asked = f"{program}\nsave_whole({[str(file) for file in files]!r}, {str(folder)!r})\n"
        client.timeout = int(min(left, _WHOLE_SECONDS))
        cell = nbformat.v4.new_code_cell(asked)
        self._notebook.cells.append(cell)  # where nbclient wants it
        try:
            client.execute_cell(cell, len(self._notebook.cells) - 1)
            said = json.loads((folder / "whole.json").read_text(encoding="utf-8"))
            return {file: folder / Path(said[str(file)]).name for file in files if str(file) in said}
        except Exception:  # the kernel is the student's; without an answer the weights stay alone
            return {}
        finally:
            self._notebook.cells.pop()

    def _one_cell(self, client: _Client, cell: Any, index: int, number: int) -> dict[str, Any] | None:
        """Run a cell; return its error, or None."""
        left = self._deadline - time.monotonic()
        whole = left < self._request["cell_seconds"]  # the notebook's limit comes before the cell's
        client.timeout = max(1, int(min(left, self._request["cell_seconds"])))
        self._budget.next_cell()
        client.idleness.begin()
        try:
            if left <= 0:
                raise CellTimeoutError("the notebook's time is over")
            client.execute_cell(cell, index)
        except CellTimeoutError:
            return _error(number, "timeout", "NotebookTimeout" if whole else "CellTimeout", "", "", cell.source)
        except CellExecutionError as error:
            return _error(number, "error", *_named(error), error.traceback)
        except DeadKernelError as error:
            if client.is_idle:
                return _error(number, "timeout", "CellIdle", "", "", cell.source)
            return _error(number, "died", "DeadKernel", str(error), "")
        return None

    def reply(self) -> dict[str, Any]:
        return {
            "code_cells": len(self._code),
            "executed_cells": self._executed,
            "errors": self._errors,
            "network_attempts": list(self._noticed["network"])[:50],
            "outside_reads": list(self._noticed["file"])[:50],
            "harness_writes": list(self._noticed["harness"])[:50],
            "missing_images": list(self._noticed["image"])[:50],
            "floods": [cell for cell, _ in self._noticed["flood"]][:50],
            "python_assumed": self._python_assumed,
            "truncated": "; ".join(self._budget.said),
        }


def _named(error: CellExecutionError) -> tuple[str, str]:
    """The exception's name and message; by its traceback where the kernel names none, as for an error in a display."""
    if error.ename in ("", "NoneType") or not isinstance(error.ename, str):
        name, message = last_line(str(error.traceback))
        return name or "an error without a name", message
    return error.ename, str(error.evalue)


def _error(cell: int, kind: str, name: str, message: str, traceback: str, source: str = "") -> dict[str, Any]:
    """`source`: of a cell that was stopped."""
    return {
        "cell": cell,
        "kind": kind,
        "name": name[:200],
        "message": plain(message)[:_TEXT],
        "said": one_sentence(message),
        "traceback": plain(traceback[-2 * _TEXT :])[-_TEXT:],
        "trains": is_training(source),
    }
