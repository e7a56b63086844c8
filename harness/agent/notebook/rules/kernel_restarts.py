"""`os.kill(os.getpid(), 9)`, `exit()`, `do_shutdown(True)`: how a kernel is restarted on Colab."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..cell import (
    Edit,
    calls,
    comment_out,
    dotted,
    edited,
    in_shell_cell,
    last_name,
    nodes,
    shell_lines,
    span_of,
    text_of,
    tree_of,
)
from ..rule_context import Setting

TITLE = "Calls that end or restart the kernel are left out, and the cells after them run"
ON = True

_PLAIN = ("exit", "quit")  # IPython's, also without parentheses
_METHODS = ("do_shutdown", "do_restart", "ask_exit", "restart_kernel", "shutdown_kernel")
_OF_OS = ("_exit", "abort", "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe")
_SIGNALS = ("kill", "killpg", "raise_signal", "pthread_kill", "terminate")
_SHELL = re.compile(r"^(?:sudo\s+)?(?:kill|pkill|killall)\b")
_STARTERS = ("system", "Popen", "run", "call", "check_call", "check_output", "getoutput")


def apply(source: str, setting: Setting) -> str:
    def change(command: str) -> str | None:
        if not _SHELL.match(command):
            return None
        setting.note("restart-left-out", f"!{command}")
        return f": not run: {command}" if in_shell_cell(source) else comment_out(f"!{command}")

    source = shell_lines(source, change)
    edits = []
    for node in _ending(source, setting):
        setting.note("restart-left-out", text_of(source, node))
        edits.append(Edit(span_of(source, node), _instead(source, node)))
    return edited(source, edits)


def _ending(source: str, setting: Setting) -> Iterator[ast.AST]:
    """The calls, and the statements of `exit` and `quit` without parentheses."""
    for call in calls(source, *_PLAIN, *_METHODS, *_OF_OS, *_SIGNALS, *_STARTERS, "unassign"):
        if _ends(source, call, setting):
            yield call
    tree = tree_of(source)
    for statement in tree.body if tree else ():
        match statement:
            case ast.Expr(value=ast.Name(id=name)) if name in _PLAIN and not _is_own(name, setting):
                yield statement
            # Inside an `if` it is the author's own check, which says why the rest cannot run.
            case ast.Expr(value=ast.Call(func=func)) if dotted(func) == "sys.exit":
                yield statement.value
            case ast.Raise(exc=ast.Name(id="SystemExit") | ast.Call(func=ast.Name(id="SystemExit"))):
                yield statement


def _ends(source: str, call: ast.Call, setting: Setting) -> bool:
    name, whole = last_name(call.func), dotted(call.func)
    if name in _PLAIN:
        return whole in (*_PLAIN, *(f"builtins.{plain}" for plain in _PLAIN)) and not _is_own(name, setting)
    if name in _METHODS:
        return isinstance(call.func, ast.Attribute)
    if name == "unassign":
        return whole.split(".")[-2:-1] == ["runtime"] or setting.mentions("google.colab.runtime import unassign")
    if name in _OF_OS:
        return _is_of(("os", "posix"), name, call.func, setting)
    if name in _SIGNALS:
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):  # psutil.Process(getpid())
            return any(_is_own_number(one, setting) for one in ast.walk(call.func.value))
        return _is_of(("os", "posix", "signal"), name, call.func, setting) and _signals_itself(call, setting)
    return bool(re.search(r"\bkill", text_of(source, call))) and any(
        _is_own_number(one, setting) for one in ast.walk(call)
    )


def _signals_itself(call: ast.Call, setting: Setting) -> bool:
    if last_name(call.func) == "raise_signal":
        return True
    harmless = len(call.args) > 1 and isinstance(call.args[1], ast.Constant) and call.args[1].value == 0
    return bool(call.args) and not harmless and any(_is_own_number(one, setting) for one in ast.walk(call.args[0]))


def _is_own_number(node: ast.AST, setting: Setting) -> bool:
    """Whether the value is the kernel's process number: `os.getpid()`, or a name that got it."""
    if isinstance(node, ast.Call):
        return last_name(node.func) in ("getpid", "getpgid", "getpgrp")
    name = node.id if isinstance(node, ast.Name) else ""
    return bool(name) and any(
        re.search(rf"(^|\n)\s*{re.escape(name)}\s*=\s*(?:\w+\.)?getpid\(\)", source) for source in setting.sources
    )


def _is_of(modules: tuple[str, ...], name: str, func: ast.expr, setting: Setting) -> bool:
    """Whether the function is a module's own: by the module's name or alias, or imported from it."""
    if isinstance(func, ast.Attribute):
        owner = dotted(func.value)
        imported = any(
            re.search(rf"\bimport\s+(?:[\w., ]+,\s*)?{module}\s+as\s+{re.escape(owner)}\b", source)
            for module in modules
            for source in setting.sources
        )
        return owner in modules or (bool(owner) and imported) or _imported_at_once(func.value) in modules
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module in modules
        and any((alias.asname or alias.name) == name or alias.name == "*" for alias in node.names)
        for source in setting.sources
        for node in nodes(source)
    )


def _imported_at_once(node: ast.expr) -> str:
    """`os` for `__import__('os')`; else empty."""
    match node:
        case ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=str() as name), *_]):
            return name
    return ""


def _is_own(name: str, setting: Setting) -> bool:
    """Whether the notebook itself defines the name."""
    return any(
        re.search(rf"(^|\n)\s*(?:{name}\s*=|def {name}\b|(?:from\s+\S+\s+)?import\b.*\b{name}\b)", source)
        for source in setting.sources
    )


def _instead(source: str, node: ast.AST) -> str:
    """What an expression would have worked out first, as in `exit(main())`; else nothing."""
    if not isinstance(node, ast.Call):
        return "pass" if isinstance(node, ast.Raise) else "None"
    works = last_name(node.func) in (*_PLAIN, "exit") and any(
        isinstance(part, ast.Call | ast.Await) for given in node.args for part in ast.walk(given)
    )
    return f"({', '.join(text_of(source, given) for given in node.args)},)" if works else "None"
