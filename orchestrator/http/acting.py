"""How a state-changing request is done: who acts, under which key, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request
from fastapi.params import Depends as DependsOn
from pydantic import BaseModel
from starlette.responses import Response

from orchestrator.application import step_up
from orchestrator.application.idempotency import Answer, once
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import NotAllowedError, Subject
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.people import model as people
from orchestrator.http.access import DeskOfApp, May, Public, access_of, keep_denial
from orchestrator.http.desk import Desk

__all__ = ["DeskOfApp"]

STEP_UP_HEADER = "Wardporter-Step-Up"
STEP_UP_LENGTH_MAX = 400


class StepUpHeaderError(InvalidInputError):
    """The header of step-ups holds too many of them."""

    code = "step_up_header"


def may(act: Act, *, is_in_body: bool = False, is_read: bool = False, otherwise: str | None = None) -> DependsOn:
    """Return the dependency by which a route declares its act, for ``dependencies=[may(Act…)]``.

    A delivery, person or place in the path is what is acted on; with ``is_in_body`` the body says it, and `act_once` is
    told.
    ``is_read`` says that a POST changes nothing; ``otherwise`` is the page that a browser without proof is sent to.
    """
    return Depends(May(act, is_in_body=is_in_body, is_read=is_read, otherwise=otherwise))


def public(act: Act) -> DependsOn:
    """Return the dependency by which a route declares that it asks for no proof."""
    return Depends(Public(act))


class KeyTwiceError(InvalidInputError):
    """An object in the body says a key twice, so that two readers would read two things."""

    code = "key_twice"


async def require_json(request: Request) -> None:
    """Refuse a body that does not say it is JSON, or says one thing twice; a FastAPI dependency.

    A page from elsewhere may make a browser send a form or plain text unasked, JSON not.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, headers={"Accept-Post": "application/json"})
    if body := await request.body():
        json.loads(body, object_pairs_hook=_require_once)


def _require_once(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise KeyTwiceError(
            "The request was refused: an object in its body says a key twice; expected each once, as readers differ in "
            "which they believe. Nothing was changed. Correct it."
        )


def who_acts(request: Request) -> people.Principal:
    """Return who acts, as the route's declared act let them in; a FastAPI dependency."""
    return access_of(request).principal


def principal_of(request: Request) -> str:
    """Return the id of who acts; a FastAPI dependency."""
    return access_of(request).principal.id


def step_ups_of(
    request: Request,
    desk: DeskOfApp,
    presented: Annotated[
        str | None,
        Header(
            alias=STEP_UP_HEADER,
            max_length=STEP_UP_LENGTH_MAX,
            description="Tokens of step-ups, with commas between: the first acts, the others witness.",
        ),
    ] = None,
) -> step_up.StepUps:
    """Return the step-ups that a request presents; a FastAPI dependency."""
    tokens = tuple(token.strip() for token in (presented or "").split(",") if token.strip())
    if len(tokens) > step_up.STEP_UPS_MAX:
        raise StepUpHeaderError(
            f"The request was refused: its header {STEP_UP_HEADER} holds {len(tokens)} tokens; expected at most "
            f"{step_up.STEP_UPS_MAX}. Leave out those of people who take no part.",
            detail={"field": STEP_UP_HEADER},
        )
    return step_up.StepUps(tokens, access_of(request).principal, secrets=desk.secrets, site=desk.site)


Principal = Annotated[str, Depends(principal_of)]
Who = Annotated[people.Principal, Depends(who_acts)]
StepUps = Annotated[step_up.StepUps, Depends(step_ups_of)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x20-\x7e]+$",
        description="New for every new request; the same for its retries, which then change nothing twice.",
    ),
]


async def act_once(
    request: Request,
    desk: Desk,
    *,
    asked: BaseModel,
    key: str,
    by: str,
    status: int,
    act: Callable[[UnitOfWork, datetime], BaseModel],
    place: str = "/api/v1/deliveries",
    subject: Callable[[UnitOfWork], Subject] | None = None,
) -> Response:
    """Do what a request asks for in one transaction and answer with what came of it, or answer as the first time.

    In that transaction the proof of who acts is looked at again and the policy decides in the present state, so that
    nothing is done for somebody revoked meanwhile. A refusal is kept in the access log all the same.

    Parameters
    ----------
    request : Request
        The request; its method and path are part of what it says.
    desk : Desk
        What it is served from.
    asked : BaseModel
        The body, checked.
    key : str
        The idempotency key.
    by : str
        Who acts.
    status : int
        The status of success.
    act : callable
        The use case; gets the transaction and the present moment, and returns the answer.
    place : str
        Where what was made is found, by its id.
    subject : callable, optional
        What is acted on, where the body says it; by default what the path names.
    """
    fingerprint = _fingerprint(request, asked)
    access = access_of(request)
    assert access.is_found or subject is not None, "what the body says is acted on has to be told"

    def command(uow: UnitOfWork) -> Answer:
        at = desk.clock.now()
        now = access.proven_again(uow, desk, at=at)

        def do() -> Answer:
            now.let_in(uow, at=at, find=subject)
            return Answer(status, act(uow, at).model_dump_json())

        return once(uow, key=key, principal=by, fingerprint=fingerprint, at=at, act=do)

    try:
        answer = await desk.control.run(command)
    except NotAllowedError as refused:
        await keep_denial(desk, refused, principal=access.principal, subject=access.subject)
        raise
    headers = {"Location": f"{place}/{json.loads(answer.body)['id']}"} if answer.status == 201 else None
    return Response(answer.body, answer.status, headers, "application/json")


def _fingerprint(request: Request, asked: BaseModel) -> str:
    said = json.dumps([request.method, request.url.path, asked.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
