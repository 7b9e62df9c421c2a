"""What was left in a drawer: the sensor sees something where by the books nothing lies.

Nothing is loaded into such a drawer, its robot is sent nowhere, and what came there before is looked into.
"""

from __future__ import annotations

from orchestrator.application.calling import Call, call_people
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recorded_acts import is_standing, keep_incident, open_incident
from orchestrator.application.spots import spot_of
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.issued_grant import DrawerNotEmptyError, IssuedGrant
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.model import DrawerContent, DrawerReport, DrawerState, RobotId
from orchestrator.domain.fleet.record import RobotRecord

NOT_EMPTY = "drawer_not_empty"


def is_left_in(uow: UnitOfWork, robot: RobotId, drawer: DrawerReport) -> bool:
    """Whether something lies in a locked drawer that no delivery lies in, or is being put into, by the books."""
    if drawer.state is not DrawerState.LOCKED or drawer.content is not DrawerContent.OCCUPIED:
        return False
    here = [d for d in uow.deliveries.open() if (d.robot, d.drawer) == (robot, drawer.drawer)]
    if any(delivery.is_in_drawer or _is_being_loaded(uow, delivery) for delivery in here):
        return False
    standing = uow.grants.standing()
    return not any(grant.is_open and (grant.robot, grant.drawer) == (robot, drawer.drawer) for grant in standing)


def left_in_drawers(uow: UnitOfWork, record: RobotRecord) -> tuple[str, ...]:
    """Return the drawers of a robot in which something was left, as it reports them."""
    drawers = record.report.drawers if record.report is not None else ()
    return tuple(each.drawer for each in drawers if is_left_in(uow, record.robot, each))


def _is_being_loaded(uow: UnitOfWork, delivery: Delivery) -> bool:
    """Whether its drawer was granted for it to be put in, so that it may lie there unsealed.

    It was not occupied when that was granted. Whether it opened then is not asked: the robot's answer may be lost.
    """
    return delivery.state is DeliveryState.LOADING and any(
        grant.purpose is Purpose.LOAD and (grant.robot, grant.drawer) == (delivery.robot, delivery.drawer)
        for grant in uow.grants.of_delivery(delivery.id)
    )


def is_left_of(uow: UnitOfWork, delivery: Delivery) -> bool:
    """Whether what was left in a drawer came there with this delivery, as far as anybody knows."""
    if delivery.robot is None:
        return False
    left = left_in_drawers(uow, uow.robots.get(delivery.robot))
    last = uow.grants.last_opened(delivery.robot, delivery.drawer or "")
    return delivery.drawer in left and last is not None and last.delivery == delivery.id


def require_empty(uow: UnitOfWork, delivery: Delivery, *, act: str) -> None:
    """Refuse to load a delivery into a drawer that holds something of before.

    Raises
    ------
    DrawerNotEmptyError
        The robot says that something lies in it.
    """
    if delivery.robot is None or delivery.drawer not in left_in_drawers(uow, uow.robots.get(delivery.robot)):
        return
    raise DrawerNotEmptyError(
        f"{act} was refused: something lies in drawer {delivery.drawer} of robot {delivery.robot} already; expected an "
        "empty one. An incident says which delivery it came with: have two people retrieve it with the open-drawer of "
        "that.",
        detail={"delivery": delivery.id, "robot": delivery.robot, "drawer": delivery.drawer},
    )


def note_left_in(turn: Turn, fleet: FleetOnSite, robot: RobotId, drawer: DrawerReport) -> None:
    """Open the incident of what was left in a drawer, for the delivery that was in it last, and call people."""
    loading = _loading_into(turn, robot, drawer)
    # A delivery that its drawer was opened for is not waiting to be loaded: what is there now came before it.
    before = turn.uow.grants.last_opened(robot, drawer.drawer)
    if before is not None and is_standing(turn.uow, before.delivery, IncidentKind.DRAWER_NOT_EMPTY):
        return
    turn.has_changed = True
    spot = spot_of(fleet, robot, turn.record(robot).report)
    what = f"Something lies in drawer {drawer.drawer} of robot {robot}, where by the books nothing does."
    is_controlled = _open(turn, fleet, before, loading, what, robot=robot)
    officer = (Function.ACCOUNTABLE_OFFICER,) if is_controlled else ()
    came = f" It came with delivery {before.delivery}, or after it." if before is not None else ""
    sentence = (
        f"{what}{came} The robot stays {spot.words}, and nothing is loaded into it. Have two people look into it."
    )
    call = Call(NOT_EMPTY, sentence, (Function.PHARMACY, *officer), spot.data)
    call_people(turn.uow, call, subject=robot, contacts=fleet.policy.custody.contacts, at=turn.at)


def _open(
    turn: Turn,
    fleet: FleetOnSite,
    before: IssuedGrant | None,
    loading: Delivery | None,
    what: str,
    *,
    robot: RobotId,
) -> bool:
    """Keep the incident; return whether it is one of what is controlled."""
    kind = IncidentKind.DRAWER_NOT_EMPTY
    if before is not None:
        delivery = turn.delivery(before.delivery)
        sentence = f"{what} Delivery {before.delivery} was in it last; take it out and count it, two people."
        kept = open_incident(
            turn.uow, delivery, kind, sentence, at=turn.at, ids=turn.ids, place=before.place, caused_by=before.people
        )
        return kept.is_controlled
    station = fleet.robots[robot].home if loading is None else loading.from_station
    incident = Incident(
        id=IncidentId(turn.ids.new("incident")),
        kind=kind,
        at=turn.at,
        place=fleet.premises.place(station),
        # Nobody knows what it is.
        is_controlled=True,
        sentence=f"{what} No delivery is known to have been in it; take it out and count it, two people.",
    )
    keep_incident(turn.uow, incident)
    return True


def _loading_into(turn: Turn, robot: RobotId, drawer: DrawerReport) -> Delivery | None:
    found = (
        d
        for d in turn.deliveries.values()
        if d.state is DeliveryState.LOADING and (d.robot, d.drawer) == (robot, drawer.drawer)
    )
    return next(found, None)
