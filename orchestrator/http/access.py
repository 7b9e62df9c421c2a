"""Which act a route is, and whether who asks may do it: every route declares it by a dependency, or is refused.

What is not declared is not served: `require_cells` fails the start of an app that has a route without an act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import Depends, HTTPException, Request, Security
from fastapi.routing import iter_route_contexts
from fastapi.security import HTTPBearer
from starlette.routing import BaseRoute

from orchestrator.application.deciding import keep_decision, keep_refusal, subject_of_delivery, subject_of_person
from orchestrator.application.errors import UnavailableError
from orchestrator.application.identity import Carried, PrincipalMissingError, Proven, SessionEndedError
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import NotAllowedError, Subject, Why, require_allowed
from orchestrator.domain.access.policy import POLICY
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.errors import NotFoundError, WardporterError
from orchestrator.domain.people.model import PersonId, Principal
from orchestrator.domain.people.proofs import SessionEnd
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.desk import Desk, desk_of

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
READS_KEPT_EVERY = timedelta(minutes=15)
"""The same read by the same person at the same device is kept once in this time: pages look again and again."""
WITHOUT_PROOF_EVERY = timedelta(seconds=1)
"""Requests that prove nothing are kept at most this often for each act, so that they cannot fill the disk."""
PASSIVE = frozenset({Act.WATCH})
"""What pages do by themselves; it keeps no session going."""

log = structlog.get_logger(__name__)

bearer = HTTPBearer(
    scheme_name="bearer",
    description="Token of a session (POST /api/v1/sessions) or of a program (wardporter staff token).",
    auto_error=False,
)


class UndeclaredRouteError(RuntimeError):
    """A route says not which act it is: a fault of the program."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a request was let in for: who, by which proof, for which act, on what."""

    proven: Proven
    carried: Carried
    act: Act
    subject: str
    find: Callable[[UnitOfWork], Subject]
    is_found: bool

    @property
    def principal(self) -> Principal:
        """Who acts."""
        return self.proven.principal

    def proven_again(self, uow: UnitOfWork, desk: Desk, *, at: datetime) -> Access:
        """Return it with the proof as it is in this transaction; raises `PrincipalMissingError` when it has ended."""
        return replace(self, proven=desk.identity.prove(uow, self.carried, at=at))

    def ended(self, uow: UnitOfWork, desk: Desk) -> WardporterError | None:
        """Return why who looks on may do so no longer, None while they may."""
        try:
            now = self.proven_again(uow, desk, at=desk.clock.now())
            require_allowed(now.principal, self.act, None)
        except (PrincipalMissingError, NotAllowedError) as error:
            return error
        return spent() if now.proven.is_spent else None

    def may_also(self, uow: UnitOfWork, desk: Desk, act: Act) -> bool:
        """Whether who was let in may do something else besides, as they are now."""
        try:
            require_allowed(self.proven_again(uow, desk, at=desk.clock.now()).principal, act, None)
        except (PrincipalMissingError, NotAllowedError):
            return False
        return True

    def let_in(self, uow: UnitOfWork, *, at: datetime, find: Callable[[UnitOfWork], Subject] | None = None) -> None:
        """Decide again within the act's transaction, keep that it was allowed, and note the session's use.

        Raises
        ------
        NotAllowedError
            The policy refuses it in the present state, or on what the body names.
        SessionEndedError
            The session has ended with an act before.
        """
        if self.proven.is_spent:
            raise spent()
        found = (find or self.find)(uow)
        require_allowed(self.principal, self.act, found)
        keep_decision(
            uow,
            at=at,
            act=self.act,
            why=Why.ALLOWED,
            principal=self.principal,
            device=self.principal.device,
            subject=found.id or self.subject,
        )
        session = self.proven.session
        if session is not None and session.is_shared:
            uow.proofs.save_session(session.used(at).ended(at, SessionEnd.ACT_DONE))
        elif session is not None and session.is_due(at):
            uow.proofs.save_session(session.used(at))


def spent() -> SessionEndedError:
    """Return the refusal of a shared device's session that has done its one act."""
    return SessionEndedError(
        "The request was refused: on a shared device a session ends with one act, and it is done; expected a new "
        "session. Sign in again.",
        detail={"ended": SessionEnd.ACT_DONE.value},
    )


DeskOfApp = Annotated[Desk, Depends(desk_of)]


class Declared:
    """The declaration of a route's act."""

    def __init__(self, act: Act) -> None:
        self.act = act


class Public(Declared):
    """A route that asks for no proof; its cell says so."""

    def __init__(self, act: Act) -> None:
        super().__init__(act)
        assert POLICY[act].is_public, "a public route needs a public cell"

    def __call__(self) -> None:
        """Let everybody in; a FastAPI dependency."""


class May(Declared):
    """A route for those whom the policy lets in; a FastAPI dependency.

    Parameters
    ----------
    act : Act
        What the route does.
    is_in_body : bool
        Whether the body alone says what is acted on; who acts is judged first, and the rest in the act's transaction.
    is_read : bool
        Whether the route changes nothing although its method may.
    otherwise : str, optional
        Address of the page that a browser without proof is sent to.
    """

    def __init__(
        self, act: Act, *, is_in_body: bool = False, is_read: bool = False, otherwise: str | None = None
    ) -> None:
        super().__init__(act)
        self._otherwise = otherwise
        self._is_read = is_read
        self._is_in_body = is_in_body
        assert not POLICY[act].is_public, "a route with a public cell is declared public"

    async def __call__(self, request: Request, desk: DeskOfApp, _declared: Annotated[object, Security(bearer)]) -> None:
        """Let a request in, or refuse it and keep that."""
        at = desk.clock.now()
        carried = Carried(request.headers, request.cookies, request.method in READING_METHODS)
        subject, find = _finder(request, desk)

        def look(uow: UnitOfWork) -> Proven | tuple[Proven, NotAllowedError]:
            proven = desk.identity.prove(uow, carried, at=at)
            try:
                require_allowed(proven.principal, self.act, None)
                if not self._is_in_body:
                    # The state is judged in the act's transaction: a retry finds its answer whatever came after.
                    require_allowed(proven.principal, self.act, replace(find(uow), state=None))
            except NotAllowedError as refused:
                return proven, refused
            except NotFoundError:
                # The route says so itself, once the rest of the request is known to be right.
                return proven
            return proven

        try:
            looked = await desk.control.read(look)
        except PrincipalMissingError:
            await self._keep_without_proof(desk, subject, at=at)
            if self._otherwise is not None:
                raise self._sent_there() from None
            raise
        if isinstance(looked, tuple):
            proven, refused = looked
            await keep_denial(desk, refused, principal=proven.principal, subject=subject)
            raise refused
        is_read = self._is_read or request.method in READING_METHODS
        if looked.is_spent and is_read:
            raise spent() if self._otherwise is None else self._sent_there()
        request.state.access = Access(looked, carried, self.act, subject, find, is_found=not self._is_in_body)
        if is_read:
            await self._keep_read(desk, looked, subject, at=at)

    def _sent_there(self) -> HTTPException:
        return HTTPException(HTTPStatus.SEE_OTHER, headers={"Location": self._otherwise or "/"})

    async def _keep_without_proof(self, desk: Desk, subject: str, *, at: datetime) -> None:
        if not desk.noted.is_due((self.act.value,), at=at, every=WITHOUT_PROOF_EVERY):
            return

        def keep(uow: UnitOfWork) -> None:
            keep_decision(uow, at=at, act=self.act, why=Why.NO_PROOF, principal=None, device=None, subject=subject)

        await _keep_if_possible(desk, keep)

    async def _keep_read(self, desk: Desk, proven: Proven, subject: str, *, at: datetime) -> None:
        who, session = proven.principal, proven.session
        is_new = desk.noted.is_due((who.id, who.device or "", self.act.value, subject), at=at, every=READS_KEPT_EVERY)
        is_use = session is not None and self.act not in PASSIVE and session.is_due(at)
        if not is_new and not is_use:
            return

        def keep(uow: UnitOfWork) -> None:
            if is_new:
                keep_decision(
                    uow,
                    at=at,
                    act=self.act,
                    why=Why.ALLOWED,
                    principal=who,
                    device=who.device,
                    subject=subject,
                )
            if is_use and session is not None:
                current = uow.proofs.session(session.digest)
                if current is not None and current.ended_at is None:
                    uow.proofs.save_session(current.used(at))

        await _keep_if_possible(desk, keep)


async def keep_denial(desk: Desk, refused: NotAllowedError, *, principal: Principal, subject: str) -> None:
    """Keep a refusal in a transaction of its own: the act's own never opened, or was rolled back."""

    def keep(uow: UnitOfWork) -> None:
        keep_refusal(uow, refused, at=desk.clock.now(), principal=principal, subject=subject)

    await _keep_if_possible(desk, keep)


async def _keep_if_possible(desk: Desk, keep: Callable[[UnitOfWork], None]) -> None:
    try:
        await desk.control.run(keep)
    except UnavailableError as error:
        # Reads and refusals go on while the store takes no writes; the log of the process is what is left.
        log.warning("decision_not_kept", code=error.code)


def _finder(request: Request, desk: Desk) -> tuple[str, Callable[[UnitOfWork], Subject]]:
    """Return the id in the path, and how to find what the policy asks about it."""
    path = request.path_params
    if "delivery" in path:
        delivery = DeliveryId(path["delivery"])
        return delivery, lambda uow: subject_of_delivery(uow.deliveries.get(delivery), desk.site)
    if "person" in path:
        person = PersonId(path["person"])
        return person, lambda uow: subject_of_person(uow.people.get(person))
    if "place" in path:
        place = PlaceId(path["place"])
        return place, lambda _uow: Subject(place, places=frozenset({place}))
    subject = Subject(next((str(value) for value in path.values()), ""))
    return subject.id, lambda _uow: subject


def access_of(request: Request) -> Access:
    """Return what a request was let in for."""
    return request.state.access


def declared_acts(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, frozenset[str], Act | None]]:
    """Return path, methods and declared act of every route; None for one that declares none, or several."""
    for route in iter_route_contexts(routes):
        declared = [one.dependency for one in route.dependencies or () if isinstance(one.dependency, Declared)]
        yield str(route.path), frozenset(route.methods or ()), declared[0].act if len(declared) == 1 else None


def require_cells(routes: Sequence[BaseRoute]) -> None:
    """Refuse an app that has a route without exactly one declared act, or one that the policy does not know."""
    for path, _methods, act in declared_acts(routes):
        if act is None or act not in POLICY:
            raise UndeclaredRouteError(f"the route {path} declares no act of the policy")
