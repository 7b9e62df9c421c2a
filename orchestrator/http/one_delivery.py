"""A request that acts on the delivery in its path: who asks, who is there, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.step_up import StepUps as Presented
from orchestrator.application.views import DeliveryPicture, delivery_picture
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.model import Delivery, DeliveryId
from orchestrator.domain.people import model as people
from orchestrator.domain.people.model import Role
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, StepUps, Who, act_once, require_json
from orchestrator.http.desk import Desk
from orchestrator.http.presence import present_if_any, present_of, signed_in
from orchestrator.http.response_models import DeliveryView, delivery_view

DeliveryInPath = Annotated[str, Path(description="Id of the delivery.")]
IS_JSON = [Depends(require_json)]
ACTING = (400, 401, 403, 409, 413, 415, 421, 422, 503)
SEE_QUANTITIES = frozenset({Role.PHARMACIST, Role.PHARMACY_TECHNICIAN, Role.ACCOUNTABLE_OFFICER})
"""Who sees quantities of what is counted blind before it is closed."""

Doing = Callable[[UnitOfWork, datetime, Present], Delivery]
"""A use case, given the transaction, the present moment and who is there."""


def shown(
    act: Callable[[UnitOfWork, datetime], Delivery], who: people.Principal, desk: Desk
) -> Callable[[UnitOfWork, datetime], DeliveryView]:
    """Return the act with the delivery that came of it, as whoever asks may see it."""
    return lambda uow, at: view_for(who, delivery_picture(uow, act(uow, at).id), desk)


def view_for(who: people.Principal, picture: DeliveryPicture, desk: Desk) -> DeliveryView:
    """Return what is shown of a delivery: to who counts it blind, no quantity before it is closed."""
    is_blind = desk.fleet.premises.rule(picture.delivery.handling_class).is_count_blind
    return delivery_view(picture, hides_quantities=is_blind and SEE_QUANTITIES.isdisjoint(who.roles))


@dataclass(frozen=True, slots=True)
class OneDelivery:
    """The delivery in the path of a request, and what the request proved."""

    id: DeliveryId
    request: Request
    desk: Desk
    who: people.Principal
    key: str

    @property
    def premises(self) -> Premises:
        """The places of the site, and the custody policy in force."""
        return self.desk.fleet.premises

    async def do(self, asked: BaseModel, doing: Doing) -> Response:
        """Do it once, as whoever is signed in."""
        return await self._once(asked, lambda uow, at: doing(uow, at, signed_in(uow, self.who)))

    async def _once(self, asked: BaseModel, act: Callable[[UnitOfWork, datetime], Delivery]) -> Response:
        answered = shown(act, self.who, self.desk)
        return await act_once(
            self.request, self.desk, asked=asked, key=self.key, by=self.who.id, status=200, act=answered
        )


@dataclass(frozen=True, slots=True)
class DeliveryAmongPeople(OneDelivery):
    """The same, with the step-ups of everybody who takes part."""

    step_ups: Presented

    async def do_together(self, asked: BaseModel, act: Act, doing: Doing) -> Response:
        """Do it once, by the people who proved themselves for this very act."""
        return await self._once(
            asked,
            lambda uow, at: doing(uow, at, present_of(uow, self.who, self.step_ups, act=act, delivery=self.id, at=at)),
        )

    async def do_with_any(self, asked: BaseModel, act: Act, doing: Doing) -> Response:
        """Do it once, as whoever is signed in, with those who proved themselves for an act, where anybody did."""
        return await self._once(
            asked,
            lambda uow, at: doing(
                uow, at, present_if_any(uow, self.who, self.step_ups, act=act, delivery=self.id, at=at)
            ),
        )


def one_delivery(
    delivery: DeliveryInPath, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> OneDelivery:
    """Return the delivery that a request acts on; a FastAPI dependency."""
    return OneDelivery(DeliveryId(delivery), request, desk, who, key)


def delivery_among_people(
    delivery: DeliveryInPath, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey, step_ups: StepUps
) -> DeliveryAmongPeople:
    """Return the delivery that people act on together; a FastAPI dependency."""
    return DeliveryAmongPeople(DeliveryId(delivery), request, desk, who, key, step_ups)


One = Annotated[OneDelivery, Depends(one_delivery)]
AmongPeople = Annotated[DeliveryAmongPeople, Depends(delivery_among_people)]
