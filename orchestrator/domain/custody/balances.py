"""What the accounts hold, folded from the entries: the proof of every balance that is kept for speed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain.custody.model import Account, Entry, Posting, Stock
from orchestrator.domain.london import london_day


@dataclass(frozen=True, slots=True)
class Balance:
    """The units of one stock in one account."""

    account: Account
    stock: Stock
    quantity: int


def in_order(balances: Iterable[Balance]) -> list[Balance]:
    """Return balances in the order in which every store gives them: by stock, then by account."""
    return sorted(balances, key=_by_stock)


def _by_stock(balance: Balance) -> tuple[str, str, str, str, str]:
    stock, account = balance.stock, balance.account
    return stock.medicine, stock.batch, stock.own_of or "", account.kind.value, account.of


def fold(postings: Iterable[Posting]) -> dict[tuple[Account, Stock], int]:
    """Return what each account holds after the postings; what holds nothing is left out."""
    held: dict[tuple[Account, Stock], int] = {}
    for posting in postings:
        key = posting.account, posting.stock
        units = held.get(key, 0) + posting.quantity
        if units:
            held[key] = units
        else:
            held.pop(key, None)
    return held


def balances_after(entries: Iterable[Entry]) -> Mapping[tuple[Account, Stock], int]:
    """Return what each account holds after the entries."""
    return fold(posting for entry in entries for posting in entry.draft.postings)


def is_conserved(held: Mapping[tuple[Account, Stock], int]) -> bool:
    """Whether promise 1 holds of some balances, for every stock.

    Opening + received (what supplier and opening gave) + over - short = held in cupboards, quarantine and returned
    + in transit + supplied + destroyed (broken too) + tolerated. ``over`` holds minus the units that nobody sent,
    ``short`` plus those that nobody counted, so that the sum over all accounts is zero.
    """
    totals: dict[Stock, int] = {}
    for (_account, stock), units in held.items():
        totals[stock] = totals.get(stock, 0) + units
    return not any(totals.values())


def is_late(entry: Entry) -> bool:
    """Whether an entry was recorded later than the day after it happened, by the calendar of the United Kingdom.

    Misuse of Drugs Regulations 2001, regulation 20: on the day of the transaction or, if that is not reasonably
    practicable, on the next day following.
    """
    return comes_late(entry.draft.occurred_at, at=entry.recorded_at)


def comes_late(occurred_at: datetime, *, at: datetime) -> bool:
    """Whether something is recorded, ``at`` a moment, later than the day after it happened, as `is_late` says."""
    return london_day(at) > london_day(occurred_at) + timedelta(days=1)
