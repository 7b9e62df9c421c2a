"""Registers of a place, read from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.ports import LedgerRepository, UnitOfWork
from orchestrator.domain.custody.model import Entry, PendingId
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.register import RegisterPage, pages_of
from orchestrator.domain.custody.rules import stock_named
from orchestrator.domain.errors import NotFoundError
from orchestrator.domain.london import london_day
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.site.model import PlaceId, Site, StationKind

AT_ONCE = 2_000
"""Entries read at a time."""


class NoRegisterError(NotFoundError):
    """The place has no register, or none of what was asked for."""

    code = "register_unknown"


@dataclass(frozen=True, slots=True)
class Register:
    """The register of a place, or some pages of it, as it stood after a number of entries of the ledger.

    ``since`` is the moment before whose day lines are left out, if any are.
    """

    place: PlaceId
    pages: tuple[RegisterPage, ...]
    mode: LedgerMode
    size: int
    taken_at: datetime
    is_simulation: bool
    is_pharmacy: bool
    since: datetime | None = None

    @property
    def warning(self) -> str:
        """What whoever reads it has to know of it; empty when nothing."""
        if self.mode is LedgerMode.TRANSIT_RECORD:
            return (
                "Transit record: it holds what robots carried. It is not the place's register of record, and its "
                "balance is not what the cupboard holds."
            )
        return ""


def register_of(
    uow: UnitOfWork,
    place: PlaceId,
    *,
    at: datetime,
    is_simulation: bool,
    is_pharmacy: bool,
    medicine: str | None = None,
    since: datetime | None = None,
) -> Register:
    """Return the register of a place, whole or the pages of one medicine or drug class.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    place : PlaceId
        Whose register.
    at : datetime
        Now; aware.
    is_simulation : bool
        Whether the ledger is a simulated one; every page says so.
    is_pharmacy : bool
        Whether the place is a pharmacy; wards have other headings.
    medicine : str or None
        A dm+d code, or a drug class.
    since : datetime or None
        Lines that were entered before that day are left out; their balance is brought forward. What happened before and
        was entered on it, or later, stands: the balance changed by it then.

    Raises
    ------
    NoRegisterError
        Nothing of it is in the ledger.
    """
    pages = [
        page
        for page in pages_of(
            place,
            _entries_of(uow.ledger, _codes(uow, place, medicine)),
            medicine_of=lambda code: uow.medicines.find(MedicineCode(code)),
            pending_of=lambda line: uow.ledger.find_pending(PendingId(line)),
        )
        if page.lines
    ]
    if not pages:
        raise NoRegisterError(
            "There is no such register: the ledger has no entry of that place and medicine; expected a place that "
            "took in or gave out a medicine that is on the ledger, and its code or drug class.",
            detail={"place": place},
        )
    return Register(
        place=place,
        pages=tuple(pages if since is None else _since(pages, since)),
        mode=uow.ledger.mode,
        size=uow.ledger.size,
        taken_at=at,
        is_simulation=is_simulation,
        is_pharmacy=is_pharmacy,
        since=since,
    )


def is_pharmacy(site: Site, place: PlaceId) -> bool:
    """Whether a place is a pharmacy: it has a hatch."""
    return any(
        station.place == place and station.kind is StationKind.PHARMACY_HATCH for station in site.stations.values()
    )


def _codes(uow: UnitOfWork, place: PlaceId, wanted: str | None) -> Sequence[str]:
    """Return the codes of the medicines that a place's register is about."""
    if wanted is not None and uow.medicines.find(MedicineCode(wanted)) is not None:
        return [wanted]
    found: dict[str, None] = {}
    for entry in every_entry(uow.ledger, place=place):
        if (stock := stock_named(entry.draft)) is not None:
            found.setdefault(stock.medicine)
    for balance in uow.ledger.balances(of=place):
        # What another place's entry put here, such as a discrepancy that was found out.
        found.setdefault(balance.stock.medicine)
    if wanted is None:
        return list(found)
    return [code for code in found if wanted == code or wanted.casefold() == _class_of(uow, code)]


def _class_of(uow: UnitOfWork, code: str) -> str | None:
    medicine = uow.medicines.find(MedicineCode(code))
    return None if medicine is None else medicine.drug_class.casefold()


def _entries_of(ledger: LedgerRepository, codes: Sequence[str]) -> Sequence[Entry]:
    entries = [entry for code in codes for entry in every_entry(ledger, medicine=code)]
    return sorted(entries, key=lambda entry: entry.index)


def every_entry(
    ledger: LedgerRepository, *, place: PlaceId | None = None, medicine: str | None = None
) -> Iterator[Entry]:
    """Yield the entries of the ledger in order; those of a place, or of a medicine by its code, if told."""
    after: int | None = None
    while some := ledger.entries(after=after, limit=AT_ONCE, place=place, medicine=medicine):
        yield from some
        after = some[-1].index


def _since(pages: Sequence[RegisterPage], since: datetime) -> Iterator[RegisterPage]:
    day = london_day(since)
    for page in pages:
        left_out = [line for line in page.lines if london_day(line.recorded_at) < day]
        yield replace(page, lines=page.lines[len(left_out) :], brought_forward=left_out[-1].balance if left_out else 0)
