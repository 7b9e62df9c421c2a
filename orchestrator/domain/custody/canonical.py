"""The one way in which an entry is written as bytes, and so what its hash stands for.

An entry is JSON in the canonical form of RFC 8785: no white space, keys in order, the shortest escapes, UTF-8. All
numbers are integers below 2**53. Moments are UTC with microseconds (``2026-11-26T18:20:34.000001Z``). The keys are::

    corrects delivery facts index kind line occurred_at opens place postings previous reason recorded_at resolves
    signatures v

``postings`` are ``[[account kind, whose, medicine, batch, own_of or null, units], ...]``, ``signatures``
``[[person, part, role, registration or null], ...]``, ``v`` is 1. ``previous`` is the hash of the entry before, in hex,
and `LedgerOrigin.first_hash` in the first.

The hash of an entry is the leaf hash of RFC 6962 over these bytes: SHA-256 of a zero byte and the bytes. So one hash
links the chain and is the leaf of the tree.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, cast

from orchestrator.domain.custody.model import (
    Account,
    AccountKind,
    Draft,
    Entry,
    EntryKind,
    PendingId,
    Posting,
    Signature,
    Signing,
    Stock,
)
from orchestrator.domain.delivery.model import DeliveryId, LineId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

VERSION = 1
LARGEST = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, sort_keys=True, separators=(",", ":")
).encode


def moment_text(moment: datetime) -> str:
    """Return the text of a moment; raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone cannot be kept: make it aware first")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def entry_bytes(draft: Draft, *, index: int, recorded_at: datetime, previous: str) -> bytes:
    """Return the canonical bytes of an entry; raises ValueError for text that UTF-8 cannot hold."""
    return _encode(
        {
            "corrects": draft.corrects,
            "delivery": draft.delivery,
            "facts": dict(draft.facts),
            "index": index,
            "kind": draft.kind.value,
            "line": draft.line,
            "occurred_at": moment_text(draft.occurred_at),
            "opens": draft.opens,
            "place": draft.place,
            "postings": [
                (
                    posting.account.kind.value,
                    posting.account.of,
                    posting.stock.medicine,
                    posting.stock.batch,
                    posting.stock.own_of,
                    posting.quantity,
                )
                for posting in draft.postings
            ],
            "previous": previous,
            "reason": draft.reason,
            "recorded_at": moment_text(recorded_at),
            "resolves": draft.resolves,
            "signatures": [(sign.person, sign.part.value, sign.role, sign.registration) for sign in draft.signatures],
            "v": VERSION,
        }
    ).encode()


def entry_hash(body: bytes) -> str:
    """Return the hash of an entry's canonical bytes, in hex."""
    return hashlib.sha256(b"\x00" + body).hexdigest()


def entry_from_bytes(body: bytes) -> Entry:
    """Return the entry that canonical bytes of ours say; raises KeyError or ValueError for what we did not write."""
    said = cast("dict[str, Any]", json.loads(body))
    draft = Draft(
        kind=EntryKind(said["kind"]),
        occurred_at=datetime.fromisoformat(said["occurred_at"]),
        place=PlaceId(said["place"]),
        signatures=tuple(
            Signature(PersonId(person), Signing(part), role, registration)
            for person, part, role, registration in said["signatures"]
        ),
        postings=tuple(
            Posting(Account(AccountKind(kind), of), Stock(medicine, batch, own_of), units)
            for kind, of, medicine, batch, own_of, units in said["postings"]
        ),
        opens=tuple(PendingId(pending) for pending in said["opens"]),
        resolves=tuple(PendingId(pending) for pending in said["resolves"]),
        corrects=said["corrects"],
        delivery=None if said["delivery"] is None else DeliveryId(said["delivery"]),
        line=None if said["line"] is None else LineId(said["line"]),
        reason=said["reason"],
        facts=said["facts"],
    )
    return Entry(
        index=said["index"],
        recorded_at=datetime.fromisoformat(said["recorded_at"]),
        draft=draft,
        previous_hash=said["previous"],
        hash=entry_hash(body),
    )
