"""The accountable officer's quarterly report of occurrences with controlled drugs, for schedules 2 to 5.

Every section is there, also one with nothing in it: a nil return says so. Its movements are sums over the ledger's
entries of the quarter, so that they equal the ledger by construction and a test can add them up again. An incident is
what went wrong and what nearly did. Controlled Drugs (Supervision of Management and Use) Regulations 2013.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.domain.custody.balances import is_late
from orchestrator.domain.custody.incident import Incident
from orchestrator.domain.custody.model import AccountKind, Entry, EntryKind, Posting
from orchestrator.domain.custody.rules import stock_named
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.london import LONDON
from orchestrator.domain.medicine.model import Medicine
from orchestrator.domain.medicine.schedule import Schedule

MANDATORY = (2, 3, 4, 5)
"""The schedules that each have a section."""

_QUARTER = re.compile(r"(20[0-9]{2})-Q([1-4])", re.ASCII)


class QuarterInvalidError(InvalidInputError):
    """A text names no quarter of a year."""

    code = "quarter_invalid"


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of a calendar year, in the hospital's time."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Return the quarter that a text such as ``2026-Q3`` names; raises `QuarterInvalidError`."""
        found = _QUARTER.fullmatch(text)
        if found is None:
            raise QuarterInvalidError(
                "The report was refused: quarter names none; expected one such as 2026-Q3. Correct it.",
                detail={"field": "quarter"},
            )
        return cls(int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """How it is called."""
        return f"{self.year}-Q{self.number}"

    @property
    def starts_at(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=LONDON)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return Quarter(self.year + self.number // 4, self.number % 4 + 1).starts_at

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.starts_at <= moment < self.ends_at

    def has_ended(self, at: datetime) -> bool:
        """Whether it is over, and so is the day on which late entries of it may still come."""
        return at >= self.ends_at + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Movement:
    """By how many units the accounts of a kind changed in a quarter, for one medicine."""

    medicine: str
    account: AccountKind
    units: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A count that was not what was expected: units short (positive) or over (negative), and where it was found.

    ``is_settled`` says that this entry found nothing: it says what such units turned out to be, or corrects the count.
    """

    entry: int
    medicine: str
    place: str
    units: int
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """What happened with the medicines of one schedule; ``schedule`` is None for those that nobody classified."""

    schedule: int | None
    incidents: tuple[Incident, ...] = ()
    differences: tuple[Difference, ...] = ()
    movements: tuple[Movement, ...] = ()
    entries: int = 0
    corrections: int = 0
    late_entries: int = 0

    @property
    def is_nil(self) -> bool:
        """Whether nothing has to be told."""
        return not self.incidents and all(difference.is_settled for difference in self.differences)


def _no_medicines() -> Mapping[str, Medicine]:
    return {}


@dataclass(frozen=True, slots=True)
class OccurrenceReport:
    """The report of one quarter; ``is_final`` once no entry on time can still come into it.

    ``medicines`` says what the catalogue knows of the codes in it, for whoever reads it on paper.
    """

    quarter: Quarter
    sections: tuple[Section, ...]
    is_final: bool
    is_simulation: bool
    medicines: Mapping[str, Medicine] = field(default_factory=_no_medicines)

    @property
    def is_nil(self) -> bool:
        """Whether it is a nil return."""
        return all(section.is_nil for section in self.sections)


def occurrence_report(
    quarter: Quarter,
    *,
    entries: Iterable[Entry],
    incidents: Iterable[Incident],
    schedule_of: Callable[[str], Schedule | None],
    at: datetime,
    is_simulation: bool,
) -> OccurrenceReport:
    """Return the report of a quarter.

    Parameters
    ----------
    quarter : Quarter
        Which; an entry belongs to it by when it happened.
    entries : iterable of Entry
        The ledger's, at least those of the quarter.
    incidents : iterable of Incident
        At least those of the quarter.
    schedule_of : callable
        Returns the schedule of a medicine's code now, for entries that do not say theirs.
    at : datetime
        Now; aware.
    is_simulation : bool
        Whether the ledger is a simulated one.
    """
    gathered: defaultdict[int | None, _Gathering] = defaultdict(_Gathering)
    for number in MANDATORY:
        gathered[number].schedule = number
    for entry in entries:
        if quarter.holds(entry.draft.occurred_at) and entry.draft.kind is not EntryKind.CUSTODY:
            number = _number_of(entry, schedule_of)
            gathered[number].schedule = number
            gathered[number].add(entry)
    for incident in incidents:
        if incident.is_controlled and quarter.holds(incident.at):
            number = _number(incident.schedule)
            gathered[number].schedule = number
            gathered[number].incidents.append(incident)
    order = sorted(gathered, key=lambda number: (number not in MANDATORY, number is None, number or 0))
    sections = tuple(gathered[number].section() for number in order)
    return OccurrenceReport(quarter, sections, is_final=quarter.has_ended(at), is_simulation=is_simulation)


class _Gathering:
    """A section while it is gathered."""

    def __init__(self) -> None:
        self.schedule: int | None = None
        self.incidents: list[Incident] = []
        self._units: defaultdict[tuple[str, AccountKind], int] = defaultdict(int)
        self._differences: list[Difference] = []
        self._entries = self._corrections = self._late = 0

    def add(self, entry: Entry) -> None:
        """Count an entry in."""
        draft = entry.draft
        self._entries += 1
        self._corrections += draft.kind is EntryKind.CORRECTION
        self._late += is_late(entry)
        for posting in draft.postings:
            self._units[posting.stock.medicine, posting.account.kind] += posting.quantity
            if posting.account.kind in (AccountKind.SHORT, AccountKind.OVER):
                self._differences.append(_difference(entry, posting))

    def section(self) -> Section:
        """Return the section."""
        movements = tuple(Movement(*key, units) for key, units in sorted(self._units.items()) if units)
        return Section(
            schedule=self.schedule,
            incidents=tuple(sorted(self.incidents, key=lambda incident: (incident.at, incident.id))),
            differences=tuple(self._differences),
            movements=movements,
            entries=self._entries,
            corrections=self._corrections,
            late_entries=self._late,
        )


def _difference(entry: Entry, posting: Posting) -> Difference:
    # SHORT gains what nobody counted, OVER gives what nobody sent; what goes the other way was found before.
    is_short = posting.account.kind is AccountKind.SHORT
    units = abs(posting.quantity) if is_short else -abs(posting.quantity)
    is_settled = (posting.quantity < 0) if is_short else (posting.quantity > 0)
    return Difference(entry.index, posting.stock.medicine, posting.account.of, units, is_settled)


def _number_of(entry: Entry, schedule_of: Callable[[str], Schedule | None]) -> int | None:
    said = _number(entry.draft.facts.get("schedule"))
    if said is not None:
        return said
    stock = stock_named(entry.draft)
    schedule = None if stock is None else schedule_of(stock.medicine)
    return None if schedule is None else schedule.number


def _number(category: str | None) -> int | None:
    try:
        return None if category is None else Schedule(category).number
    except ValueError:
        return None
