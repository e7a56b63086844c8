"""The phase `rewrite`: rewrites the parts of a submission that a rerun may see.

/in/dataset is the data set, /in/notebook the notebook if there is one, /in/allowed-N the files of the submission
that the assignment allows in a rerun. The request holds `use` and `withheld` (names of images, as in the audit),
`secret` (text: decides how images are shifted), `longest_side` (pixels), `allowed` (the names of /in/allowed-N) and
`part`: null, or first number and count of the images to send.

Without `part`, sent: `rewritten.json`; `notebook.ipynb`; `texts`, with a line for each annotation and list (its path
in the data set), its content and a zero byte; `allowed-N` for each of those files that is text. With it: `image-N`,
and `images.json` with [N, name, path, whether it looks like data] for each image that decodes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from ..dataset import open_tree, read
from ..dataset.walk import Tree
from ..notebook.reading import Unreadable, code_cells
from ..notebook.reading import read as read_notebook
from ..notebook.surrogates import encoded
from ..paths import IN, WORK
from ..rerun import naming, pixels, source
from ..rerun.plan import Choice, Plan, audited_name, plan
from ..rerun.texts import texts

_MOST_ALLOWED = 256 * 1024  # bytes of a Python module or text file
_ALLOWED_SUFFIXES = (".py", ".txt", ".csv", ".json", ".md")
_EXAMPLES = 3

Send = Callable[[str, Path | bytes], None]


def run(request: dict[str, Any], send: Send) -> None:
    """Rewrite the submission and send it."""
    notebook, unreadable = _notebook()
    code = [cell.source for cell in code_cells(notebook)] if notebook else []
    files = open_tree(IN / "dataset", WORK)
    choice = Choice(frozenset(request["use"]), frozenset(request["withheld"]))
    chosen = plan(files, read(files), choice, request["secret"], request["longest_side"], "\n".join(code))
    if request["part"] is not None:
        first, count = request["part"]
        _send_images(chosen, first, count, send)
        return
    if notebook:
        try:
            send("notebook.ipynb", source.rewritten(notebook))
        except Unreadable as error:
            unreadable = str(error)
    reply = {"unreadable": unreadable[:1000], "images": len(chosen.kept), "names_replaced": chosen.names_replaced}
    reply |= _send_texts(files, chosen, send) | {"archive": _archive(files)}
    allowed = _allowed(request["allowed"])
    for number, content in allowed.items():
        send(f"allowed-{number}", content.encode())
    named = {request["allowed"][number]: content for number, content in allowed.items()}
    modules = {name: content for name, content in named.items() if name.endswith(".py")}
    others = {name: content for name, content in named.items() if name not in modules}
    prose = [cell.source for cell in notebook.cells if cell.cell_type != "code"] if notebook else []
    reply |= {"allowed": sorted(allowed), "carried": source.carried(code, prose, modules, others).values()}
    send("rewritten.json", encoded(reply))


def _notebook() -> tuple[Any, str]:
    """The notebook and ""; None and why it cannot be read; or None and "" where there is none."""
    if not (IN / "notebook").is_file():
        return None, ""
    try:
        return read_notebook(IN / "notebook"), ""
    except Unreadable as error:
        return None, str(error)


def _send_images(chosen: Plan, first: int, count: int, send: Send) -> None:
    rows = []
    for number, one in enumerate(chosen.kept[first : first + count], first):
        made = pixels.made(one.image.file, one.path.suffix, one.frame)
        if made is not None:
            send(f"image-{number}", made.content)
            rows.append([number, one.name, one.path.as_posix(), made.carries_data])
    send("images.json", encoded(rows))


def _send_texts(files: Tree, chosen: Plan, send: Send) -> dict[str, Any]:
    found = texts(files, chosen)
    records = (f"{text.path}\n{text.content.replace(chr(0), '')}\0" for text in found.rebuilt)
    send("texts", "".join(records).encode("utf-8", "replace"))
    return {
        "information": found.information,
        "usual": found.usual,
        "files_left_out": len(found.left_out),
        "examples": [audited_name(file, files.root) for file in found.left_out[:_EXAMPLES]],
    }


def _archive(files: Tree) -> str:
    """The path of the folder's only file if that is a zip; empty for any other folder, and for a zip."""
    place = IN / "dataset"
    if place.is_file() or files.root.is_relative_to(place):
        return ""
    archive = next(file for file in place.rglob("*") if file.suffix.lower() == ".zip" and file.is_file())
    path = PurePosixPath(archive.relative_to(place).as_posix())
    return path.as_posix() if naming.is_plain(path) else "images.zip"


def _allowed(names: list[str]) -> dict[int, str]:
    """Number -> content of the allowed files that are text, with normalised line ends."""
    found = {}
    for number, name in enumerate(names):
        file = IN / f"allowed-{number}"
        if name.lower().endswith(_ALLOWED_SUFFIXES) and file.stat().st_size <= _MOST_ALLOWED:
            try:
                found[number] = "\n".join(file.read_bytes().decode("utf-8-sig").splitlines()) + "\n"
            except UnicodeDecodeError:
                continue
    return found
