"""What a phase sends in place of its results when it declines: `refused.json`, with a reason for the student."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Send = Callable[[str, Path | bytes], None]


def refuse(send: Send, reason: str, **more: bool) -> None:
    """Send the reason, and what else the phase says of its refusal."""
    send("refused.json", json.dumps({"reason": reason, **more}).encode())


def described(error: BaseException) -> str:
    """An exception of the student's code as a sentence."""
    said = " ".join(str(error).split())[:300]
    return f"loading it stopped with {type(error).__name__}{f': {said}' if said else ''}"


def unread(error: BaseException) -> str:
    """What stopped our own reading of a graph, as a sentence: the graph has a form that it does not know."""
    said = " ".join(str(error).split())[:200]
    return f"its graph has a form that is not read here ({type(error).__name__}{f': {said}' if said else ''})"


@contextmanager
def refusing(send: Send, *ours: type[Exception]) -> Iterator[None]:
    """Refuse with the words of an exception of `ours`; any other ends the phase."""
    try:
        yield
    except ours as error:
        refuse(send, str(error))


@contextmanager
def refusing_all(send: Send, *ours: type[Exception]) -> Iterator[None]:
    """Refuse whatever is raised, for work that runs a student's code: `ours` in their own words, the rest described."""
    try:
        yield
    except ours as error:
        refuse(send, str(error))
    except (Exception, SystemExit) as error:
        refuse(send, described(error))
