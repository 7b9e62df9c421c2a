"""People of a test, with cheap secrets: what a PIN's hash costs is measured elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.adapters.identity.secrets import Argon2Secrets
from orchestrator.application.ports import Store
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.people.proofs import AccessToken, Credentials
from orchestrator.domain.site.model import PlaceId
from tests.support.deliveries import NOON

PIN = "428615"
WRONG_PIN = "111111"


def cheap_secrets() -> Argon2Secrets:
    return Argon2Secrets(b"k" * 32, time_cost=1, memory_kib=8)


@dataclass(slots=True)
class Staff:
    """Members of staff in a store; everybody has the same PIN, and a badge called after their id."""

    store: Store
    secrets: Argon2Secrets = field(default_factory=cheap_secrets)
    _hash: str = ""

    def __post_init__(self) -> None:
        self._hash = self.secrets.hash_pin(PIN)

    def add(self, person: str, *roles: Role, places: tuple[str, ...] = (), **more: Any) -> Person:
        made = Person(PersonId(person), frozenset(roles), frozenset(PlaceId(place) for place in places), **more)
        with self.store.transaction() as uow:
            uow.people.add(made, Credentials(self.secrets.digest_badge(badge_of(person)), self._hash))
        return made

    def add_token(self, token: str, *roles: Role, places: tuple[str, ...] = (), **more: Any) -> AccessToken:
        """Add a token for a program; its text is ``secret-`` and its id."""
        made = AccessToken(
            token,
            self.secrets.digest_token(f"secret-{token}"),
            frozenset(roles),
            frozenset(PlaceId(place) for place in places),
            NOON,
            "administrator-1",
            **more,
        )
        with self.store.transaction() as uow:
            uow.proofs.add_token(made)
        return made


def badge_of(person: str) -> str:
    return f"badge-of-{person}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
