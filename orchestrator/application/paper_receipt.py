"""Entering a receipt that a ward signed on paper while the network was down (acceptance case 54).

The same people, seals and counts as for any receipt (`confirm_receipt`), with when they signed. That the count was not
blind is always on record. What is controlled needs evidence besides the paper: its drawer was opened for it, by the
grants or by what the robot wrote down itself.

One delivery ends one way. While it is on its way back, the paper ends it as received, unless something lies in the
drawer still; once a pharmacy has taken it back, the count there stands and the paper is refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.application.confirm_receipt import receive, require_receivers, was_turned_back
from orchestrator.application.grants import checks_grants
from orchestrator.application.handover_place import check_said_place
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.reading import Reading
from orchestrator.application.receiving import Received
from orchestrator.application.register_errors import OccurredAtError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.issued_grant import GrantOutcome
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.errors import NotOpenedOnPaperError, PaperAfterReturnError
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.delivery.paper import PaperForm
from orchestrator.domain.fleet.model import DrawerContent
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import Reason, require_said

ACT = "The receipt on paper"

WALL_CLOCKS = timedelta(minutes=5)
"""How far the moment on a paper may lie before the drawer opened by our clock: people look at one on a wall."""

TAKEN_OUT_ON_PAPER = Reason(
    "taken_out_on_paper", "By a paper of the ward it was taken out before the robot left; the robot comes back without."
)


def enter_paper_receipt(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    reading: Reading,
    paper: PaperForm,
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
) -> Delivery:
    """Enter what a ward received on paper; see `confirm_receipt` for what becomes of it.

    Parameters
    ----------
    paper : PaperForm
        Its number, when it was signed, and why it was on paper.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it neither stands at the ward nor is on its way back.
    PaperAfterReturnError
        A pharmacy has taken it back, or its drawer is not empty.
    OccurredAtError
        The moment is in the future, or before it was loaded or its drawer opened.
    NotOpenedOnPaperError
        It is controlled, and nothing shows that its drawer was opened for it.
    NotEligibleError, PeopleMissingError, SamePersonError, LinesMismatchError, InvalidInputError, SealMismatchError
        As `confirm_receipt`.
    """
    standing = uow.deliveries.get(delivery)
    _require_not_taken_back(uow, standing)
    place = premises.place(standing.to_station)
    check_said_place(standing, reading.is_return, comes_back=False)
    require_receivers(standing, reading, present, premises, place=place, at=at)
    for said in (paper.reason, paper.reference):
        require_said(said, act=ACT)
    _require_moment(uow, standing, paper, at=at)
    handover = Received(standing, at=at, place=place, present=present, ids=ids, is_return=False, paper=paper)
    if standing.state is DeliveryState.RETURNING:
        taken_out = moved(
            standing, DeliveryState.HANDED_TO_RUNNER, at=at, cause=present.actor, reason=TAKEN_OUT_ON_PAPER
        ).out_of_drawer()
        # Its robot and drawer stay on the books until the paper is received: the seal may have been copied wrongly.
        handover = replace(handover, delivery=taken_out, before=standing)
    return receive(uow, handover, reading, premises)


def _require_not_taken_back(uow: UnitOfWork, delivery: Delivery) -> None:
    if delivery.state is DeliveryState.RETURNED:
        raise PaperAfterReturnError(
            f"{ACT} was refused: delivery {delivery.id} was taken back and counted at the pharmacy; expected one that "
            "was not. That count stands. If the ward kept some of it, report an incident and settle the difference.",
            detail={"delivery": delivery.id},
        )
    require_state(
        delivery,
        DeliveryState.ARRIVED,
        DeliveryState.RETURNING,
        DeliveryState.HANDED_TO_RUNNER,
        act=ACT,
        next_step="Look at its history. What was taken out with the mechanical key is entered as that first.",
    )
    if delivery.state is DeliveryState.HANDED_TO_RUNNER and _is_carried_back(delivery):
        raise PaperAfterReturnError(
            f"{ACT} was refused: a person carries delivery {delivery.id} back, who took it out on its way; expected "
            "one that was to come to the ward. Have it taken back and counted; then settle what the ward kept.",
            detail={"delivery": delivery.id},
        )
    if delivery.state is not DeliveryState.RETURNING or delivery.robot is None:
        return
    report = uow.robots.get(delivery.robot).report
    drawers = () if report is None else report.drawers
    if any(d.drawer == delivery.drawer and d.content is DrawerContent.OCCUPIED for d in drawers):
        raise PaperAfterReturnError(
            f"{ACT} was refused: something lies in drawer {delivery.drawer} of robot {delivery.robot} still, on its "
            "way back; expected an empty drawer. Have it taken back and counted; then settle what the ward kept.",
            detail={"delivery": delivery.id},
        )


def _is_carried_back(delivery: Delivery) -> bool:
    """Whether a person took it out on its way back; not one that this act took out, whose seal is read once more."""
    return was_turned_back(delivery) and delivery.history[-1].reason != TAKEN_OUT_ON_PAPER


def _require_moment(uow: UnitOfWork, delivery: Delivery, paper: PaperForm, *, at: datetime) -> None:
    if paper.occurred_at > at:
        raise _no_moment("its moment has not come", "when the ward signed, as the paper says")
    if paper.occurred_at < (delivery.queued_at if delivery.loading is None else delivery.loading.at):
        raise _no_moment("its moment is before it was loaded", "one after that")
    opened_at = _opened_at(uow, delivery)
    if opened_at is not None and paper.occurred_at < opened_at - WALL_CLOCKS:
        raise _no_moment("its moment is before the drawer was opened", "one after that")


def _opened_at(uow: UnitOfWork, delivery: Delivery) -> datetime | None:
    """Return when the drawer was first opened to hand it over; None where no robot that checks grants carried it."""
    robot = None if delivery.state is DeliveryState.HANDED_TO_RUNNER else delivery.robot
    if robot is None or not checks_grants(uow, robot):
        return None
    opened = [
        grant.answered_at
        for grant in uow.grants.of_delivery(delivery.id)
        if grant.outcome is GrantOutcome.OPENED
        and grant.purpose in (Purpose.HAND_OVER, Purpose.RECOUNT)
        and grant.answered_at is not None
    ]
    if opened:
        return min(opened)
    if delivery.handling_class is HandlingClass.CONTROLLED:
        raise NotOpenedOnPaperError(
            f"{ACT} was refused: nothing shows that the drawer of delivery {delivery.id} was opened for it, neither a "
            "grant nor what its robot wrote down; expected that. Wait until the robot is heard again. If it was opened "
            "with the mechanical key, enter that; if nobody knows, report an incident.",
            detail={"delivery": delivery.id},
        )
    return None


def _no_moment(found: str, expected: str) -> OccurredAtError:
    return OccurredAtError(
        f"{ACT} was refused: {found}; expected {expected}. Correct it.", detail={"field": "occurred_at"}
    )
