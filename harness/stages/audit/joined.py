"""Disjoint sets (union-find) of the numbers 0 to count - 1."""

from __future__ import annotations

from collections import defaultdict


class Joined:
    """Disjoint sets that can be joined; memory is one integer per member."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def copy(self) -> Joined:
        """An independent copy of the sets."""
        other = Joined(0)
        other._parent = self._parent.copy()
        return other

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self._root(one), self._root(other)))
        self._parent[high] = low

    def together(self, one: int, other: int) -> bool:
        return self._root(one) == self._root(other)

    def sets(self) -> tuple[tuple[int, ...], ...]:
        """The sets with two members or more, each sorted, ordered by their first member."""
        members: dict[int, list[int]] = defaultdict(list)
        for index in range(len(self._parent)):
            members[self._root(index)].append(index)
        return tuple(tuple(together) for together in members.values() if len(together) > 1)

    def _root(self, index: int) -> int:
        parent = self._parent
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index
