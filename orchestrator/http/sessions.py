"""Signing in and out: badge and PIN at a device for a token; and a PIN of one's own choice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from orchestrator.application.credentials import change_pin
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.sign_in import (
    Guess,
    SignInRefusedError,
    account_ended,
    count_guess,
    is_still_known_by,
    keep_wrong_guess,
    locked,
    sign_out,
    signed_in,
)
from orchestrator.domain.access.acts import Act
from orchestrator.domain.people.model import Person, Role
from orchestrator.domain.people.pins import require_good_pin
from orchestrator.domain.people.proofs import Session
from orchestrator.http.access import access_of
from orchestrator.http.acting import DeskOfApp, Who, may, public, require_json
from orchestrator.http.desk import Desk
from orchestrator.http.problems import documented
from orchestrator.http.request_models import Strict

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

T = TypeVar("T")

NO_STORE = {"Cache-Control": "no-store"}
BADGE_LENGTH_MAX = 128
DeviceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["birch-tablet-1"])]


class BadgeAndPin(Strict):
    """Who somebody is: the badge's code as a scanner reads it, the PIN, and the device they stand at."""

    badge: str = Field(min_length=1, max_length=BADGE_LENGTH_MAX)
    pin: str = Field(pattern=r"^[0-9]{6}$")
    device: DeviceName


class PinAsked(BadgeAndPin):
    """A PIN of one's own choice, in place of the present one."""

    new_pin: str = Field(pattern=r"^[0-9]{6}$")


class SignedInView(BaseModel):
    """A session. The token is told once; send it as ``Authorization: Bearer``."""

    id: str
    token: str
    person: str
    roles: list[Role]
    places: list[str]
    device: str
    ends_after_one_act: bool
    ends_at: datetime


class WhoView(BaseModel):
    """Who the request's proof stands for."""

    id: str
    kind: str
    roles: list[Role]
    places: list[str]
    device: str | None
    ends_at: datetime | None


async def prove(
    desk: Desk, asked: BadgeAndPin, then: Callable[[UnitOfWork, Guess, datetime], T], *, act: Act, subject: str = ""
) -> T:
    """Look at badge and PIN, and do what is to be done when they fit.

    The guess is counted and committed first; the slow comparison is made on a thread of its own.

    Raises
    ------
    PinLockedError, SignInRefusedError
        The badge is locked, or badge and PIN do not fit.
    """
    guess = await right_guess(desk, asked, act=act, subject=subject)
    return await conclude(desk, guess, then)


async def right_guess(desk: Desk, asked: BadgeAndPin, *, act: Act, subject: str = "") -> Guess:
    """Return a guess that was counted and is right, to be concluded; raises as `prove`."""
    badge = desk.secrets.digest_badge(asked.badge)

    def count(uow: UnitOfWork) -> Guess | None:
        return count_guess(uow, badge=badge, device=asked.device, at=desk.clock.now(), act=act, subject=subject)

    guess = await desk.control.run(count)
    if guess is None:
        raise locked()
    loop = asyncio.get_running_loop()
    is_right = await loop.run_in_executor(desk.pin_threads, desk.secrets.is_pin, asked.pin, guess.hashed)
    if not is_right:
        raise await desk.control.run(lambda uow: keep_wrong_guess(uow, guess))
    return guess


async def conclude(desk: Desk, guess: Guess, then: Callable[[UnitOfWork, Guess, datetime], T]) -> T:
    """Do what is to be done after a right guess, unless badge or PIN are others since they were compared.

    Raises
    ------
    SignInRefusedError
        They are: the guess counts as a wrong one.
    """

    def finish(uow: UnitOfWork) -> tuple[T, None] | tuple[None, SignInRefusedError]:
        if not is_still_known_by(uow, guess):
            return None, keep_wrong_guess(uow, guess)
        return then(uow, guess, desk.clock.now()), None

    done = await desk.control.run(finish)
    if done[1] is not None:
        raise done[1]
    return done[0]


async def start_session(desk: Desk, asked: BadgeAndPin) -> SignedInView:
    """Sign somebody in."""

    def start(uow: UnitOfWork, guess: Guess, at: datetime) -> SignedInView | None:
        started = signed_in(uow, guess, at=at, ids=desk.ids, secrets=desk.secrets, own_devices=desk.own_devices)
        return None if started is None else _view(uow, *started)

    view = await prove(desk, asked, start, act=Act.SIGN_IN)
    if view is None:
        raise account_ended()
    return view


def _view(uow: UnitOfWork, session: Session, token: str) -> SignedInView:
    person = uow.people.get(session.person)
    return SignedInView(
        id=session.id,
        token=token,
        person=person.id,
        roles=sorted(person.roles),
        places=sorted(person.places),
        device=session.device,
        ends_after_one_act=session.is_shared,
        ends_at=session.ends_at,
    )


@router.post(
    "",
    status_code=201,
    response_model=SignedInView,
    dependencies=[public(Act.SIGN_IN), Depends(require_json)],
    responses=documented(400, 401, 403, 413, 415, 421, 422, 503),
)
async def post_session(asked: BadgeAndPin, desk: DeskOfApp) -> Response:
    """Sign in. Five wrong PINs in a row lock the badge, at this device or everywhere, until a person unlocks it."""
    view = await start_session(desk, asked)
    return Response(view.model_dump_json(), 201, NO_STORE, "application/json")


@router.post(
    "/pin",
    status_code=204,
    dependencies=[public(Act.CHANGE_PIN), Depends(require_json)],
    responses=documented(400, 401, 403, 413, 415, 421, 422, 503),
)
async def post_pin(asked: PinAsked, desk: DeskOfApp) -> Response:
    """Change your PIN. A wrong present one counts as for signing in; every session and unused step-up of yours ends."""
    require_good_pin(asked.new_pin, present=asked.pin)
    guess = await right_guess(desk, asked, act=Act.CHANGE_PIN)
    loop = asyncio.get_running_loop()
    hashed = await loop.run_in_executor(desk.pin_threads, desk.secrets.hash_pin, asked.new_pin)

    def change(uow: UnitOfWork, guess: Guess, at: datetime) -> Person | None:
        return change_pin(uow, guess, hashed=hashed, at=at)

    if await conclude(desk, guess, change) is None:
        raise account_ended()
    return Response(status_code=204, headers=NO_STORE)


@router.get("/current", dependencies=[may(Act.SIGN_OUT)], responses=documented(401, 403, 421))
async def get_current(request: Request, who: Who) -> WhoView:
    """Say who is signed in."""
    session = access_of(request).proven.session
    return WhoView(
        id=who.id,
        kind=who.kind.value,
        roles=sorted(who.roles),
        places=sorted(who.places),
        device=who.device,
        ends_at=session.ends_at if session else None,
    )


@router.post("/end", status_code=204, dependencies=[may(Act.SIGN_OUT)], responses=documented(401, 403, 413, 421))
async def post_end(request: Request, desk: DeskOfApp) -> Response:
    """Sign out."""
    await end_session(request, desk)
    return Response(status_code=204)


async def end_session(request: Request, desk: Desk) -> None:
    """End the session that a request comes with; other proofs have none."""
    session = access_of(request).proven.session
    if session is not None:
        await desk.control.run(lambda uow: sign_out(uow, session, at=desk.clock.now()))
