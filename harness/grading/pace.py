"""How much of a run's time goes into what is only shown meanwhile."""

from __future__ import annotations

_SHARE = 0.1  # of the run's time, at most


class Pace:
    """Lets a piece of work begin while all of it took at most a tenth of the time since `began`, in seconds.

    A run that takes everything from the cache is slowed down by that tenth and the last piece.
    """

    def __init__(self, began: float) -> None:
        self._began, self._spent = began, 0.0

    def allows(self, now: float) -> bool:
        """Whether the next piece may begin."""
        return self._spent <= _SHARE * (now - self._began)

    def took(self, seconds: float) -> None:
        """A piece has ended."""
        self._spent += seconds
