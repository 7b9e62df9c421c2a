"""The robot's own journal of its drawers: what was let go, opened, closed, filled and emptied, and when.

It is kept on board whether anybody hears the robot or not, outlives a restart with the rest of what a robot remembers,
and is told in its states: an entry for a while after it was made, and all that is kept for a while after the link has
come back. What is told twice changes nothing: entries are numbered, and the journal has a name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from orchestrator.vda5050.drawer_journal import DrawerEvent, Journal, JournalEntry

KEPT_MAX = 32
"""How many entries are kept; older ones are forgotten, and the gap in the numbers shows it."""

TOLD_FOR_S = 600.0
"""How long after it was made, or after the link came back, an entry is told, seconds."""

ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class KeptJournal:
    """What a robot remembers of its journal: its name, how often its computer was started, and the last entries."""

    id: str = ""
    boots: int = 0
    last: int = 0
    entries: tuple[JournalEntry, ...] = ()

    def to_tree(self) -> dict[str, object]:
        """Return it as plain data."""
        entries = [[e.number, e.event.value, e.drawer, e.at.isoformat(), e.up_s, e.boot, e.nonce] for e in self.entries]
        return {"id": self.id, "boots": self.boots, "last": self.last, "entries": entries}


def kept_journal_of_tree(tree: Mapping[str, object]) -> KeptJournal:
    """Return what `KeptJournal.to_tree` wrote; raises ValueError, KeyError or TypeError for anything else."""
    entries = cast("list[list[Any]]", tree["entries"])
    return KeptJournal(
        id=str(tree["id"]),
        boots=int(cast("int", tree["boots"])),
        last=int(cast("int", tree["last"])),
        entries=tuple(
            JournalEntry(
                int(number),
                DrawerEvent(event),
                str(drawer),
                datetime.fromisoformat(at),
                float(up_s),
                int(boot),
                str(nonce),
            )
            for number, event, drawer, at, up_s, boot, nonce in entries
        ),
    )


class DrawerJournal:
    """One robot's journal.

    Parameters
    ----------
    kept : KeptJournal
        What it remembers from before it was started.
    chance : callable
        Random bytes, for the name of a journal that begins.
    utc : callable
        Turns the robot's time (seconds) into its aware UTC time of day.
    """

    def __init__(self, kept: KeptJournal, *, chance: Callable[[int], bytes], utc: Callable[[float], datetime]) -> None:
        self._utc = utc
        self._id = kept.id or chance(ID_BYTES).hex()
        self._boot = kept.boots + 1
        self._last = kept.last
        self._entries = deque(kept.entries, maxlen=KEPT_MAX)
        self._connected_s: float | None = None

    @property
    def kept(self) -> KeptJournal:
        """What has to survive a loss of power."""
        return KeptJournal(self._id, self._boot, self._last, tuple(self._entries))

    def note(self, event: DrawerEvent, drawer: str, *, now_s: float, nonce: str = "") -> None:
        """Write down what happened."""
        self._last += 1
        entry = JournalEntry(self._last, event, drawer, self._utc(now_s), round(now_s, 3), self._boot, nonce)
        self._entries.append(entry)

    def note_link(self, now_s: float) -> None:
        """Note that the link has come back: what is kept is told again."""
        self._connected_s = now_s

    def told(self, now_s: float) -> Journal | None:
        """Return what is told in a state now; None while there is nothing."""
        if self._connected_s is not None and now_s - self._connected_s <= TOLD_FOR_S:
            entries = tuple(self._entries)
        else:
            entries = tuple(e for e in self._entries if e.boot == self._boot and now_s - e.up_s <= TOLD_FOR_S)
        return Journal(self._id, entries) if entries else None
