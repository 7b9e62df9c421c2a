"""The staff office of a service that runs: the same acts through its API, with a token or with badge and PIN."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from orchestrator.application.credentials import Renewed
from orchestrator.application.errors import UnavailableError
from orchestrator.application.staff_change import StaffChange
from orchestrator.application.staff_office import DEVICE, BadgeAndPin, Listed, Told, ToldAnew, state_of_account
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.people.model import Person, Role
from orchestrator.domain.site.model import PlaceId

TIMEOUT_S = 15.0


class ServiceRefusedError(WardporterError):
    """The service refused what the terminal asked."""

    code = "service_refused"


class ServiceAwayError(UnavailableError):
    """No service answers."""

    code = "service_away"


class OfficeOverHttp:
    """A service's staff office.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8000``.
    token : str or None
        Of a program that may look after staff; None where badge and PIN prove it.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url.rstrip("/")
        self._token = token

    def add(self, person: Person) -> Told:
        """Add a member of staff."""
        body = {
            "id": person.id,
            "roles": sorted(person.roles),
            "places": sorted(person.places),
            "registration": person.registration,
            "is_agency": person.is_agency,
            "expires_at": _text(person.expires_at),
        }
        added = self._ask("/staff", body)
        return Told(str(added["badge"]), str(added["pin"]))

    def list(self) -> Sequence[Listed]:
        """Return everybody, and every program's token."""
        at = datetime.now(UTC)
        people = [_listed(one, at=at) for one in self._ask("/staff")["staff"]]
        return [*people, *(_listed(one, at=at) for one in self._ask("/tokens")["tokens"])]

    def revoke(self, person: str, *, reason: str) -> None:
        """End an account."""
        self._ask(f"/staff/{quote(person, safe='')}/revoke", {"reason": reason})

    def unlock(self, person: str, *, identity_check: str, by: BadgeAndPin) -> None:
        """Lift a lock, as somebody who may and who proves it."""
        self._ask_as(by, f"/staff/{quote(person, safe='')}/unlock", {"identity_check": identity_check})

    def renew(self, person: str, renewed: Renewed, *, reason: str, by: BadgeAndPin) -> ToldAnew:
        """Give somebody a new badge or PIN, as somebody who may and who proves it."""
        body = {"what": renewed.value, "reason": reason}
        told = self._ask_as(by, f"/staff/{quote(person, safe='')}/renew", body)
        return ToldAnew(told.get("badge"), told.get("pin"))

    def change(self, person: str, change: StaffChange, *, reason: str) -> None:
        """Change roles, places, registration or end of an account."""
        body: dict[str, Any] = {
            "roles": None if change.roles is None else sorted(change.roles),
            "places": None if change.places is None else sorted(change.places),
            "registration": change.registration,
            "expires_at": _text(change.expires_at),
        }
        said = {name: value for name, value in body.items() if value is not None}
        end = {"expires_at": None} if change.has_no_end else {}
        self._ask(f"/staff/{quote(person, safe='')}/change", {**said, **end, "reason": reason})

    def change_pin(self, by: BadgeAndPin, new_pin: str) -> None:
        """Change the PIN of who proves who they are."""
        self._ask("/sessions/pin", {"badge": by.badge, "pin": by.pin, "device": DEVICE, "new_pin": new_pin})

    def make_token(self, name: str, roles: frozenset[Role], places: frozenset[PlaceId], until: datetime | None) -> str:
        """Make a program's token and return its text."""
        body = {"name": name, "roles": sorted(roles), "places": sorted(places), "expires_at": _text(until)}
        return str(self._ask("/tokens", body)["token"])

    def revoke_token(self, name: str) -> None:
        """Take a program's token back."""
        self._ask(f"/tokens/{quote(name, safe='')}/revoke", {})

    def _ask_as(self, by: BadgeAndPin, path: str, body: Mapping[str, Any]) -> Any:
        """Ask as somebody who signs in for it; on a shared device the session ends with the act."""
        proven = self._ask("/sessions", {"badge": by.badge, "pin": by.pin, "device": DEVICE})
        return self._ask(path, body, token=str(proven["token"]))

    def _ask(self, path: str, body: Mapping[str, Any] | None = None, *, token: str | None = None) -> Any:
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
        token = token or self._token
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/api/v1{path}", data=data, headers=headers)
        try:
            # No proxy: a token goes to the service it is for and to nobody between.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=TIMEOUT_S) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise ServiceRefusedError(_detail(error)) from error
        except OSError as error:
            raise ServiceAwayError(
                f"The service at {self._url} does not answer ({getattr(error, 'reason', error)}); expected it to run. "
                "Start it, or name its address with --url."
            ) from error


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The service answered {error.code} and said no more; expected one of Wardporter. Look at its log."


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _listed(said: Mapping[str, Any], *, at: datetime) -> Listed:
    expires = said["expires_at"]
    return Listed(
        said["id"],
        tuple(said["roles"]),
        tuple(said["places"]),
        state_of_account(
            is_revoked=said["revoked_at"] is not None,
            is_active=expires is None or at < datetime.fromisoformat(expires),
            is_locked=bool(said.get("is_locked")),
        ),
        is_program="is_locked" not in said,
    )
