"""What robots wrote down of their drawers while nobody heard them, entered once with its own times (case 54).

What was heard as it happened is in the books already; of that only the number is kept. What comes late is entered: the
ledger has when it happened and when it came. A grant that opened unheard is settled by it, and force that nobody saw is
an incident. An entry is known by its journal's name and its number, so told again it changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.application.drawer_incidents import inside_of, note_forced, note_tampered
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import ALARM
from orchestrator.application.ledger_keeping import LedgerHaltedError
from orchestrator.application.openings import CLOSED, ENTRY_MISSED, OPENED, record_opening, reported_by
from orchestrator.application.recorded_acts import record_event
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.issued_grant import IssuedGrant
from orchestrator.domain.custody.people import Present
from orchestrator.domain.fleet.model import DrawerContent, DrawerReport, DrawerState, RobotId, RobotReport
from orchestrator.vda5050.drawer_journal import DrawerEvent, JournalEntry
from orchestrator.vda5050.events import JournalTold

HEARD_WITHIN = timedelta(seconds=60)
"""What comes to us this soon after it happened was heard as it happened."""

JOURNAL_ENTRY = "drawer_journal"
JOURNAL_GAP = "drawer_journal_gap"


def is_known(told: JournalTold, *, journal: str, last: int) -> bool:
    """Whether nothing in what a robot tells of its journal is new to the books."""
    return told.journal.id == journal and all(entry.number <= last for entry in told.journal.entries)


def note_journal(turn: Turn, fleet: FleetOnSite, robot: RobotId, told: JournalTold) -> None:
    """Enter what is new in a robot's journal, in order, each entry once."""
    record = turn.record(robot)
    if not record.checks_grants or record.report is None:
        return
    last = record.journal_last if record.journal == told.journal.id else 0
    news = [entry for entry in told.journal.entries if entry.number > last]
    if not news:
        return
    _tell_of_gap(turn, robot, first=news[0].number, last=last, is_anew=record.journal not in ("", told.journal.id))
    for entry in news:
        _note(turn, fleet, record.report, entry, age=told.sent_at - entry.at)
    turn.put(replace(turn.record(robot), journal=told.journal.id, journal_last=news[-1].number))


def _tell_of_gap(turn: Turn, robot: RobotId, *, first: int, last: int, is_anew: bool) -> None:
    if first == last + 1 and not is_anew:
        return
    if last == 0 and not is_anew:
        return  # it is heard for the first time: what was before is none of ours
    what = "begins anew" if is_anew else f"lacks entries {last + 1} to {first - 1}"
    sentence = (
        f"The drawer journal of robot {robot} {what}: what its drawers did meanwhile is not known. Look into them, and "
        "compare what is in them with the books."
    )
    turn.tell(ALARM, robot, {"code": JOURNAL_GAP, "sentence": sentence})


def _note(turn: Turn, fleet: FleetOnSite, report: RobotReport, entry: JournalEntry, *, age: timedelta) -> None:
    """Make of one entry what it is; ``age`` is by the robot's own clock, so a wrong one does not matter."""
    robot, happened_at = report.robot, turn.at - max(age, timedelta())
    grant = turn.uow.grants.of_nonce(robot, entry.nonce) if entry.nonce else None
    is_late = age > HEARD_WITHIN
    if is_late:
        _enter(turn, fleet, robot, entry, grant, happened_at=happened_at)
    if grant is not None and entry.event in (DrawerEvent.LET_GO, DrawerEvent.OPENED) and grant.is_open:
        _settle(turn, grant.opened(happened_at), OPENED)
        _send_no_more(turn, grant)
    elif grant is not None and entry.event is DrawerEvent.CLOSED and grant.is_standing_open:
        _settle(turn, replace(grant, closed_at=happened_at), CLOSED)
    elif is_late:
        _note_force(turn, fleet, report, entry, is_granted=grant is not None)


def _note_force(turn: Turn, fleet: FleetOnSite, report: RobotReport, entry: JournalEntry, *, is_granted: bool) -> None:
    """Open the incident of force that nobody saw, whatever the drawer looks like by now."""
    if entry.event is DrawerEvent.TAMPERED:
        tampered = DrawerReport(entry.drawer, DrawerState.UNKNOWN, DrawerContent.UNKNOWN, is_tampered=True)
        note_tampered(turn, fleet, report.robot, tampered, report)
    elif entry.event is DrawerEvent.FORCED or (entry.event is DrawerEvent.OPENED and not is_granted):
        forced = DrawerReport(entry.drawer, DrawerState.OPEN, DrawerContent.UNKNOWN)
        note_forced(turn, fleet, report.robot, forced, report)


def _settle(turn: Turn, grant: IssuedGrant, kind: str) -> None:
    turn.uow.grants.save(grant)
    turn.has_changed = True
    record_opening(turn.uow, kind, grant, at=turn.at)


def _send_no_more(turn: Turn, grant: IssuedGrant) -> None:
    for message in turn.uow.outbox.wanted():
        if message.action is not None and message.action.id == grant.action:
            turn.uow.outbox.settle(message.id, "acknowledged")


def _enter(
    turn: Turn,
    fleet: FleetOnSite,
    robot: RobotId,
    entry: JournalEntry,
    grant: IssuedGrant | None,
    *,
    happened_at: datetime,
) -> None:
    told = {"robot": robot, "drawer": entry.drawer, "what": entry.event.value, "number": entry.number}
    turn.tell(JOURNAL_ENTRY, robot, {**told, "happened_at": happened_at.isoformat()})
    delivery = turn.uow.deliveries.get(grant.delivery) if grant is not None else inside_of(turn, robot, entry.drawer)
    if delivery is None:
        return
    place = grant.place if grant is not None else fleet.premises.place(delivery.from_station)
    facts = {
        **{name: str(text) for name, text in told.items()},
        **reported_by(turn.uow, robot),
        "robot_time": entry.at.isoformat(),
        "robot_up_s": f"{entry.up_s:.1f}",
        "robot_boot": str(entry.boot),
        "grant": "" if grant is None else grant.id,
    }
    try:
        record_event(
            turn.uow,
            delivery,
            JOURNAL_ENTRY,
            at=turn.at,
            place=place,
            present=Present(robot),
            facts={name: text for name, text in facts.items() if text},
            occurred_at=happened_at,
        )
    except LedgerHaltedError:
        # It has happened all the same; the event stream has it, and says that the ledger has not.
        turn.tell(ENTRY_MISSED, delivery.id, {"event": JOURNAL_ENTRY, **told})
