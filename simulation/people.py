"""Simulated people: whoever loads at the pharmacy and receives on the ward, in their own time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.control import Control
from orchestrator.application.grants import OpeningAsked, checks_grants, grant_drawer, purpose_of
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import GrantSigner, Ids, UnitOfWork
from orchestrator.application.residue import NOT_EMPTY
from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.domain.custody.issued_grant import DrawerNotEmptyError
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, LineCount, StopKind
from orchestrator.domain.errors import ConflictError
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from simulation.virtual_time import Scheduler

TRY_AGAIN_S = 5.0
LOADING_S = (15.0, 45.0)
RECEIVING_S = (10.0, 60.0)
"""How long people take, seconds, from the robot's arrival to their last keystroke; uniform."""
OPENING_S = 5.0
"""How long before their last keystroke they have the drawer opened, seconds."""
TRIES_MAX = 8
"""How often they ask for a drawer before they use the mechanical key."""
COMING_S = (30.0, 120.0)
"""How long until somebody stands before a robot that is held, has seen to it and resumes it, seconds; uniform."""

LAID_BY_PEOPLE = frozenset({HoldKind.PAUSED, HoldKind.FENCED_OFF, HoldKind.REMOVED, HoldKind.OUT_OF_SERVICE})
"""Holds that whoever laid them lifts."""


class People:
    """Pharmacy staff, nurses and porters who do what is to be done, through the same use cases as the HTTP interface.

    Parameters
    ----------
    control : callable
        Returns the orchestrator of the moment, None while there is none.
    scheduler : Scheduler
        Virtual time.
    chance : random.Random
        Draws how long people take.
    ids : Ids
        New ids.
    signer : GrantSigner
        Signs the grants that drawers open on.
    """

    def __init__(
        self,
        control: Callable[[], Control | None],
        *,
        scheduler: Scheduler,
        chance: random.Random,
        ids: Ids,
        signer: GrantSigner,
    ) -> None:
        self._signer = signer
        self._tries: Counter[DeliveryId] = Counter()
        self._control = control
        self._ids = ids
        self._scheduler = scheduler
        self._chance = chance
        self._at_work: set[DeliveryId] = set()
        self._looked_after: set[RobotId] = set()
        self._looked_into: set[tuple[RobotId, str]] = set()
        self._emptied_at: dict[tuple[RobotId, str], datetime] = {}

    def look_round(self, uow: UnitOfWork) -> None:
        """Begin to load, receive or take back whatever has come to stand at a station."""
        for delivery in uow.deliveries.open():
            if delivery.id in self._at_work:
                continue
            if delivery.state is DeliveryState.LOADING:
                self._begin(delivery, LOADING_S)
            elif delivery.state is DeliveryState.ARRIVED or _is_back(uow, delivery):
                self._begin(delivery, RECEIVING_S)
        control = self._control()
        for robot in sorted(control.fleet.robots) if control else ():
            if robot not in self._looked_after and _needs_somebody(uow.robots.get(robot)):
                self._looked_after.add(robot)
                self._scheduler.after(self._chance.uniform(*COMING_S), lambda robot=robot: self._resume(robot))
            for drawer in self._left_in(uow, robot):
                self._looked_into.add((robot, drawer))
                self._scheduler.after(
                    self._chance.uniform(*COMING_S), lambda robot=robot, drawer=drawer: self._look_into(robot, drawer)
                )

    def _left_in(self, uow: UnitOfWork, robot: RobotId) -> list[str]:
        """Return the drawers that people were called to because something was left there, and nobody has gone to."""
        keys = sorted(key for key in uow.robots.get(robot).called_for if key.startswith(f"{NOT_EMPTY}:"))
        drawers = [key.removeprefix(f"{NOT_EMPTY}:") for key in keys]
        return [drawer for drawer in drawers if (robot, drawer) not in self._looked_into]

    def _look_into(self, robot: RobotId, drawer: str) -> None:
        """Take out what was left in a drawer, if it is still there."""
        self._looked_into.discard((robot, drawer))
        control = self._control()
        if control is not None and control.read(lambda uow: drawer in self._left_in(uow, robot)):
            self._empty(robot, drawer)
            self._emptied_at[robot, drawer] = self._scheduler.clock.now()

    def _empty(self, robot: RobotId, drawer: str) -> None:
        """Take out what is in a drawer, if anybody does."""

    def _resume(self, robot: RobotId) -> None:
        """Resume a robot that is held; when it may not go on yet, see to it and try again."""
        control = self._control()
        if control is None:
            self._scheduler.after(TRY_AGAIN_S, lambda: self._resume(robot))
            return
        if not self._can_see_to(robot):
            self._carry_on_foot(control, robot)
            self._scheduler.after(TRY_AGAIN_S, lambda: self._resume(robot))
            return
        if _needs_somebody(control.read(lambda uow: uow.robots.get(robot))):
            asked = Asked(robot, "porter", "seen to", self._scheduler.clock.now())
            try:
                self._do(
                    control,
                    lambda uow: resume_robot(uow, control.fleet, asked, ids=self._ids),
                    key=f"{robot}:resume:{asked.at.isoformat()}",
                )
            except ConflictError:
                self._scheduler.after(TRY_AGAIN_S, lambda: self._resume(robot))
                return
        self._looked_after.discard(robot)

    def _can_see_to(self, robot: RobotId) -> bool:
        """Whether what whoever stands before the robot can see is in order by now."""
        del robot
        return True

    def _carry_on_foot(self, control: Control, robot: RobotId) -> None:
        """Take over what a robot carries that cannot be put right at once, if anybody does."""

    def _begin(self, delivery: Delivery, spread_s: tuple[float, float]) -> None:
        self._at_work.add(delivery.id)
        takes_s = self._chance.uniform(*spread_s)
        if self._has_locks(delivery):
            takes_s = max(0.0, takes_s - OPENING_S)
        self._scheduler.after(takes_s, lambda: self._finish(delivery))

    def _has_locks(self, delivery: Delivery) -> bool:
        """Whether the delivery lies in a robot whose drawers open on grants alone."""
        control, robot = self._control(), delivery.robot
        if control is None or robot is None or delivery.state is DeliveryState.HANDED_TO_RUNNER:
            return False
        return control.read(lambda uow: checks_grants(uow, robot))

    def _finish(self, delivery: Delivery) -> None:
        control = self._control()
        if control is None:
            self._scheduler.after(TRY_AGAIN_S, lambda: self._finish(delivery))
            return
        if self._is_to_be_opened(control, delivery):
            self._open(control, delivery)
            return
        self._tries.pop(delivery.id, None)
        self._at_work.discard(delivery.id)
        if not control.read(lambda uow: _is_still_there(uow, delivery)):
            return  # somebody cancelled it meanwhile, or its robot was taken from the station again
        counts = [LineCount(line=line.id, quantity=line.quantity) for line in delivery.lines]
        at = self._scheduler.clock.now()

        def load(uow: UnitOfWork) -> Delivery:
            return load_delivery(
                uow,
                at=at,
                present=believed("pharmacy"),
                premises=control.fleet.premises,
                ids=self._ids,
                delivery=delivery.id,
                seal_number=f"S-{delivery.id}",
                counts=counts,
            )

        def receive(uow: UnitOfWork) -> Delivery:
            return confirm_receipt(
                uow,
                at=at,
                present=believed("nurse"),
                premises=control.fleet.premises,
                ids=self._ids,
                delivery=delivery.id,
                reading=Reading(f"S-{delivery.id}", tuple(counts)),
            )

        act = load if delivery.state is DeliveryState.LOADING else receive
        try:
            self._do(control, act, key=f"{delivery.id}:{delivery.state.value}:{len(delivery.history)}")
        except DrawerNotEmptyError:
            # Whoever looks round next tries again; those who were called take out what is in there.
            return

    def _is_to_be_opened(self, control: Control, delivery: Delivery) -> bool:
        """Whether somebody still has to open the drawer, and has not given up trying to."""
        if not self._has_locks(delivery) or self._tries[delivery.id] >= TRIES_MAX:
            return False
        return control.read(lambda uow: _is_still_there(uow, delivery) and not self._has_opened(uow, delivery))

    def _has_opened(self, uow: UnitOfWork, delivery: Delivery) -> bool:
        """Whether the drawer was opened for what people do now, and is locked again, and nobody emptied it since."""
        purpose = purpose_of(delivery)
        emptied_at = self._emptied_at.get((delivery.robot or RobotId(""), delivery.drawer or ""))
        return any(
            grant.closed_at is not None
            and grant.purpose is purpose
            and (emptied_at is None or grant.closed_at > emptied_at)
            for grant in uow.grants.of_delivery(delivery.id)
        )

    def _open(self, control: Control, delivery: Delivery) -> None:
        """Have the drawer opened, and do one's work when it is locked again; or try again a little later."""
        self._tries[delivery.id] += 1
        at = self._scheduler.clock.now()
        asked = OpeningAsked(delivery.id, believed("somebody"))
        try:
            self._do(
                control,
                lambda uow: grant_drawer(uow, control.fleet, asked, signer=self._signer, ids=self._ids, at=at),
                key=f"{delivery.id}:open:{at.isoformat()}",
            )
        except ConflictError:
            self._scheduler.after(TRY_AGAIN_S, lambda: self._finish(delivery))
            return
        except BaseException:
            # The orchestrator died in the middle: whoever looks round next begins anew.
            self._at_work.discard(delivery.id)
            raise
        self._scheduler.after(OPENING_S, lambda: self._finish(delivery))

    def _do(self, control: Control, act: Callable[[UnitOfWork], object], *, key: str) -> None:
        """Let somebody do something; ``key`` is the same when they do the same again."""
        del key
        control.run(act)


def _needs_somebody(record: RobotRecord) -> bool:
    return any(hold.kind.keeps_from_driving and hold.kind not in LAID_BY_PEOPLE for hold in record.holds)


def _is_still_there(uow: UnitOfWork, delivery: Delivery) -> bool:
    now = uow.deliveries.get(delivery.id)
    return now.state is delivery.state and (now.state is not DeliveryState.RETURNING or _is_back(uow, now))


def _is_back(uow: UnitOfWork, delivery: Delivery) -> bool:
    if delivery.state is not DeliveryState.RETURNING or delivery.trip is None:
        return False
    trip = uow.trips.get(delivery.trip)
    if not trip.has_arrived or trip.stops[0].kind is not StopKind.TAKE_BACK:
        return False
    return delivery.id in trip.stops[0].deliveries
