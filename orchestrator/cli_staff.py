"""``wardporter staff …``: who works here. Exit code 0: done, 2: refused.

On the books themselves while no service has them open, else through the service: with the token in WARDPORTER_TOKEN, or
for an unlocking, a renewal and one's own PIN with badge and PIN of who acts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.application.credentials import Renewed
from orchestrator.application.staff_change import StaffChange
from orchestrator.application.staff_office import BadgeAndPin, Office
from orchestrator.domain.errors import InvalidInputError, WardporterError
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId

REFUSED_EXIT = 2
TOKEN = "WARDPORTER_TOKEN"

app = typer.Typer(
    help="Who works here: add, list, change, renew, revoke, unlock; and tokens for programs.", no_args_is_help=True
)

RoleOption = Annotated[list[Role], typer.Option("--role", help="A role; repeat it for several.")]
PlaceOption = Annotated[list[str] | None, typer.Option("--place", help="A ward or pharmacy; repeat it for several.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the books; as `wardporter serve` by default.")
]
UrlOption = Annotated[
    str | None, typer.Option("--url", help="Of a service that runs; http://127.0.0.1 and its port when left out.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="When it ends, with an offset, such as 2027-01-31T07:30:00+00:00.")
]


class TokenMissingError(InvalidInputError):
    """A service has the books open, and nothing proves to it who acts."""

    code = "token_missing"


@app.command()
def add(
    person: Annotated[str, typer.Argument(metavar="ID", help="Stands for the person everywhere; no name is kept.")],
    role: RoleOption,
    place: PlaceOption = None,
    registration: Annotated[str | None, typer.Option(help="Number at the professional register.")] = None,
    agency: Annotated[bool, typer.Option("--agency", help="Sent by an agency: it ends with the shift.")] = False,
    until: UntilOption = None,
    data: DataOption = None,
    url: UrlOption = None,
) -> None:
    """Add a member of staff, and print badge code and PIN: once, and kept nowhere."""
    with _office(data, url) as office:
        told = office.add(
            Person(
                PersonId(person),
                frozenset(role),
                frozenset(PlaceId(one) for one in place or ()),
                registration,
                agency,
                _moment(until),
            )
        )
    typer.echo(f"{person} is added. Told once; give it to nobody else:\n  badge {told.badge}\n  PIN   {told.pin}")


@app.command(name="list")
def list_staff(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
) -> None:
    """List staff and programs: roles, places, and how their accounts stand."""
    with _office(data, url) as office:
        listed = office.list()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in listed], indent=2))
        return
    for one in listed:
        kind = "program " if one.is_program else ""
        typer.echo(f"{one.id}  {one.state}  {kind}{', '.join(one.roles)}  {', '.join(one.places) or '-'}")
    if not listed:
        typer.echo("Nobody is on the books yet; wardporter staff add ID --role administrator adds the first.")


@app.command()
def revoke(
    person: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why.")],
    data: DataOption = None,
    url: UrlOption = None,
) -> None:
    """End somebody's account at once, with every session."""
    with _office(data, url) as office:
        office.revoke(person, reason=reason)
    typer.echo(f"The account of {person} has ended.")


@app.command()
def unlock(
    person: Annotated[str, typer.Argument(metavar="ID")],
    identity_check: Annotated[str, typer.Option(help="How you checked who they are; no document's number.")],
    data: DataOption = None,
    url: UrlOption = None,
) -> None:
    """Lift the lock of wrong PINs: the nurse in charge of their ward or a site manager may, and has to prove it."""
    by = _badge_and_pin()
    with _office(data, url, is_proven=True) as office:
        office.unlock(person, identity_check=identity_check, by=by)
    typer.echo(f"The lock of {person} is lifted.")


@app.command()
def renew(
    person: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why.")],
    what: Annotated[Renewed, typer.Option(help="What is new.")] = Renewed.BOTH,
    data: DataOption = None,
    url: UrlOption = None,
) -> None:
    """Give somebody a new badge, PIN or both, printed once: an administrator may, never for oneself, and proves it."""
    by = _badge_and_pin()
    with _office(data, url, is_proven=True) as office:
        told = office.renew(person, what, reason=reason, by=by)
    words = {"badge": told.badge, "PIN  ": told.pin}
    lines = "".join(f"\n  {name} {secret}" for name, secret in words.items() if secret is not None)
    typer.echo(f"{person} is renewed, and the old proves nothing. Told once; give it to nobody else:{lines}")


@app.command()
def change(
    person: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why.")],
    role: Annotated[list[Role] | None, typer.Option("--role", help="In place of the roles so far; repeat it.")] = None,
    place: Annotated[list[str] | None, typer.Option("--place", help="In place of those so far; repeat it.")] = None,
    no_place: Annotated[bool, typer.Option("--no-place", help="Belongs to no place any more.")] = False,
    registration: Annotated[str | None, typer.Option(help="Number at the professional register.")] = None,
    until: UntilOption = None,
    no_end: Annotated[bool, typer.Option("--no-end", help="The account has no end any more.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
) -> None:
    """Change roles, places, registration or end of an account; what is left out stays as it is."""
    if (until is not None and no_end) or (place and no_place):
        raise typer.BadParameter("--until and --no-end, or --place and --no-place, say opposite things: leave one out")
    places = frozenset(PlaceId(one) for one in place or ())
    with _office(data, url) as office:
        asked = StaffChange(
            frozenset(role) if role else None,
            places if place or no_place else None,
            registration,
            _moment(until),
            has_no_end=no_end,
        )
        office.change(person, asked, reason=reason)
    typer.echo(f"{person} is changed; sessions see it with their next request.")


@app.command()
def pin(data: DataOption = None, url: UrlOption = None) -> None:
    """Change your own PIN; every session of yours ends."""
    by = _badge_and_pin(pin="Your present PIN")
    new_pin = typer.prompt("Your new PIN", hide_input=True, confirmation_prompt=True)
    with _office(data, url, is_proven=True) as office:
        office.change_pin(by, new_pin)
    typer.echo("Your PIN is changed, and your sessions have ended. Sign in again where you need to.")


@app.command()
def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the program is called.")],
    role: Annotated[list[Role] | None, typer.Option("--role", help="A role; repeat it for several.")] = None,
    place: PlaceOption = None,
    until: UntilOption = None,
    take_back: Annotated[bool, typer.Option("--revoke", help="Take the token back instead of making one.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
) -> None:
    """Make a token for a program, and print it: once, and kept nowhere. With --revoke, take it back."""
    with _office(data, url) as office:
        if take_back:
            office.revoke_token(name)
            typer.echo(f"The token {name} proves nothing any more.")
            return
        places = frozenset(PlaceId(one) for one in place or ())
        text = office.make_token(name, frozenset(role or ()), places, _moment(until))
    typer.echo(f"The token of {name}, told once; send it as Authorization: Bearer:\n  {text}")


def _badge_and_pin(*, pin: str = "Your own PIN") -> BadgeAndPin:
    return BadgeAndPin(typer.prompt("Your own badge", hide_input=True), typer.prompt(pin, hide_input=True))


@contextmanager
def _office(data: Path | None, url: str | None, *, is_proven: bool = False) -> Iterator[Office]:
    """Open the books at hand, or go to the service that has them open.

    Parameters
    ----------
    data, url
        The folder of the books, and the address of a service.
    is_proven : bool
        Whether badge and PIN prove who acts, so that no token is needed.
    """
    from orchestrator.adapters.identity.office_over_http import OfficeOverHttp
    from orchestrator.adapters.store.errors import StoreLockedError
    from orchestrator.bootstrap import staff_office  # the house takes a second to import
    from orchestrator.settings import Settings

    try:
        settings = Settings() if data is None else Settings(data=data)
        there = url or f"http://127.0.0.1:{settings.port}"
        try:
            if url is None:
                with staff_office(settings) as office:
                    yield office
                return
        except StoreLockedError:
            pass
        proof = os.environ.get(TOKEN)
        if proof is None and not is_proven:
            raise TokenMissingError(
                "The request was refused: a service has the books open, and nothing proves to it who you are; expected "
                f"a token that may look after staff, in {TOKEN}. Stop the service and make one with wardporter staff "
                "token NAME --role administrator, or act through the service's API."
            )
        yield OfficeOverHttp(there, proof)
    except (WardporterError, ValidationError) as error:
        typer.echo(f"wardporter staff: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInputError(
            f"--until {text} was refused: it is no moment with an offset; expected one such as "
            "2027-01-31T07:30:00+00:00. Correct it."
        )
    return found
