"""How a state-changing request is done: who acts, under which key, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request, Security
from fastapi.security import APIKeyHeader
from pydantic import BaseModel
from starlette.responses import Response

from orchestrator.application.idempotency import Answer, once
from orchestrator.application.ports import UnitOfWork
from orchestrator.http.desk import Desk, desk_of

principal_header = APIKeyHeader(
    name="Wardporter-Principal",
    scheme_name="principal",
    description="Id of who acts: 1 to 64 letters, digits, dots, underscores or hyphens. "
    "Believed as it is, in development and on this machine only.",
    auto_error=False,
)

DeskOfApp = Annotated[Desk, Depends(desk_of)]


def require_json(request: Request) -> None:
    """Refuse a body that does not say it is JSON; a FastAPI dependency.

    A page from elsewhere may make a browser send a form or plain text unasked, JSON not.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, headers={"Accept-Post": "application/json"})


def principal_of(
    request: Request, desk: DeskOfApp, _declared: Annotated[str | None, Security(principal_header)]
) -> str:
    """Return who acts, from the identity in force; a FastAPI dependency."""
    return desk.identity.principal_of(request.headers)


Principal = Annotated[str, Depends(principal_of)]
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
) -> Response:
    """Do what a request asks for in one transaction and answer with what came of it, or answer as the first time.

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
    """
    fingerprint = _fingerprint(request, asked)

    def command(uow: UnitOfWork) -> Answer:
        at = desk.clock.now()

        def do() -> Answer:
            return Answer(status, act(uow, at).model_dump_json())

        return once(uow, key=key, principal=by, fingerprint=fingerprint, at=at, act=do)

    answer = await desk.control.run(command)
    headers = {"Location": f"{place}/{json.loads(answer.body)['id']}"} if answer.status == 201 else None
    return Response(answer.body, answer.status, headers, "application/json")


def _fingerprint(request: Request, asked: BaseModel) -> str:
    said = json.dumps([request.method, request.url.path, asked.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
