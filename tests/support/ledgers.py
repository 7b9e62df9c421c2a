"""Ledgers for tests: two places, a stock, people with ids for names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody.model import Draft, PendingId, Signature, Stock
from orchestrator.domain.custody.movements import Occasion, opening_balance, sealed, signed_by
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.delivery.model import DeliveryId, LineId, ToteId
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId
from tests.support.deliveries import NOON

PHARMACY, WARD = PlaceId("pharmacy"), PlaceId("ward-a")
MORPHINE = Stock("36126511000001106", "B-1")
ORIGIN = LedgerOrigin("small-house", is_simulation=True)
RECORD = LedgerTerms(ORIGIN)
REGISTER = LedgerTerms(ORIGIN, LedgerMode.REGISTER_OF_RECORD)


def person(id: str, *roles: Role) -> Person:
    return Person(PersonId(id), frozenset(roles or {Role.NURSE}), registration=f"REG-{id}")


def signs(*ids: str) -> tuple[Signature, ...]:
    return signed_by([person(id) for id in ids])


def occasion(
    place: PlaceId = PHARMACY,
    *people: str,
    at: datetime = NOON,
    line: str | None = None,
    reason: str = "",
    facts: Mapping[str, str] | None = None,
) -> Occasion:
    return Occasion(
        at=at,
        place=place,
        signatures=signs(*(people or ("pharmacist-1", "technician-1"))),
        delivery=None if line is None else DeliveryId("delivery-1"),
        line=None if line is None else LineId(line),
        reason=reason,
        facts=facts or {},
    )


def opening(stock: Stock = MORPHINE, *, counted: int = 100, place: PlaceId = PHARMACY, on_books: int = 0) -> Draft:
    return opening_balance(stock, counted=counted, on_books=on_books, occasion=occasion(place))


def sealing(
    line: str = "line-1",
    *,
    quantity: int = 10,
    stock: Stock = MORPHINE,
    tote: str = "tote-1",
    place: PlaceId = PHARMACY,
) -> Draft:
    return sealed(
        stock,
        quantity,
        pending=PendingId(line),
        tote=ToteId(tote),
        to_place=WARD,
        occasion=replace(occasion(place), line=LineId(line), delivery=DeliveryId("delivery-1")),
    )
