"""People in a ward where things go wrong: they do some things twice, and see to a robot before they resume it."""

from __future__ import annotations

import random
from collections.abc import Callable

from orchestrator.application.control import Control
from orchestrator.application.hand_to_runner import hand_to_runner
from orchestrator.application.idempotency import Answer, once
from orchestrator.application.ports import GrantSigner, Ids, UnitOfWork
from orchestrator.application.report_incident import IncidentCode, report_incident
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.model import Delivery, DeliveryId
from orchestrator.domain.fleet.model import RobotId
from simulation.faults.promises import PromiseBrokenError
from simulation.people import People
from simulation.virtual_time import Scheduler

ON_FOOT = 0.5
"""How often somebody carries on what lies in a robot that cannot be put right at once."""
WRONG = 0.2
"""How often they find that something is wrong with it."""
WALKING_S = (60.0, 300.0)
"""How long a runner takes to the ward and to the last keystroke there, seconds; uniform."""
TWICE = 0.3
"""How often somebody sends the same request again because the answer got lost."""


class RetryingPeople(People):
    """People whose requests come twice now and then, under the same idempotency key.

    Parameters
    ----------
    control, scheduler, chance, ids, signer
        As for `People`.
    can_see_to : callable
        Whether whoever stands before the robot can put right what is wrong with it now.
    take_out : callable
        Takes a load out of a robot's drawer, where it may lie before the robot knows of it.
    """

    def __init__(
        self,
        control: Callable[[], Control | None],
        *,
        scheduler: Scheduler,
        chance: random.Random,
        ids: Ids,
        signer: GrantSigner,
        can_see_to: Callable[[RobotId], bool],
        take_out: Callable[[RobotId, str, str | None], None],
    ) -> None:
        super().__init__(control, scheduler=scheduler, chance=chance, ids=ids, signer=signer)
        self._is_fit = can_see_to
        self._take_out = take_out
        self._asked: set[DeliveryId] = set()
        self.retries = 0

    def _can_see_to(self, robot: RobotId) -> bool:
        return self._is_fit(robot)

    def _carry_on_foot(self, control: Control, robot: RobotId) -> None:
        aboard = [d for d in control.read(lambda uow: uow.deliveries.open()) if d.robot == robot and d.state.is_aboard]
        for delivery in aboard:
            if delivery.id not in self._asked:
                self._asked.add(delivery.id)
                if self._chance.random() < ON_FOOT:
                    self._take_over(control, delivery, robot)

    def _empty(self, robot: RobotId, drawer: str) -> None:
        # Nobody knows of a load; what the robot carries by its own account lies in a drawer that the books know of.
        self._take_out(robot, "", drawer)

    def _take_over(self, control: Control, delivery: Delivery, robot: RobotId) -> None:
        """Carry a delivery on, or report that something is wrong with it; its drawer is emptied either way."""
        at = self._scheduler.clock.now()
        self._take_out(robot, delivery.load, delivery.drawer)
        if self._chance.random() < WRONG:
            code, sentence = IncidentCode.ROBOT_FAILED, "the robot failed and the tote is damaged"
            self._do(
                control,
                lambda uow: report_incident(
                    uow,
                    delivery=delivery.id,
                    code=code,
                    sentence=sentence,
                    is_emptied=True,
                    at=at,
                    present=believed("porter"),
                    premises=control.fleet.premises,
                    ids=self._ids,
                ),
                key=f"{delivery.id}:incident",
            )
            return
        self._do(
            control,
            lambda uow: hand_to_runner(
                uow,
                delivery=delivery.id,
                reason="the robot stands",
                is_emptied=True,
                at=at,
                present=believed("porter"),
                premises=control.fleet.premises,
                ids=self._ids,
            ),
            key=f"{delivery.id}:runner",
        )
        carried = control.read(lambda uow: uow.deliveries.get(delivery.id))
        self._begin(carried, WALKING_S)

    def _do(self, control: Control, act: Callable[[UnitOfWork], object], *, key: str) -> None:
        at = self._scheduler.clock.now()

        def do_once(uow: UnitOfWork) -> Answer:
            def do() -> Answer:
                act(uow)
                return Answer(status=200, body=key)

            return once(uow, key=key, principal="somebody", fingerprint=key, at=at, act=do)

        first = control.run(do_once)
        if self._chance.random() >= TWICE:
            return
        self.retries += 1
        before = control.read(lambda uow: uow.events.last_number())
        again = control.act(do_once)
        after = control.read(lambda uow: uow.events.last_number())
        if (again, after) != (first, before):
            raise PromiseBrokenError(5, f"the request {key} came twice and changed something twice")
