"""A phase that declines sends `refused.json`, with a reason for the student, in place of its results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..notebook.surrogates import encoded
from .error_text import one_sentence

Send = Callable[[str, Path | bytes], None]


def refuse(send: Send, reason: str, **more: bool) -> None:
    """Send the reason, and flags that the phase adds."""
    send("refused.json", encoded({"reason": reason, **more}))


def described(error: BaseException) -> str:
    """A sentence about an exception of the student's code."""
    said = "" if isinstance(error, SystemExit) and error.code is None else one_sentence(str(error))
    return f"loading it stopped with {type(error).__name__}{f': {said}' if said else ''}"


def unread(error: BaseException) -> str:
    """A sentence about an exception of our own analysis: it does not know the graph's form."""
    said = one_sentence(str(error))
    return f"its graph has a form that is not read here ({type(error).__name__}{f': {said}' if said else ''})"


@contextmanager
def refusing(send: Send, *ours: type[Exception]) -> Iterator[None]:
    """Refuse with the message of an exception of type `ours`; any other ends the phase."""
    try:
        yield
    except ours as error:
        refuse(send, str(error))


@contextmanager
def refusing_all(send: Send, *ours: type[Exception]) -> Iterator[None]:
    """Refuse on any exception, for work that runs a student's code: `ours` by message, others by `described`."""
    try:
        yield
    except ours as error:
        refuse(send, str(error))
    except (Exception, SystemExit) as error:
        refuse(send, described(error))
