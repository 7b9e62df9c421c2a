"""What robots say of their drawers and of grants, written into the books; and what keeps a robot from leaving."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.drawer_incidents import note_forced, note_stands_open, note_tampered
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.openings import CLOSED, OPENED, REFUSED, record_opening
from orchestrator.application.residue import NOT_EMPTY, is_left_in
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.issued_grant import GrantOutcome, IssuedGrant
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import ActionId, DrawerContent, DrawerReport, DrawerState, RobotId, RobotReport
from orchestrator.domain.reason import Reason

NOT_LOCKED, EMPTY = "drawer_not_locked", "drawer_empty"

LEFT_OPEN_FAULT = "drawerOpen"
"""The fault by which robots that check grants say that a drawer has stood open for long."""

REASON_LENGTH_MAX = 40


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
    turn: Turn, fleet: FleetOnSite, robot: RobotId, before: RobotReport | None, report: RobotReport
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
            note_tampered(turn, fleet, robot, drawer, report)
        grant = _last_opening(turn, robot, drawer.drawer)
        if drawer.state is DrawerState.LOCKED:
            if grant is not None and grant.is_standing_open:
                _keep(turn, replace(grant, closed_at=turn.at), CLOSED)
        elif drawer.state is DrawerState.OPEN and (known is None or known.state is not DrawerState.OPEN):
            if grant is None or grant.closed_at is not None:
                note_forced(turn, fleet, robot, drawer, report)


def note_left_open(turn: Turn, fleet: FleetOnSite, before: RobotReport | None, report: RobotReport) -> None:
    """Tell people, once, that a drawer has stood open for long: somebody may have been called away from it."""
    said = before is not None and any(fault.kind == LEFT_OPEN_FAULT for fault in before.faults)
    if said or not any(fault.kind == LEFT_OPEN_FAULT for fault in report.faults):
        return
    found = (
        _last_opening(turn, report.robot, each.drawer) for each in report.drawers if each.state is DrawerState.OPEN
    )
    note_stands_open(
        turn, fleet, report, tuple(grant for grant in found if grant is not None and grant.is_standing_open)
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
        return _left_in(robot, drawer) if is_left_in(turn.uow, robot, drawer) else None
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
    return _left_in(robot, drawer) if is_left_in(turn.uow, robot, drawer) else None


def _left_in(robot: RobotId, drawer: DrawerReport) -> Reason:
    sentence = (
        f"Something lies in drawer {drawer.drawer} of robot {robot}, where by the books nothing does; look into it."
    )
    return Reason(NOT_EMPTY, sentence)


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
