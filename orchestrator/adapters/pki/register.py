"""The authority's own book: every certificate it ever signed, and which of them it took back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from orchestrator.adapters.pki.certificates import Revocation
from orchestrator.adapters.pki.identity import Identity


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate: whose, its serial number, when it holds, and since when it does not."""

    identity: Identity
    serial: int
    start: datetime
    end: datetime
    revoked_at: datetime | None = None

    def counts_at(self, now: datetime) -> bool:
        """Whether it is neither taken back nor out of date."""
        return self.revoked_at is None and now < self.end


@dataclass(frozen=True, slots=True)
class Register:
    """All of them, oldest first, and the number of the last revocation list."""

    issued: tuple[Issued, ...] = ()
    list_number: int = 0

    def of(self, identity: Identity) -> tuple[Issued, ...]:
        """Return what was issued to one party, oldest first."""
        return tuple(each for each in self.issued if each.identity == identity)

    def counting(self, now: datetime) -> frozenset[Identity]:
        """Return every party with a certificate that counts now."""
        return frozenset(each.identity for each in self.issued if each.counts_at(now))

    @property
    def revocations(self) -> tuple[Revocation, ...]:
        """Return what the revocation list has to name; expired ones stay, a list may be read with a wrong clock."""
        return tuple(Revocation(each.serial, each.revoked_at) for each in self.issued if each.revoked_at is not None)

    def with_issued(self, issued: Issued) -> Register:
        """Return the register with a certificate more."""
        return replace(self, issued=(*self.issued, issued))

    def with_revoked(self, serials: frozenset[int], *, at: datetime) -> Register:
        """Return the register with these certificates taken back; one taken back before keeps its time."""
        marked = tuple(
            replace(each, revoked_at=at) if each.serial in serials and each.revoked_at is None else each
            for each in self.issued
        )
        return replace(self, issued=marked)

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        rows = [
            {
                "identity": each.identity.common_name,
                "serial": f"{each.serial:x}",
                "start": each.start.isoformat(),
                "end": each.end.isoformat(),
                "revoked_at": each.revoked_at.isoformat() if each.revoked_at else None,
            }
            for each in self.issued
        ]
        return json.dumps({"list_number": self.list_number, "certificates": rows}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Register:
        """Read what `to_json` wrote; anything else is a ValueError."""
        try:
            tree = cast("Mapping[str, Any]", json.loads(text))
            rows = cast("list[Mapping[str, Any]]", tree["certificates"])
            return cls(tuple(_issued(row) for row in rows), int(tree["list_number"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a register of certificates: {error}") from error


def _issued(row: Mapping[str, Any]) -> Issued:
    return Issued(
        identity=Identity.from_common_name(row["identity"]),
        serial=int(row["serial"], 16),
        start=_moment(row["start"]),
        end=_moment(row["end"]),
        revoked_at=_moment(row["revoked_at"]) if row["revoked_at"] else None,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
