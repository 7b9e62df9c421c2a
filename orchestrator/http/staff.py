"""Staff, the tokens of programs, and the log of who was let do what."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from orchestrator.application.accountability import leave_without_person
from orchestrator.application.credentials import renew_staff, told_of
from orchestrator.application.openings import void_grants_of
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.staff import (
    add_staff,
    is_locked,
    make_token,
    new_secrets,
    places_of,
    revoke_staff,
    revoke_token,
    unlock_staff,
)
from orchestrator.application.staff_change import change_staff
from orchestrator.domain.access.acts import Act
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.people.proofs import AccessToken
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, act_once, may, require_json
from orchestrator.http.problems import documented
from orchestrator.http.request_models import ReasonAsked
from orchestrator.http.sessions import NO_STORE
from orchestrator.http.staff_models import (
    AddedView,
    ChangeAsked,
    DecisionsView,
    EmptyAsked,
    LogQuery,
    MadeTokenView,
    RenewAsked,
    RenewedView,
    StaffAsked,
    StaffListView,
    StaffView,
    TokenAsked,
    TokensView,
    TokenView,
    UnlockAsked,
    decision_view,
    staff_view,
    token_view,
)

router = APIRouter(prefix="/api/v1", tags=["staff"])

PersonInPath = Annotated[str, Path(description="Id of the member of staff.")]
TokenInPath = Annotated[str, Path(description="Name of the token.")]
IS_JSON = [Depends(require_json)]
ACTING = documented(400, 401, 403, 404, 409, 413, 415, 421, 422, 503)
READING = documented(401, 403, 421)


@router.get("/staff", dependencies=[may(Act.LIST_STAFF)], responses=READING)
async def get_staff(desk: DeskOfApp) -> StaffListView:
    """List staff: ids, roles, places, and whose badge is locked."""

    def look(uow: UnitOfWork) -> StaffListView:
        return StaffListView(staff=[staff_view(one, is_locked=is_locked(uow, one.id)) for one in uow.people.all()])

    return await desk.control.read(look)


@router.post(
    "/staff",
    status_code=201,
    response_model=AddedView,
    dependencies=[may(Act.ADD_STAFF), *IS_JSON],
    responses=ACTING,
)
async def post_staff(
    asked: StaffAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Add a member of staff. Badge code and PIN are in this answer alone, and not in that of a retry."""
    made = await asyncio.get_running_loop().run_in_executor(desk.pin_threads, new_secrets, desk.secrets)
    is_new = False

    def act(uow: UnitOfWork, at: datetime) -> AddedView:
        nonlocal is_new
        person = add_staff(uow, asked.to_person(), credentials=made.kept, known=places_of(desk.site), at=at, by=by)
        is_new = True
        return AddedView(**staff_view(person, is_locked=False).model_dump())

    answer = await act_once(request, desk, asked=asked, key=key, by=by, status=201, act=act, place="/api/v1/staff")
    return _with_secrets(answer, {"badge": made.badge, "pin": made.pin} if is_new else {})


@router.post(
    "/staff/{person}/revoke", response_model=StaffView, dependencies=[may(Act.REVOKE_STAFF), *IS_JSON], responses=ACTING
)
async def post_revoke(
    person: PersonInPath, asked: ReasonAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """End an account at once, with every session and every open stream of it."""

    def act(uow: UnitOfWork, at: datetime) -> StaffView:
        revoked = revoke_staff(uow, PersonId(person), reason=asked.reason, at=at, by=by)
        void_grants_of(uow, revoked.id, at=at)
        leave_without_person(uow, revoked.id, at=at, by=by, premises=desk.fleet.premises, ids=desk.ids)
        return staff_view(revoked, is_locked=is_locked(uow, revoked.id))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)


@router.post(
    "/staff/{person}/unlock", response_model=StaffView, dependencies=[may(Act.UNLOCK_STAFF), *IS_JSON], responses=ACTING
)
async def post_unlock(
    person: PersonInPath, asked: UnlockAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Lift the lock that wrong PINs laid on a badge; the person's own nurse in charge or the site manager may."""

    def act(uow: UnitOfWork, at: datetime) -> StaffView:
        unlocked = unlock_staff(uow, PersonId(person), identity_check=asked.identity_check, at=at, by=by)
        return staff_view(unlocked, is_locked=is_locked(uow, unlocked.id))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)


@router.post(
    "/staff/{person}/renew",
    response_model=RenewedView,
    dependencies=[may(Act.RENEW_STAFF), *IS_JSON],
    responses=ACTING,
)
async def post_renew(
    person: PersonInPath, asked: RenewAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Give somebody a new badge, PIN or both, told in this answer alone; the old ones and all sessions end at once."""
    made = await asyncio.get_running_loop().run_in_executor(desk.pin_threads, new_secrets, desk.secrets)
    is_new = False

    def act(uow: UnitOfWork, at: datetime) -> RenewedView:
        nonlocal is_new
        renewed = renew_staff(uow, PersonId(person), asked.what, made=made, reason=asked.reason, at=at, by=by)
        is_new = True
        return RenewedView(**staff_view(renewed, is_locked=is_locked(uow, renewed.id)).model_dump())

    answer = await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)
    return _with_secrets(answer, told_of(asked.what, made) if is_new else {})


@router.post(
    "/staff/{person}/change", response_model=StaffView, dependencies=[may(Act.CHANGE_STAFF), *IS_JSON], responses=ACTING
)
async def post_change(
    person: PersonInPath, asked: ChangeAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Change roles, places, registration or end of an account; sessions that go on see it with their next request."""

    def act(uow: UnitOfWork, at: datetime) -> StaffView:
        changed = change_staff(
            uow,
            PersonId(person),
            asked.to_change(),
            reason=asked.reason,
            known=places_of(desk.site),
            at=at,
            by=by,
            premises=desk.fleet.premises,
            ids=desk.ids,
        )
        return staff_view(changed, is_locked=is_locked(uow, changed.id))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)


@router.get("/tokens", dependencies=[may(Act.LIST_TOKENS)], responses=READING)
async def get_tokens(desk: DeskOfApp) -> TokensView:
    """List the tokens of programs."""
    return await desk.control.read(lambda uow: TokensView(tokens=[token_view(one) for one in uow.proofs.tokens()]))


@router.post(
    "/tokens",
    status_code=201,
    response_model=MadeTokenView,
    dependencies=[may(Act.MAKE_TOKEN), *IS_JSON],
    responses=ACTING,
)
async def post_token(
    asked: TokenAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Make a token for a program. Its text is in this answer alone, and not in that of a retry."""
    text = desk.secrets.new_token()
    is_new = False

    def act(uow: UnitOfWork, at: datetime) -> MadeTokenView:
        nonlocal is_new
        token = AccessToken(
            asked.name,
            desk.secrets.digest_token(text),
            frozenset(asked.roles),
            frozenset(PlaceId(place) for place in asked.places),
            made_at=at,
            made_by=by,
            expires_at=asked.expires_at,
        )
        made = make_token(uow, token, known=places_of(desk.site), at=at, by=by)
        is_new = True
        return MadeTokenView(**token_view(made).model_dump())

    answer = await act_once(request, desk, asked=asked, key=key, by=by, status=201, act=act, place="/api/v1/tokens")
    return _with_secrets(answer, {"token": text} if is_new else {})


@router.post(
    "/tokens/{token}/revoke", response_model=TokenView, dependencies=[may(Act.REVOKE_TOKEN), *IS_JSON], responses=ACTING
)
async def post_revoke_token(
    token: TokenInPath, asked: EmptyAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Take a token back at once."""

    def act(uow: UnitOfWork, at: datetime) -> TokenView:
        return token_view(revoke_token(uow, token, at=at, by=by))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)


@router.get("/access-log", dependencies=[may(Act.READ_ACCESS_LOG)], responses=documented(401, 403, 421, 422))
async def get_access_log(desk: DeskOfApp, query: Annotated[LogQuery, Query()]) -> DecisionsView:
    """List decisions, newest first, in pages: who wanted to do what, and whether they might."""
    page = await desk.control.read(
        lambda uow: uow.decisions.page(before=query.after, limit=query.limit + 1, refused_only=query.refused_only)
    )
    shown = page[: query.limit]
    return DecisionsView(
        decisions=[decision_view(kept) for kept in shown],
        next_after=shown[-1].number if len(page) > query.limit else None,
    )


def _with_secrets(answer: Response, told: dict[str, str]) -> Response:
    """Return an answer with what is told once: that is never in the answer that is kept for a retry."""
    said = {**json.loads(bytes(answer.body)), **told}
    headers = {name: answer.headers[name] for name in ("location",) if name in answer.headers}
    return Response(json.dumps(said), answer.status_code, {**headers, **NO_STORE}, "application/json")
