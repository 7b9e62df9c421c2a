"""How a robot tells what it wrote down of its drawers: one information, a reference an entry (docs/drawers.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from orchestrator.vda5050.states import ErrorReference, InfoLevel, Information

JOURNAL = "wardporterDrawerJournal"
JOURNAL_KEY = "journal"
ENTRIES_MAX = 64
"""So many entries of one state are read; our robots keep half as many."""

TEXT_MAX = 64
NUMBER_MAX = 2**53


class DrawerEvent(StrEnum):
    """What happened at a drawer. ``let_go``: its latch opened on a grant; ``opened``: somebody then pulled it."""

    LET_GO = "let_go"
    OPENED = "opened"
    CLOSED = "closed"
    FILLED = "filled"
    EMPTIED = "emptied"
    FORCED = "forced"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry of a robot's journal.

    Parameters
    ----------
    number : int
        From 1, without gaps within one journal.
    event : DrawerEvent
        What happened.
    drawer : str
        At which drawer.
    at : datetime
        When, by the robot's own time of day; aware.
    up_s : float
        When, by its monotonic clock: seconds since its computer was started.
    boot : int
        The how manieth start of its computer that was.
    nonce : str
        What the grant named that the drawer was let go for; empty where there was none.
    """

    number: int
    event: DrawerEvent
    drawer: str
    at: datetime
    up_s: float
    boot: int
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """Some of a journal's entries, by number. ``id`` names the journal: another one begins at 1 again."""

    id: str
    entries: tuple[JournalEntry, ...]


def information_of_journal(journal: Journal) -> Information:
    """Return what a robot says of its journal."""
    told = [ErrorReference(reference_key=JOURNAL_KEY, reference_value=journal.id)]
    told += [ErrorReference(reference_key=str(each.number), reference_value=_text(each)) for each in journal.entries]
    return Information(info_type=JOURNAL, info_references=tuple(told), info_level=InfoLevel.INFO)


# An entry is told in every state for a while.
@lru_cache(maxsize=1024)
def _text(entry: JournalEntry) -> str:
    return json.dumps(
        {
            "at": entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "boot": entry.boot,
            "drawer": entry.drawer,
            "event": entry.event.value,
            "nonce": entry.nonce,
            "up_s": round(entry.up_s, 3),
        },
        separators=(",", ":"),
    )


class JournalEar:
    """Hears of a journal what differs from what the state before said of it: mostly nothing, and that costs little."""

    def __init__(self) -> None:
        self._last: tuple[ErrorReference, ...] = ()

    def hear(self, information: Iterable[Information] | None) -> Journal | None:
        """Return what a state tells of the journal; None where it tells nothing, or nothing else than before."""
        told = next((item.info_references for item in information or () if item.info_type == JOURNAL), None)
        if not told or tuple(told) == self._last:
            return None
        self._last = tuple(told)
        journal = journal_of_references(self._last)
        return None if journal is None or not journal.entries else journal


def journal_of_references(references: Iterable[ErrorReference]) -> Journal | None:
    """Return the journal that a state tells, without entries that cannot be read; None without an id."""
    name, entries = "", dict[int, JournalEntry]()
    for reference in references:
        if reference.reference_key == JOURNAL_KEY:
            name = reference.reference_value
        elif len(entries) < ENTRIES_MAX:
            entry = _entry(reference.reference_key, reference.reference_value)
            if entry is not None:
                entries.setdefault(entry.number, entry)
    if not 0 < len(name) <= TEXT_MAX:
        return None
    return Journal(name, tuple(entries[number] for number in sorted(entries)))


def _entry(key: str, text: str) -> JournalEntry | None:
    try:
        said = cast("dict[str, Any]", json.loads(text))
        number, at = int(key), datetime.fromisoformat(said["at"])
        entry = JournalEntry(
            number=number,
            event=DrawerEvent(said["event"]),
            drawer=str(said["drawer"]),
            at=at,
            up_s=float(said["up_s"]),
            boot=int(said["boot"]),
            nonce=str(said.get("nonce", "")),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_kept = 0 < number <= NUMBER_MAX and at.tzinfo is not None and 0 < len(entry.drawer) <= TEXT_MAX
    return entry if is_kept and len(entry.nonce) <= 2 * TEXT_MAX else None
