"""Finds the folders from which a notebook reads images, by following its constants; nothing is run.

Strings are followed through names, `+`, `/`, `os.path.join`, `Path`, f-strings, dictionaries, loops over
constants, attributes and the parameters of the notebook's own functions. Unknown values are left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product

from .cell import calls, dotted, keyword, last_name, tree_of

_MOST_SOURCE = 200_000  # characters of a cell that is analysed
_MOST_VALUES = 24
_MOST_CHARACTERS = 400
_DEEPEST = 40
# Functions that read images in class folders, and the keyword of their folder argument.
_CLASS_FOLDER_READERS = {
    "ImageFolder",
    "DatasetFolder",
    "flow_from_directory",
    "image_dataset_from_directory",
    "from_folder",
    "from_paths",
    "load_files",
    "get_batches",
}
_FOLDER_READERS = {"listdir", "scandir", "walk", "glob", "iglob", "iterdir", "rglob", "list_files", "isdir", "exists"}
_FILE_READERS = {"open", "load_img", "imread", "read_file", "load_image"}
_MAKERS = {"makedirs", "mkdir"}
_ARCHIVE_READERS = {"ZipFile", "unpack_archive", "is_zipfile", "TarFile"}
_KEYWORDS = ("directory", "root", "path", "img_path", "file", "filename", "dirname", "data_dir", "pathname")
_IMAGE = re.compile(r"\.(jpe?g|png|bmp|webp|gif|JPE?G|PNG)$")
ABOUT_IMAGES = re.compile(
    r"data|train|\bval\b|valid|test|image|img|photo|picture|flower|cats?|dogs?|sample", re.IGNORECASE
)

Values = frozenset[str]
_NONE: Values = frozenset()


class Reads:
    """What the cells read: `folders` that likely hold images, `archives`, and folders that the notebook has `made`."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        self._known: dict[str, Values] = {}
        sources = tuple(source for source in sources if len(source) <= _MOST_SOURCE)
        self._parameters = dict(_parameters(sources))
        for _ in range(3):  # repeated, since a later cell's call sets the parameters of an earlier cell's function
            for source in sources:
                self._learn(source)
        self.folders: dict[str, None] = {}
        self.archives: dict[str, None] = {}
        self.made: set[str] = set()
        for source in sources:
            self._look(source)

    def _learn(self, source: str) -> None:
        tree = tree_of(source)
        for node in ast.walk(tree) if tree else ():
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._bind(target, value)
                case (
                    ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value)
                ):
                    self._bind(target, value)
                case ast.For(target=target, iter=values) | ast.comprehension(target=target, iter=values):
                    self._bind(target, values)
                case ast.FunctionDef(args=arguments):
                    for name, default in _defaults(arguments):
                        self._add(name, self._values(default))
                case ast.Call():
                    self._pass_on(node)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            for one, its in zip(target.elts, value.elts, strict=False):
                self._bind(one, its)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self._bind(one, value)
        elif name := last_name(target):
            self._add(name, self._values(value))

    def _add(self, name: str, values: Values) -> None:
        if values:
            self._known[name] = frozenset(sorted(self._known.get(name, _NONE) | values)[:_MOST_VALUES])

    def _pass_on(self, call: ast.Call) -> None:
        """Note the values that a call passes to the parameters of the notebook's own function."""
        names = self._parameters.get(last_name(call.func))
        if names is None:
            return
        for name, given in zip(names, call.args, strict=False):
            self._add(name, self._values(given))
        for given_by_name in call.keywords:
            if given_by_name.arg in names:
                self._add(given_by_name.arg, self._values(given_by_name.value))

    # --- possible values of an expression --------------------------------------------------------

    def _values(self, node: ast.expr | None, depth: int = 0) -> Values:
        """Every string that the expression may evaluate to; empty when that is not known."""
        if node is None or depth > _DEEPEST:
            return _NONE
        deeper = depth + 1
        match node:
            case ast.Constant(value=str() as text):
                return frozenset([text]) if len(text) <= _MOST_CHARACTERS else _NONE
            case ast.Name() | ast.Attribute():
                name = dotted(node)
                if name in ("os.sep", "os.path.sep"):
                    return frozenset("/")
                return self._known.get(last_name(node), _NONE)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                if isinstance(left, ast.List | ast.Tuple):
                    return self._values(left, deeper) | self._values(right, deeper)
                return _combined([self._values(left, deeper), self._values(right, deeper)], "".join)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return _combined([self._values(left, deeper), self._values(right, deeper)], _joined)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return _combined([self._values(left, deeper), self._values(right, deeper)], _substituted)
            case ast.JoinedStr(values=parts):
                return _combined([self._values(part, deeper) for part in parts], "".join)
            case ast.FormattedValue(value=value):
                return self._values(value, deeper)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return frozenset().union(*(self._values(item, deeper) for item in items[:_MOST_VALUES]))
            case ast.Dict(values=items):
                return frozenset().union(*(self._values(item, deeper) for item in items[:_MOST_VALUES]))
            case ast.Subscript(value=ast.Dict() as table, slice=key) | ast.Subscript(value=table, slice=key):
                return self._values(table, deeper) if not isinstance(key, ast.Slice) else _NONE
            case ast.IfExp(body=yes, orelse=no):
                return self._values(yes, deeper) | self._values(no, deeper)
            case ast.ListComp(elt=item) | ast.DictComp(value=item):
                return self._values(item, deeper)
            case ast.Call():
                return self._call(node, deeper)
        return _NONE

    def _call(self, call: ast.Call, depth: int) -> Values:
        name, owner = last_name(call.func), getattr(call.func, "value", None)
        arguments = [self._values(given, depth) for given in call.args]
        if name in ("Path", "PurePath", "PosixPath", "WindowsPath") or (name == "join" and not _is_text_join(call)):
            return _combined(arguments, _joined) if arguments else frozenset(["."])
        if name == "joinpath":
            return _combined([self._values(owner, depth), *arguments], _joined)
        if name in ("str", "abspath", "realpath", "normpath", "expanduser", "sorted", "list", "fspath") and arguments:
            return arguments[0]
        if name in ("resolve", "as_posix", "expanduser", "absolute", "strip", "lower", "items", "values"):
            return self._values(owner, depth)
        if name == "dirname" and arguments:
            return frozenset(path.rpartition("/")[0] or "." for path in arguments[0])
        if name in ("getcwd", "cwd"):
            return frozenset(["."])
        if name == "format" and owner is not None:
            return _combined([self._values(owner, depth), *arguments], _filled)
        if name == "with_suffix":
            return frozenset(re.sub(r"\.\w+$", "", path) for path in self._values(owner, depth))
        return _NONE

    # --- what is read ----------------------------------------------------------------------------

    def _look(self, source: str) -> None:
        for call in calls(source, *_CLASS_FOLDER_READERS):
            self._read(self._folder(call))
        for call in calls(source, *_FOLDER_READERS):
            likely = frozenset(p for p in self._folder(call) if ABOUT_IMAGES.search(p) and not _is_file(p))
            self._read(likely)
        for call in calls(source, *_FILE_READERS):
            self._read(frozenset(p.rpartition("/")[0] for p in self._folder(call) if _IMAGE.search(p) and "/" in p))
        for call in calls(source, *_ARCHIVE_READERS, "open"):
            opens_another = last_name(call.func) == "open" and dotted(call.func) != "tarfile.open"
            if not opens_another and not _writes(call):
                self.archives |= {path: None for path in sorted(self._folder(call)) if _is_file(path)}
        for call in calls(source, *_MAKERS):
            self.made |= {clean(path) for path in self._folder(call)}
        for found in re.finditer(r"^\s*!\s*mkdir\s+(?:-p\s+)?(\S+)", source, re.MULTILINE):
            self.made.add(clean(found[1]))

    def folders_of(self, call: ast.Call) -> Values:
        """Every folder that a call reads or makes, as far as the notebook's constants tell."""
        return frozenset(map(clean, self._folder(call)))

    def _folder(self, call: ast.Call) -> Values:
        """The folder that a reader gets: its first argument, a keyword, or the path whose method it is."""
        owner = getattr(call.func, "value", None)
        if last_name(call.func) in ("iterdir", "glob", "rglob", "exists", "mkdir") and (own := self._values(owner)):
            return own
        given = call.args[0] if call.args else None
        for name in _KEYWORDS:
            if given is None and (found := keyword(call, name)) is not None:
                given = found.value
        return self._values(given)

    def _read(self, paths: Values) -> None:
        for path in sorted(paths):
            if (folder := clean(path)) not in ("", ".", "..") and "://" not in folder:
                self.folders[folder] = None


def clean(path: str) -> str:
    """The folder in a path or pattern: without `./`, doubled and trailing slashes, and anything from a `*` on."""
    path = path.replace("\\", "/")
    if "*" in path:
        path = path.split("*", 1)[0].rpartition("/")[0]
    rooted = "/" if path.startswith("/") else ""
    return rooted + "/".join(part for part in path.split("/") if part not in ("", "."))


def _writes(call: ast.Call) -> bool:
    """Whether the call opens an archive for writing."""
    mode = call.args[1] if len(call.args) > 1 else None
    return isinstance(mode, ast.Constant) and str(mode.value)[:1] in ("w", "a", "x")


def _is_file(path: str) -> bool:
    return bool(re.search(r"\.\w{1,5}$", path)) and "*" not in path


def _parameters(sources: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    for source in sources:
        tree = tree_of(source)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.FunctionDef):
                yield node.name, [argument.arg for argument in node.args.args if argument.arg != "self"]


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    last = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    yield from ((argument.arg, default) for argument, default in zip(last, arguments.defaults, strict=True))


def _is_text_join(call: ast.Call) -> bool:
    """Whether the call joins text, as `', '.join(names)` does, and makes no path."""
    owner = getattr(call.func, "value", None)
    return isinstance(owner, ast.Constant) or (isinstance(call.func, ast.Attribute) and len(call.args) == 1)


def _combined(parts: list[Values], how: object) -> Values:
    if not all(parts):
        return _NONE
    results = []
    for chosen in product(*(sorted(part) for part in parts)):
        results.append(how(chosen))  # type: ignore[operator]
        if len(results) >= _MOST_VALUES:
            break
    return frozenset(result for result in results if len(result) <= _MOST_CHARACTERS)


def _joined(parts: tuple[str, ...]) -> str:
    path = ""
    for part in parts:
        path = part if part.startswith("/") or not path else f"{path.rstrip('/')}/{part}"
    return path


def _substituted(parts: tuple[str, ...]) -> str:
    return re.sub(r"%s", lambda _: parts[1], parts[0], count=1)


def _filled(parts: tuple[str, ...]) -> str:
    rest = iter(parts[1:])
    return re.sub(r"\{[^{}]*\}", lambda found: next(rest, found[0]), parts[0])
