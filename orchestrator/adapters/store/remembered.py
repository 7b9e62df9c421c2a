"""What the writing connection knows to be in the database, so that a save that changes nothing costs nothing.

The store has one writer and its file is locked against others, so what was committed here is what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Committed values and, above them, those written by the open transaction.

    Parameters
    ----------
    is_worth_keeping : callable
        Whether a committed value will be asked for again; others are dropped, so that memory stays bounded.
    """

    def __init__(self, is_worth_keeping: Callable[[V], bool]) -> None:
        self._is_worth_keeping = is_worth_keeping
        self._committed: dict[K, V] = {}
        self._written: dict[K, V] = {}
        self.is_complete = False
        """Whether every value worth keeping is here, so that a list needs no query."""

    def get(self, key: K) -> V | None:
        """Return the newest value, None when it is not remembered."""
        value = self._written.get(key)
        return self._committed.get(key) if value is None else value

    def has_read(self, key: K, value: V) -> None:
        """Remember what was read from the database, unless the open transaction wrote it and may yet take it back."""
        if key not in self._written:
            self._committed.setdefault(key, value)

    def has_written(self, key: K, value: V) -> None:
        """Remember what the open transaction wrote."""
        self._written[key] = value

    def worth_keeping(self) -> Iterator[V]:
        """Return the newest version of every value that is worth keeping."""
        newest = {**self._committed, **self._written}
        return (value for value in newest.values() if self._is_worth_keeping(value))

    def commit(self) -> None:
        """Take what the transaction wrote as committed."""
        self._committed.update(self._written)
        for key in [key for key, value in self._committed.items() if not self._is_worth_keeping(value)]:
            del self._committed[key]
        self._written.clear()

    def roll_back(self) -> None:
        """Forget what the transaction wrote."""
        self._written.clear()
