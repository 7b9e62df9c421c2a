"""Registers: what the ledger says of one place and one drug class, form and strength, as a page with headings.

A view and nothing else: a page is folded from entries, and keeps none. Misuse of Drugs Regulations 2001, regulation 19
(headings; a part for each class, salts and stereoisomers with their drug) and 20 (chronological, corrections beside the
original, entries on the day or the next). The balance is of all units at the place: in the cupboard, and set apart
(quarantine, or returned and not yet restocked), which stay on the books until they are destroyed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.custody.balances import is_late
from orchestrator.domain.custody.model import AccountKind, Draft, Entry, EntryKind, Signature, Signing, Stock
from orchestrator.domain.custody.pending import TO_PLACE, Pending
from orchestrator.domain.custody.rules import stock_named
from orchestrator.domain.delivery.model import LineId
from orchestrator.domain.medicine.model import Medicine
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.site.model import PlaceId

APART = frozenset({AccountKind.QUARANTINE, AccountKind.RETURNED})
HERE = APART | {AccountKind.CUPBOARD}
"""The accounts whose units lie at their place."""

HEAD_FACTS = ("class", "name", "form", "strength")
"""What entries say of a medicine that no catalogue has."""

COUNTING = frozenset({EntryKind.STOCK_CHECK, EntryKind.DISCREPANCY_RESOLVED})
"""What changes a balance because somebody counted or looked into a count, not because units came or went."""

NO_PAGE = frozenset({EntryKind.CUSTODY})
"""What moves no units stands in the ledger, and in no register: a register is used for nothing else."""


@dataclass(frozen=True, slots=True, order=True)
class PageKey:
    """Which page: drug class, form and strength, and whose own the medicines are (empty: the hospital's)."""

    drug_class: str
    form: str
    strength: str
    own_of: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands at the head of a page, beside its key."""

    key: PageKey
    names: tuple[str, ...]
    unit: str
    schedule: str
    is_required_by_law: bool


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One line of a page; what does not apply is empty, or None.

    ``obtained`` and ``supplied`` are units; a correction stands as what it adds or takes. ``counted_off`` are units
    that a count found over (positive) or short (negative), or that were found again: nobody supplied or gave them, so
    they are in neither. ``balance`` are the units at
    the place after it, ``set_apart`` those of them that are not in the cupboard. ``corrects`` and ``corrected_by`` are
    indices of entries.
    """

    entry: int
    kind: EntryKind
    occurred_at: datetime
    recorded_at: datetime
    batch: str
    obtained_from: str
    supplied_to: str
    authority: str
    collected_by: str
    identity_requested: str
    identity_given: str
    obtained: int
    supplied: int
    counted_off: int
    balance: int
    set_apart: int
    wasted: str
    signatures: tuple[Signature, ...]
    note: str
    is_late: bool
    corrects: int | None
    corrected_by: tuple[int, ...] = ()

    def signed(self, part: Signing) -> str:
        """Return who signed in some part, each with role and registration number."""
        found = (sign for sign in self.signatures if sign.part is part)
        return "; ".join(f"{s.person} ({s.role}{', ' + s.registration if s.registration else ''})" for s in found)


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """A page of a place's register; ``brought_forward`` is the balance before its first line, if some are left out."""

    place: PlaceId
    heading: Heading
    lines: tuple[RegisterLine, ...]
    brought_forward: int | None = None

    @property
    def balance(self) -> int:
        """The units at the place after the last line."""
        return self.lines[-1].balance if self.lines else self.brought_forward or 0


def pages_of(
    place: PlaceId,
    entries: Iterable[Entry],
    *,
    medicine_of: Callable[[str], Medicine | None],
    pending_of: Callable[[LineId], Pending | None],
) -> Sequence[RegisterPage]:
    """Return the pages of a place's register, by drug class, form and strength; patients' own come after.

    Parameters
    ----------
    place : PlaceId
        Whose register.
    entries : iterable of Entry
        Entries in the order of their index; those that concern the place are picked out. All of a medicine's are
        needed, since a balance is folded from its beginning.
    medicine_of : callable
        Returns the medicine of a code, None for one that no catalogue has.
    pending_of : callable
        Returns what was on its way for a line.
    """
    taken: list[Entry] = []
    corrected: defaultdict[int, list[int]] = defaultdict(list)
    for entry in entries:
        if entry.draft.kind not in NO_PAGE and _concerns(place, entry.draft):
            taken.append(entry)
            if entry.draft.corrects is not None:
                corrected[entry.draft.corrects].append(entry.index)
    said = _said_of(taken)
    counting = _counting(taken)
    folding: dict[PageKey, _Page] = {}
    for entry in taken:
        for stock in _stocks(entry.draft):
            medicine = medicine_of(stock.medicine)
            key = _key(stock, said[stock.medicine], medicine)
            page = folding.setdefault(key, _Page(place, key))
            page.add(entry, stock, medicine, is_counting=entry.index in counting, pending_of=pending_of)
    hospital_first = sorted(folding, key=lambda key: (key.own_of != "", key))
    return [_with_corrections(folding[key].page(), corrected) for key in hospital_first]


class _Page:
    """A page while it is folded."""

    def __init__(self, place: PlaceId, key: PageKey) -> None:
        self._place = place
        self._key = key
        self._lines: list[RegisterLine] = []
        self._names: dict[str, None] = {}
        self._unit = ""
        self._schedule: Schedule | None = None
        self._said_schedule = ""
        self._balance = 0
        self._apart = 0

    def add(
        self,
        entry: Entry,
        stock: Stock,
        medicine: Medicine | None,
        *,
        is_counting: bool,
        pending_of: Callable[[LineId], Pending | None],
    ) -> None:
        """Add the line of an entry about a stock."""
        draft = entry.draft
        change, apart = _changes(self._place, draft, stock)
        self._balance += change
        self._apart += apart
        self._note_head(draft, stock, medicine)
        obtained_from, supplied_to = _parties(draft, change, pending_of=pending_of)
        self._lines.append(
            RegisterLine(
                entry=entry.index,
                kind=draft.kind,
                occurred_at=draft.occurred_at,
                recorded_at=entry.recorded_at,
                batch=stock.batch,
                obtained=0 if is_counting else max(change, 0),
                supplied=0 if is_counting else max(-change, 0),
                counted_off=change if is_counting else 0,
                balance=self._balance,
                set_apart=self._apart,
                wasted=draft.facts.get("wasted", ""),
                signatures=draft.signatures,
                note=_note(draft, apart=apart if change == 0 else 0),
                is_late=is_late(entry),
                corrects=draft.corrects,
                obtained_from=obtained_from,
                supplied_to=supplied_to,
                authority=draft.facts.get("authority") or draft.facts.get("requisition", ""),
                collected_by=draft.facts.get("collected_by", ""),
                identity_requested=draft.facts.get("identity_requested", ""),
                identity_given=draft.facts.get("identity_given", ""),
            )
        )

    def _note_head(self, draft: Draft, stock: Stock, medicine: Medicine | None) -> None:
        name = medicine.name if medicine is not None else draft.facts.get("name", stock.medicine)
        self._names.setdefault(name)
        self._unit = self._unit or (medicine.unit if medicine is not None else draft.facts.get("unit", ""))
        if medicine is not None and medicine.schedule is not None:
            self._schedule = medicine.schedule
        # The schedule as it was at the time is with the entry; the head says the newest.
        self._said_schedule = draft.facts.get("schedule", self._said_schedule)

    def page(self) -> RegisterPage:
        """Return the page."""
        schedule = self._schedule or _schedule_of(self._said_schedule)
        heading = Heading(
            key=self._key,
            names=tuple(self._names),
            unit=self._unit,
            schedule="not known" if schedule is None else schedule.label,
            # What nobody has classified is kept like what the law asks a register for.
            is_required_by_law=schedule is None or schedule.has_register,
        )
        return RegisterPage(self._place, heading, tuple(self._lines))


def _with_corrections(page: RegisterPage, corrected: Mapping[int, Sequence[int]]) -> RegisterPage:
    lines = tuple(
        replace(line, corrected_by=tuple(corrected[line.entry])) if line.entry in corrected else line
        for line in page.lines
    )
    return replace(page, lines=lines)


def _schedule_of(said: str) -> Schedule | None:
    try:
        return Schedule(said)
    except ValueError:
        return None


def _concerns(place: PlaceId, draft: Draft) -> bool:
    if any(posting.account.of == place and posting.account.kind in HERE for posting in draft.postings):
        return True
    # Checks and corrections in words move nothing, nor does what turned out to be gone: all are about the place.
    is_settled = draft.kind is EntryKind.DISCREPANCY_RESOLVED
    return draft.place == place and (is_settled or not draft.postings) and stock_named(draft) is not None


def _counting(entries: Iterable[Entry]) -> frozenset[int]:
    """Return the indices of counts, of what they turned out to be, and of their corrections."""
    found: set[int] = set()
    for entry in entries:
        if entry.draft.kind in COUNTING or entry.draft.corrects in found or _corrects_count(entry.draft):
            found.add(entry.index)
    return frozenset(found)


def _corrects_count(draft: Draft) -> bool:
    """Whether a correction says that something was counted otherwise: nothing came or went by it."""
    is_of_count = any(posting.account.kind in (AccountKind.SHORT, AccountKind.OVER) for posting in draft.postings)
    return draft.kind is EntryKind.CORRECTION and is_of_count


def _stocks(draft: Draft) -> Sequence[Stock]:
    found = dict.fromkeys(posting.stock for posting in draft.postings)
    if found:
        return list(found)
    named = stock_named(draft)
    return [] if named is None else [named]


def _said_of(entries: Iterable[Entry]) -> Mapping[str, Mapping[str, str]]:
    """Return what entries say of each medicine, the first word of each kind: not every entry says all."""
    said: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for entry in entries:
        facts = {fact: text for fact in HEAD_FACTS if (text := entry.draft.facts.get(fact))}
        for stock in _stocks(entry.draft):
            said[stock.medicine] = {**facts, **said[stock.medicine]}
    return said


def _key(stock: Stock, facts: Mapping[str, str], medicine: Medicine | None) -> PageKey:
    if medicine is not None:
        return PageKey(medicine.drug_class, medicine.form, medicine.strength, stock.own_of or "")
    drug_class = facts.get("class") or facts.get("name") or stock.medicine
    return PageKey(drug_class, facts.get("form", ""), facts.get("strength", ""), stock.own_of or "")


def _changes(place: PlaceId, draft: Draft, stock: Stock) -> tuple[int, int]:
    """Return by how many units an entry changes what lies at a place, and what of it is set apart."""
    here = [p for p in draft.postings if p.stock == stock and p.account.of == place and p.account.kind in HERE]
    apart = sum(posting.quantity for posting in here if posting.account.kind in APART)
    return sum(posting.quantity for posting in here), apart


def _parties(draft: Draft, change: int, *, pending_of: Callable[[LineId], Pending | None]) -> tuple[str, str]:
    """Return from whom units were obtained, and to whom they were supplied; empty where that does not apply."""
    facts = draft.facts
    pending = next((found for line in draft.resolves if (found := pending_of(LineId(line))) is not None), None)
    obtained_from = supplied_to = ""
    if draft.kind is EntryKind.OPENING_BALANCE:
        obtained_from = "opening balance"
    elif draft.kind is EntryKind.SUPPLIER_RECEIPT:
        obtained_from = facts.get("supplier", "")
    elif draft.kind is EntryKind.SEALED:
        supplied_to = facts.get(TO_PLACE, "")
    elif draft.kind is EntryKind.SUPPLIED:
        supplied_to = _supplied_to(facts)
    elif draft.kind is EntryKind.CORRECTION:
        # What the entry should have said; what it did not say wrongly is left out.
        obtained_from, supplied_to = facts.get("supplier", ""), _supplied_to(facts)
    elif draft.kind is EntryKind.DESTROYED:
        supplied_to = "destroyed"
    elif draft.kind is EntryKind.BROKEN:
        supplied_to = "broken"
    elif pending is not None and change > 0:
        obtained_from = pending.from_place if pending.from_place != draft.place else "came back"
    return obtained_from, supplied_to


def _supplied_to(facts: Mapping[str, str]) -> str:
    """Return to whom units were given, and for which patient where that is somebody else."""
    to, patient = facts.get("supplied_to", ""), facts.get("patient", "")
    return f"{to}, for {patient}" if to and patient and to != patient else to or patient


_WORDS = {
    EntryKind.OPENING_BALANCE: "opening balance",
    EntryKind.SUPPLIER_RECEIPT: "from supplier",
    EntryKind.SEALED: "sealed and sent",
    EntryKind.RESEALED: "sealed anew",
    EntryKind.RECEIVED: "received",
    EntryKind.RECEIVED_DIFFERENT: "received, count differs",
    EntryKind.RETURNED: "returned",
    EntryKind.QUARANTINED: "set apart",
    EntryKind.RESTOCKED: "back in stock",
    EntryKind.SUPPLIED: "supplied",
    EntryKind.DESTROYED: "destroyed",
    EntryKind.BROKEN: "broken",
    EntryKind.STOCK_CHECK: "stock check",
    EntryKind.DISCREPANCY_RESOLVED: "discrepancy resolved",
    EntryKind.CORRECTION: "correction",
}


def _note(draft: Draft, *, apart: int) -> str:
    parts = [_WORDS[draft.kind]]
    counted, expected = draft.facts.get("counted"), draft.facts.get("expected")
    if expected is not None and counted is not None:
        agrees = "agrees" if counted == expected else "under investigation"
        if any(posting.account.kind is AccountKind.TOLERATED for posting in draft.postings):
            agrees = f"within the tolerance of {draft.facts.get('tolerance', '')}"
        parts.append(f"counted {counted}, expected {expected}: {agrees}")
    if draft.corrects is not None:
        parts.append(f"corrects entry {draft.corrects}")
    if given := draft.facts.get("given"):
        parts.append(f"given {given}, wasted {draft.facts.get('wasted', '')}")
    if settled := draft.facts.get("settled_as"):
        parts.append(f"{settled}, {draft.facts.get('patient', '')}, {draft.facts.get('authority', '')}")
    if apart:
        parts.append(f"{abs(apart)} {'set apart' if apart > 0 else 'no longer set apart'}")
    if paper := draft.facts.get("paper"):
        parts.append(f"entered from paper {paper}")
    if seal := draft.facts.get("seal"):
        parts.append(f"seal {seal}")
    if draft.reason:
        parts.append(draft.reason)
    return "; ".join(parts)
