"""Simulated people: whoever loads at the pharmacy and receives on the ward, in their own time."""

from __future__ import annotations

import random
from collections.abc import Callable

from orchestrator.application.confirm_receipt import confirm_receipt
from orchestrator.application.control import Control
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, LineCount, StopKind
from simulation.virtual_time import Scheduler

TRY_AGAIN_S = 5.0
LOADING_S = (15.0, 45.0)
RECEIVING_S = (10.0, 60.0)
"""How long people take, seconds, from the robot's arrival to their last keystroke; uniform."""


class People:
    """Pharmacy staff and nurses who do what is to be done, through the same use cases as the HTTP interface.

    Parameters
    ----------
    control : callable
        Returns the orchestrator of the moment, None while there is none.
    scheduler : Scheduler
        Virtual time.
    chance : random.Random
        Draws how long people take.
    """

    def __init__(self, control: Callable[[], Control | None], *, scheduler: Scheduler, chance: random.Random) -> None:
        self._control = control
        self._scheduler = scheduler
        self._chance = chance
        self._at_work: set[DeliveryId] = set()

    def look_round(self, uow: UnitOfWork) -> None:
        """Begin to load, receive or take back whatever has come to stand at a station."""
        for delivery in uow.deliveries.open():
            if delivery.id in self._at_work:
                continue
            if delivery.state is DeliveryState.LOADING:
                self._begin(delivery, LOADING_S)
            elif delivery.state is DeliveryState.ARRIVED or _is_back(uow, delivery):
                self._begin(delivery, RECEIVING_S)

    def _begin(self, delivery: Delivery, spread_s: tuple[float, float]) -> None:
        self._at_work.add(delivery.id)
        self._scheduler.after(self._chance.uniform(*spread_s), lambda: self._finish(delivery))

    def _finish(self, delivery: Delivery) -> None:
        control = self._control()
        if control is None:
            self._scheduler.after(TRY_AGAIN_S, lambda: self._finish(delivery))
            return
        self._at_work.discard(delivery.id)
        if control.read(lambda uow: uow.deliveries.get(delivery.id)).state is not delivery.state:
            return  # somebody cancelled it meanwhile
        counts = [LineCount(line=line.id, quantity=line.quantity) for line in delivery.lines]
        at = self._scheduler.clock.now()

        def load(uow: UnitOfWork) -> Delivery:
            return load_delivery(
                uow, at=at, by="pharmacy", delivery=delivery.id, seal_number=f"S-{delivery.id}", counts=counts
            )

        def receive(uow: UnitOfWork) -> Delivery:
            return confirm_receipt(
                uow, at=at, by="nurse", delivery=delivery.id, seal_number=f"S-{delivery.id}", counts=counts
            )

        control.run(load if delivery.state is DeliveryState.LOADING else receive)


def _is_back(uow: UnitOfWork, delivery: Delivery) -> bool:
    if delivery.state is not DeliveryState.RETURNING or delivery.trip is None:
        return False
    trip = uow.trips.get(delivery.trip)
    if not trip.has_arrived or trip.stops[0].kind is not StopKind.TAKE_BACK:
        return False
    return delivery.id in trip.stops[0].deliveries
