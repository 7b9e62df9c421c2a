"""Is this message of a device newer than the last one? Judged by its run and its number, never by a clock."""

from __future__ import annotations

from collections import deque

BOOTS_KEPT = 32


class Newness:
    """The messages of one device in the order they count.

    A device that restarts names a new ``boot`` and may number from anywhere. A run that was left behind never counts
    again, so a capture from before a restart of the device changes nothing.
    """

    def __init__(self) -> None:
        self._boot: str | None = None
        self._number = -1
        self._left: deque[str] = deque(maxlen=BOOTS_KEPT)

    def objection(self, *, boot: str, number: int, is_retained: bool) -> str | None:
        """Return why a message does not count; when it does, None, and it is the last one from now on."""
        if is_retained:
            return "the broker had kept it, so it says nothing of now"
        if boot == self._boot and number <= self._number:
            return "it is not newer than the last one"
        if boot in self._left:
            return "it is from a run of the device that has ended"
        if self._boot is not None and boot != self._boot:
            self._left.append(self._boot)
        self._boot, self._number = boot, number
        return None
