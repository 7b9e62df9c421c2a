"""The undo of a transaction in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from orchestrator.application.errors import AlreadyKeptError

K = TypeVar("K")
V = TypeVar("V")


class Journal:
    """The undo steps of the open transaction."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []
        self.is_open = False

    def put(self, table: dict[K, V], key: K, value: V) -> None:
        """Set a value and remember what was there."""
        assert self.is_open, "a write needs an open transaction"
        if key in table:
            before = table[key]
            self._steps.append(lambda: table.__setitem__(key, before))
        else:
            self._steps.append(lambda: table.pop(key))
        table[key] = value

    def take(self, table: dict[K, V], key: K) -> None:
        """Remove a value, if it is there, and remember it."""
        assert self.is_open, "a write needs an open transaction"
        if key in table:
            before = table.pop(key)
            self._steps.append(lambda: table.__setitem__(key, before))

    def undo(self) -> None:
        """Take everything back, newest first."""
        while self._steps:
            self._steps.pop()()

    def forget(self) -> None:
        """Keep everything."""
        self._steps.clear()


def refuse_second(table: Mapping[K, object], key: K, what: str) -> None:
    """Refuse a new thing whose id is kept already; raises `AlreadyKeptError`."""
    if key in table:
        raise AlreadyKeptError(
            f"The {what} was refused: {key} is kept already; expected a new id. This is a fault of the program.",
            detail={"id": str(key)},
        )
