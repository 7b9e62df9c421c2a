"""Opening a drawer: who may, where the robot has to stand, and the signed grant that it opens for (design §6).

A grant is decided, kept, entered into the ledger and put into the outbox in one transaction; what the robot makes of it
is written down by `orchestrator.application.drawer_watch`. The robot judges everything again by what it knows itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.application.break_glass import break_glass
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.openings import DRAWER_GRANTED, record_opening
from orchestrator.application.ports import GrantSigner, Ids, UnitOfWork
from orchestrator.application.residue import is_left_of, require_empty
from orchestrator.application.steps import FREE_FOR_A_NEW_ORDER, standing_place
from orchestrator.domain.custody.errors import BreakGlassOffError
from orchestrator.domain.custody.grant import LIFETIME_MAX_S, Grant, Purpose, text_of_grant
from orchestrator.domain.custody.issued_grant import (
    DrawerNotOpenedError,
    GrantId,
    GrantOutcome,
    IssuedGrant,
    NoGrantsError,
    NonceUsedError,
    RobotNotReadyToOpenError,
    people_asked_for,
)
from orchestrator.domain.custody.people import Fits, Present, either, holds_role, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.lifecycle import require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.fleet.model import ActionId, DrawerState, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Role
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PlaceId, StationId

ACT = "The opening"
S = DeliveryState

STATES_FOR = {
    Purpose.LOAD: (S.LOADING,),
    Purpose.HAND_OVER: (S.ARRIVED, S.RECEIVED),
    Purpose.RECOUNT: (S.ARRIVED, S.RECEIVED),
    Purpose.TAKE_BACK: (S.RETURNING, S.RETURNED),
    Purpose.RETRIEVE: (S.SEALED, S.IN_TRANSIT, S.ARRIVED, S.RETURNING, S.INCIDENT, S.HANDED_TO_RUNNER),
}
"""In which states a delivery's drawer may be opened for what.

One that was received or returned is opened again while the robot still stands there with something in the drawer; what
is found in it later is retrieved, whatever became of the delivery (`orchestrator.application.residue.is_left_of`).
"""


@dataclass(frozen=True, slots=True)
class OpeningAsked:
    """What somebody asks for.

    ``purpose`` follows from the delivery's state when it is None. ``is_break_glass`` asks that one person alone opens,
    where the place allows that; ``reason`` then says why, and may say so of any. ``device`` is where they ask.
    """

    delivery: DeliveryId
    present: Present
    purpose: Purpose | None = None
    is_break_glass: bool = False
    reason: str = ""
    device: str | None = None


def checks_grants(uow: UnitOfWork, robot: RobotId) -> bool:
    """Whether a robot's factsheet declares that it opens on grants alone; no other carries what is controlled."""
    return uow.robots.get(robot).checks_grants


def grant_drawer(
    uow: UnitOfWork, fleet: FleetOnSite, asked: OpeningAsked, *, signer: GrantSigner, ids: Ids, at: datetime
) -> IssuedGrant:
    """Issue a grant for the drawer of a delivery, and send it to the robot.

    Parameters
    ----------
    uow : UnitOfWork
        The transaction.
    fleet : FleetOnSite
        Site, robots and the place's policy.
    asked : OpeningAsked
        Which delivery, for what, and who is there, authenticated for this very act.
    signer : GrantSigner
        Signs.
    ids : Ids
        New ids.
    at : datetime
        Now; aware.

    Returns
    -------
    IssuedGrant
        Not answered yet; the robot's answer comes with its next state.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or its drawer may not be opened for that now.
    NoGrantsError, RobotNotReadyToOpenError, NonceUsedError
        The robot checks no grants, does not stand there, or was given a grant for what it shows.
    DrawerNotEmptyError
        It is to be loaded, and something lies in it already.
    PeopleMissingError, SamePersonError, NotEligibleError, BreakGlassOffError
        Those who are there may not.
    InvalidInputError
        One person would open alone and says not why.
    """
    delivery = uow.deliveries.get(asked.delivery)
    purpose = asked.purpose or purpose_of(delivery)
    if not (purpose is Purpose.RETRIEVE and is_left_of(uow, delivery)):
        require_state(delivery, *STATES_FOR[purpose], act=ACT, next_step="Wait until its robot stands at the station.")
    _check_present(fleet, delivery, asked, purpose=purpose, at=at)
    if delivery.robot is None or delivery.drawer is None:
        raise RobotNotReadyToOpenError(
            f"{ACT} was refused: delivery {delivery.id} lies in no robot's drawer; expected one that does.",
            detail={"delivery": delivery.id},
        )
    record = uow.robots.get(delivery.robot)
    node = "" if purpose is Purpose.RETRIEVE else _node_of(fleet, delivery, purpose)
    nonce = _nonce_of_ready(fleet, record, drawer=delivery.drawer, node=node, at=at)
    if purpose is Purpose.LOAD:
        require_empty(uow, delivery, act=ACT)
    _refuse_second(uow, record.robot, nonce)
    robot = fleet.robots[record.robot]
    text = text_of_grant(
        Grant(
            manufacturer=robot.manufacturer,
            serial_number=robot.serial_number,
            drawer=delivery.drawer,
            delivery=delivery.id,
            load=delivery.load,
            purpose=purpose,
            node=node,
            nonce=nonce,
            lifetime_s=LIFETIME_MAX_S,
        )
    )
    action = RobotAction(
        id=ActionId(ids.new("action")),
        kind=ActionKind.OPEN_DRAWER,
        drawer=delivery.drawer,
        grant=text,
        signature=signer.sign(text),
    )
    issued = IssuedGrant(
        id=GrantId(ids.new("grant")),
        delivery=delivery.id,
        robot=record.robot,
        drawer=delivery.drawer,
        purpose=purpose,
        nonce=nonce,
        action=action.id,
        by=asked.present.by,
        people=asked.present.ids,
        issued_at=at,
        place=_place_of(fleet, delivery, purpose),
    )
    uow.grants.add(issued)
    uow.outbox.add(record.robot, at=at, action=action)
    record_opening(uow, DRAWER_GRANTED, issued, at=at, present=asked.present, facts=_circumstances(asked, node))
    if asked.is_break_glass:
        break_glass(uow, fleet, delivery, issued, reason=asked.reason, at=at, ids=ids)
    return issued


def purpose_of(delivery: Delivery) -> Purpose:
    """Return what the drawer of a delivery is opened for in its present state."""
    if delivery.state in STATES_FOR[Purpose.TAKE_BACK]:
        return Purpose.TAKE_BACK
    return Purpose.LOAD if delivery.state in STATES_FOR[Purpose.LOAD] else Purpose.HAND_OVER


def require_opened(uow: UnitOfWork, delivery: Delivery, *purposes: Purpose, place: PlaceId, act: str) -> IssuedGrant:
    """Return the last opening of a delivery's drawer, where its robot stands with it, for one of these purposes.

    What was opened on another robot, at another place, or before it came to stand here says nothing of here and now.

    Raises
    ------
    DrawerNotOpenedError
        Nobody had it opened for that.
    """
    came_at = delivery.history[-1].at if delivery.history else delivery.queued_at
    opened = [
        grant
        for grant in uow.grants.of_delivery(delivery.id)
        if grant.outcome is GrantOutcome.OPENED
        and grant.purpose in purposes
        and (grant.robot, grant.place) == (delivery.robot, place)
        and grant.issued_at >= came_at
    ]
    if not opened:
        raise DrawerNotOpenedError(
            f"{act} was refused: the drawer of delivery {delivery.id} was not opened for it here by those who do it; "
            f"expected that it was. Ask for it with POST /api/v1/deliveries/{delivery.id}/open-drawer, then do it.",
            detail={"delivery": delivery.id},
        )
    return opened[-1]


def require_opened_if_controlled(
    uow: UnitOfWork, delivery: Delivery, *purposes: Purpose, place: PlaceId, act: str
) -> None:
    """Refuse an act on what is controlled while its drawer was not opened for it on a grant, at this place.

    What is controlled rides only with robots that check grants (`orchestrator.domain.dispatch.filters`), so this leaves
    out nothing but what a person carries.

    Raises
    ------
    DrawerNotOpenedError
        Nobody had it opened for that.
    """
    if delivery.handling_class is not HandlingClass.CONTROLLED or delivery.robot is None:
        return
    if checks_grants(uow, delivery.robot):
        require_opened(uow, delivery, *purposes, place=place, act=act)


def _check_present(
    fleet: FleetOnSite, delivery: Delivery, asked: OpeningAsked, *, purpose: Purpose, at: datetime
) -> None:
    premises, handling_class = fleet.premises, delivery.handling_class
    wanted = people_asked_for(purpose, premises.rule(handling_class))
    if asked.is_break_glass:
        if not premises.policy.may_break_glass:
            raise BreakGlassOffError(
                f"{ACT} was refused: here nobody opens alone what takes {wanted}; expected {wanted} people. "
                "Ask for the other, or for the nurse in charge.",
                detail={"expected": wanted},
            )
        require_said(asked.reason, act=ACT)
        wanted = 1
    fits, who = _who_fits(premises, delivery, purpose)
    require_people(
        asked.present,
        wanted=wanted,
        fits=fits,
        who=who,
        act=ACT,
        # Two people retrieve whatever it is, so nobody is merely believed there.
        handling_class=handling_class if purpose is not Purpose.RETRIEVE else HandlingClass.CONTROLLED,
        at=at,
    )


def _who_fits(premises: Premises, delivery: Delivery, purpose: Purpose) -> tuple[Fits, str]:
    """Return whether somebody may have the drawer opened, and who may in words."""
    handling_class = delivery.handling_class
    if purpose is not Purpose.RETRIEVE:
        return premises.staff_of(premises.place(_station_of(delivery, purpose)), handling_class)
    sends, sending = premises.staff_of(premises.place(delivery.from_station), handling_class)
    receives, receiving = premises.staff_of(premises.place(delivery.to_station), handling_class)
    return either(sends, receives, holds_role(Role.SITE_MANAGER)), f"{sending}, {receiving}, or a site manager"


def _node_of(fleet: FleetOnSite, delivery: Delivery, purpose: Purpose) -> str:
    assert delivery.robot is not None, "only a delivery with a robot is opened"
    return fleet.waypoint_of(delivery.robot, _station_of(delivery, purpose))


def _place_of(fleet: FleetOnSite, delivery: Delivery, purpose: Purpose) -> PlaceId:
    """Return in whose register an opening stands: of where it opens, or of who sent what is retrieved on its way."""
    is_retrieved = purpose is Purpose.RETRIEVE
    return fleet.premises.place(delivery.from_station if is_retrieved else _station_of(delivery, purpose))


def _circumstances(asked: OpeningAsked, node: str) -> dict[str, str]:
    """Return where and why somebody asked, as facts of the ledger."""
    facts = {
        "stands_at": node or "where it stands",
        "device": asked.device or "",
        "why": asked.reason.strip(),
        "break_glass": "yes" if asked.is_break_glass else "",
    }
    return {name: text for name, text in facts.items() if text}


def _station_of(delivery: Delivery, purpose: Purpose) -> StationId:
    if purpose is Purpose.TAKE_BACK:
        return delivery.returns_to
    return delivery.from_station if purpose is Purpose.LOAD else delivery.to_station


def _nonce_of_ready(fleet: FleetOnSite, record: RobotRecord, *, drawer: str, node: str, at: datetime) -> str:
    """Return what the robot shows, once nothing known here speaks against its opening."""
    robot, report = record.robot, record.report
    if not record.checks_grants:
        raise NoGrantsError(
            f"{ACT} was refused: robot {robot} does not declare that it checks drawer grants; expected one that does. "
            "Open its drawer as its maker says.",
            detail={"robot": robot},
        )
    known = {each.drawer: each for each in report.drawers} if report is not None else {}
    why = None
    if report is None or record.lost_since is not None:
        why = "has not reported lately"
    elif report.is_driving or record.phase not in FREE_FOR_A_NEW_ORDER:
        why = "drives, or has an order still"
    elif node and (report.last_waypoint != node or standing_place(fleet, record) != node):
        why = "does not stand at the station of the delivery"
    elif _stands_in_lift(fleet, record):
        why = "stands in a lift, where no drawer is opened; have it brought out, or bring it out by hand"
    elif any(each.state is not DrawerState.LOCKED or each.is_tampered for each in known.values()):
        why = "has a drawer that is open, or not known to be locked"
    elif drawer not in known:
        why = "reports no such drawer"
    elif report.nonce is None or at - report.received_at > timedelta(seconds=LIFETIME_MAX_S):
        why = "has not said within the last minute that it is ready to open"
    if why is not None or report is None or report.nonce is None:
        raise RobotNotReadyToOpenError(
            f"{ACT} was refused: robot {robot} {why}; expected it to stand at the station with its drawers locked. "
            "Ask again in a few seconds, or see to the robot.",
            detail={"robot": robot},
        )
    return report.nonce


def _stands_in_lift(fleet: FleetOnSite, record: RobotRecord) -> bool:
    place = standing_place(fleet, record)
    return place is not None and fleet.graph_of(record.robot).waypoints[place].lift is not None


def _refuse_second(uow: UnitOfWork, robot: RobotId, nonce: str) -> None:
    before = uow.grants.of_nonce(robot, nonce)
    if before is not None:
        raise NonceUsedError(
            f"{ACT} was refused: a grant for what robot {robot} shows was issued already; expected that it shows "
            "something new. Ask again in a few seconds if the drawer stays locked.",
            detail={"robot": robot, "grant": before.id},
        )
