"""What goes wrong at a drawer: forced, tampered with, left open. Each is an incident, and the right people are called.

A switch that flutters is one incident and one call, not one for each time it does.
"""

from __future__ import annotations

from orchestrator.application.calling import Call, call_people
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.openings import LEFT_OPEN, record_opening
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recorded_acts import is_for_officer, is_on_ledger, is_standing, open_incident, open_lines
from orchestrator.application.spots import spot_of
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import GrantOutcome, IssuedGrant
from orchestrator.domain.delivery.model import Delivery, Line
from orchestrator.domain.fleet.model import DrawerReport, DrawerState, RobotId, RobotReport
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.medicine.schedule import Schedule

OPENED_UNASKED, TAMPERED = "drawer_opened_unasked", "drawer_tampered"

CALLED_FOR_FORCE = (Function.SECURITY, Function.PHARMACY)

CALLED_FOR_OPEN = {
    Purpose.LOAD: (Function.PHARMACY,),
    Purpose.TAKE_BACK: (Function.PHARMACY,),
    Purpose.HAND_OVER: (Function.WARD, Function.NURSE_IN_CHARGE),
    Purpose.RECOUNT: (Function.WARD, Function.NURSE_IN_CHARGE),
    Purpose.RETRIEVE: (Function.PHARMACY, Function.SITE_MANAGER),
}
"""Who is near a drawer that was opened for that."""

POLICE = "Tell the police and the controlled drugs liaison officer; what and how much is in the incident."


def note_forced(turn: Turn, fleet: FleetOnSite, robot: RobotId, drawer: DrawerReport, report: RobotReport) -> None:
    """Tell of a drawer that is open although no grant of ours accounts for it; what lies in it is an incident."""
    what = f"Drawer {drawer.drawer} of robot {robot} is open although nobody had it opened from here."
    turn.tell(OPENED_UNASKED, robot, {"robot": robot, "drawer": drawer.drawer})
    inside = inside_of(turn, robot, drawer.drawer)
    if inside is None:
        turn.tell("alarm", robot, {"code": OPENED_UNASKED, "sentence": f"{what} Go and see to it."})
        return
    _open(turn, fleet, inside, what, code=OPENED_UNASKED, report=report, is_forced=True)


def note_tampered(turn: Turn, fleet: FleetOnSite, robot: RobotId, drawer: DrawerReport, report: RobotReport) -> None:
    """Open the incident of what lies in a drawer that was tampered with; it stays in there."""
    inside = inside_of(turn, robot, drawer.drawer)
    if inside is not None:
        what = f"Drawer {drawer.drawer} of robot {robot} was tampered with."
        _open(turn, fleet, inside, what, code=TAMPERED, report=report, is_forced=False)


def note_stands_open(turn: Turn, fleet: FleetOnSite, report: RobotReport, opened: tuple[IssuedGrant, ...]) -> None:
    """Tell people that drawers have stood open for long; of one that was opened on a grant an incident is opened once.

    Whoever had it opened may have been called away, and answers for what lies in it until it is signed for.
    """
    robot = report.robot
    names = ", ".join(each.drawer for each in report.drawers if each.state is DrawerState.OPEN) or "of unknown name"
    spot = spot_of(fleet, robot, report)
    sentence = (
        f"Drawer {names} of robot {robot} has stood open for long, {spot.words}. Go and close it; see that nothing is "
        "left."
    )
    near = [one for grant in opened for one in CALLED_FOR_OPEN[grant.purpose]]
    call = Call(LEFT_OPEN, sentence, tuple(dict.fromkeys(near)) or (Function.SITE_MANAGER,), spot.data)
    call_people(turn.uow, call, subject=robot, contacts=fleet.policy.custody.contacts, at=turn.at)
    turn.has_changed = True
    for grant in opened:
        _note_left_open(turn, grant)


def _note_left_open(turn: Turn, grant: IssuedGrant) -> None:
    assert grant.outcome is GrantOutcome.OPENED, "only what was opened is left open"
    assert grant.answered_at is not None, "what was opened was answered"
    known = turn.uow.incidents.of_delivery(grant.delivery)
    if any(one.kind is IncidentKind.DRAWER_LEFT_OPEN and one.at >= grant.answered_at for one in known):
        return
    record_opening(turn.uow, LEFT_OPEN, grant, at=turn.at)
    who = ", ".join(grant.people) or grant.by
    open_incident(
        turn.uow,
        turn.delivery(grant.delivery),
        IncidentKind.DRAWER_LEFT_OPEN,
        f"Drawer {grant.drawer} of robot {grant.robot} was left open. It was opened for {who}, who answer for what "
        "lies in it until it is signed for.",
        at=turn.at,
        ids=turn.ids,
        place=grant.place,
        caused_by=grant.people,
    )


def _open(
    turn: Turn, fleet: FleetOnSite, delivery: Delivery, what: str, *, code: str, report: RobotReport, is_forced: bool
) -> None:
    if is_standing(turn.uow, delivery.id, IncidentKind.DRAWER_FORCED):
        return
    turn.has_changed = True
    is_controlled = any(is_on_ledger(line) for line in delivery.lines)
    has_prompt = is_forced and is_controlled
    open_incident(
        turn.uow,
        delivery,
        IncidentKind.DRAWER_FORCED,
        f"{what} Have it taken out and counted by two people.{f' {POLICE}' if has_prompt else ''}",
        at=turn.at,
        ids=turn.ids,
        # Whoever sent it answers for it until it is received.
        place=fleet.premises.place(delivery.from_station),
        details=for_the_police(turn.uow, delivery) if has_prompt else "",
    )
    spot = spot_of(fleet, report.robot, report)
    officer = (Function.ACCOUNTABLE_OFFICER,) if is_controlled else ()
    sentence = f"{what} It is {spot.words}. Go there; leave it as it is until two people have counted it."
    call = Call(code, sentence, (*CALLED_FOR_FORCE, *officer), spot.data)
    call_people(turn.uow, call, subject=report.robot, contacts=fleet.policy.custody.contacts, at=turn.at)


def for_the_police(uow: UnitOfWork, delivery: Delivery) -> str:
    """Return what the police and the liaison officer ask for: which drugs, of which class, and how much."""
    lines = [line for line in open_lines(delivery) if is_for_officer(line)]
    named = "; ".join(f"{_drug(uow, line)}, {_schedule(line)}, {line.quantity} {line.unit}" for line in lines)
    return (
        f"For the police and the controlled drugs liaison officer. By the books there was in it: {named}. Its class "
        "under the Misuse of Drugs Act 1971 (A, B or C) is not in the medicine's data; the legal schedule is."
    )


def _drug(uow: UnitOfWork, line: Line) -> str:
    medicine = None if line.code is None else uow.medicines.find(MedicineCode(line.code))
    return line.medicine if medicine is None else f"{line.medicine} ({medicine.drug_class})"


def _schedule(line: Line) -> str:
    known = next((schedule for schedule in Schedule if schedule.value == line.schedule), None)
    return "schedule not known" if known is None else known.label


def inside_of(turn: Turn, robot: RobotId, drawer: str) -> Delivery | None:
    """Return the delivery that lies in a drawer by the books."""
    found = (d for d in turn.deliveries.values() if (d.robot, d.drawer) == (robot, drawer) and d.is_in_drawer)
    return next(found, None)
