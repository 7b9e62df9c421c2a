"""What robots say of their drawers and of grants, written into the books; and what keeps a robot from leaving."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.openings import CLOSED, OPENED, REFUSED, record_opening
from orchestrator.application.recorded_acts import open_incident
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import GrantOutcome, IssuedGrant
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import ActionId, DrawerContent, DrawerReport, DrawerState, RobotId, RobotReport
from orchestrator.domain.reason import Reason

ALARM = "alarm"
OPENED_UNASKED = "drawer_opened_unasked"
NOT_LOCKED, NOT_EMPTY, EMPTY = "drawer_not_locked", "drawer_not_empty", "drawer_empty"

LEFT_OPEN = "drawer_left_open"
LEFT_OPEN_FAULT = "drawerOpen"
"""The fault by which robots that check grants say that a drawer has stood open for long."""

REASON_LENGTH_MAX = 40
RECENT_INCIDENTS = 100


def note_opened(turn: Turn, robot: RobotId, action: ActionId) -> None:
    """Record that the robot has opened a drawer on a grant."""
    grant = _of_action(turn, robot, action)
    if grant is not None and grant.is_open:
        _keep(turn, grant.opened(turn.at), OPENED)


def note_refused(turn: Turn, robot: RobotId, action: ActionId, description: str) -> bool:
    """Record that the robot has not opened on a grant, and why; return whether the action was one for a drawer."""
    grant = _of_action(turn, robot, action)
    if grant is None or not grant.is_open:
        return grant is not None
    code = description.partition(":")[0].strip()
    known = code if code.isidentifier() and len(code) <= REASON_LENGTH_MAX else "refused"
    _keep(turn, grant.ended(GrantOutcome.REFUSED, reason=known, at=turn.at), REFUSED)
    return True


def note_drawers(
    turn: Turn, robot: RobotId, before: RobotReport | None, report: RobotReport, premises: Premises
) -> None:
    """Record which drawers were closed since the last report, and tell of those that nobody had opened.

    What lies in a drawer that is open unasked, or was tampered with, is an incident at once; it stays in the drawer.
    """
    if not report.drawers or (before is not None and before.drawers == report.drawers):
        return
    earlier = {each.drawer: each for each in before.drawers} if before is not None else {}
    for drawer in report.drawers:
        known = earlier.get(drawer.drawer)
        if drawer.is_tampered and not (known is not None and known.is_tampered):
            _open_incidents(turn, robot, drawer, premises, "was tampered with")
        grant = _last_opening(turn, robot, drawer.drawer)
        if drawer.state is DrawerState.LOCKED:
            if grant is not None and grant.outcome is GrantOutcome.OPENED and grant.closed_at is None:
                _keep(turn, replace(grant, closed_at=turn.at), CLOSED)
        elif drawer.state is DrawerState.OPEN and (known is None or known.state is not DrawerState.OPEN):
            if grant is None or grant.closed_at is not None:
                _question(turn, robot, drawer)
                _open_incidents(turn, robot, drawer, premises, "is open although nobody had it opened from here")


def note_left_open(turn: Turn, robot: RobotId, before: RobotReport | None, report: RobotReport) -> None:
    """Tell people, once, that a drawer has stood open for long: somebody may have been called away from it."""
    said = before is not None and any(fault.kind == LEFT_OPEN_FAULT for fault in before.faults)
    if said or not any(fault.kind == LEFT_OPEN_FAULT for fault in report.faults):
        return
    names = ", ".join(each.drawer for each in report.drawers if each.state is DrawerState.OPEN) or "of unknown name"
    sentence = f"Drawer {names} of robot {robot} has stood open for long. Go and close it; see that nothing is left."
    turn.tell(ALARM, robot, {"code": LEFT_OPEN, "sentence": sentence})


def _question(turn: Turn, robot: RobotId, drawer: DrawerReport) -> None:
    """Tell people of a drawer that is open although no grant of ours accounts for it."""
    sentence = (
        f"Drawer {drawer.drawer} of robot {robot} is open although nobody had it opened from here. Go and see to it."
    )
    turn.tell(OPENED_UNASKED, robot, {"robot": robot, "drawer": drawer.drawer})
    turn.tell(ALARM, robot, {"code": OPENED_UNASKED, "sentence": sentence})


def _open_incidents(turn: Turn, robot: RobotId, drawer: DrawerReport, premises: Premises, what: str) -> None:
    # A switch that flutters opens one incident, not one for each time it does.
    standing = {
        incident.delivery
        for incident in turn.uow.incidents.newest(RECENT_INCIDENTS)
        if incident.kind is IncidentKind.DRAWER_FORCED and not incident.is_closed
    }
    for delivery in turn.deliveries.values():
        is_in_it = (delivery.robot, delivery.drawer) == (robot, drawer.drawer) and delivery.is_in_drawer
        if is_in_it and delivery.id not in standing:
            turn.has_changed = True
            open_incident(
                turn.uow,
                delivery,
                IncidentKind.DRAWER_FORCED,
                f"Drawer {drawer.drawer} of robot {robot} {what}. Have it taken out and counted by two people.",
                at=turn.at,
                ids=turn.ids,
                # Whoever sent it answers for it until it is received.
                place=premises.place(delivery.from_station),
            )


def what_keeps_standing(turn: Turn, robot: RobotId) -> Reason | None:
    """Return why a robot may not be sent on for the sake of its drawers; None when nothing speaks against it.

    Every drawer is locked. One that was opened to give out is empty by its sensor, so that nobody's dose rides on
    unseen; one that was opened to load holds something (design §6).
    """
    report = turn.record(robot).report
    if report is None:
        return None
    for drawer in report.drawers:
        if drawer.state is not DrawerState.LOCKED:
            return Reason(NOT_LOCKED, f"Drawer {drawer.drawer} of robot {robot} is not locked; close it.")
    for grant in turn.uow.grants.standing():
        if grant.robot == robot and grant.is_open:
            return Reason(NOT_LOCKED, f"Robot {robot} is about to open drawer {grant.drawer}.")
    return next((why for each in report.drawers if (why := _wrong_content(turn, robot, each)) is not None), None)


def _wrong_content(turn: Turn, robot: RobotId, drawer: DrawerReport) -> Reason | None:
    grant = _last_opening(turn, robot, drawer.drawer)
    if grant is None:
        return None
    delivery = turn.delivery(grant.delivery)
    is_sealed = delivery.state is DeliveryState.SEALED
    if not delivery.is_in_drawer and grant.purpose is not Purpose.LOAD and drawer.content is not DrawerContent.EMPTY:
        sentence = (
            f"Drawer {drawer.drawer} of robot {robot} is not known to be empty; have it opened again and look into it."
        )
        return Reason(NOT_EMPTY, sentence)
    if is_sealed and grant.purpose is Purpose.LOAD and drawer.content is DrawerContent.EMPTY:
        sentence = f"Drawer {drawer.drawer} of robot {robot} is empty though it was loaded; see where the tote is."
        return Reason(EMPTY, sentence)
    return None


def settle_openings(turn: Turn, robot: RobotId) -> None:
    """Let go of what was opened at a place that the robot leaves now."""
    for grant in turn.uow.grants.standing():
        if grant.robot == robot and not grant.is_open:
            turn.uow.grants.save(replace(grant, settled_at=turn.at))
            turn.has_changed = True


def _last_opening(turn: Turn, robot: RobotId, drawer: str) -> IssuedGrant | None:
    """Return the newest grant that stands for a drawer, answered or not."""
    found = [grant for grant in turn.uow.grants.standing() if (grant.robot, grant.drawer) == (robot, drawer)]
    return found[-1] if found else None


def _of_action(turn: Turn, robot: RobotId, action: ActionId) -> IssuedGrant | None:
    standing = turn.uow.grants.standing()
    return next((grant for grant in standing if grant.robot == robot and grant.action == action), None)


def _keep(turn: Turn, grant: IssuedGrant, kind: str) -> None:
    turn.uow.grants.save(grant)
    turn.has_changed = True
    record_opening(turn.uow, kind, grant, at=turn.at)
