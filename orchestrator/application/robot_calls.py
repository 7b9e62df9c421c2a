"""What people are called to a robot for while it lasts: each once, with where it stands.

Asked at every turn and of the books alone: a robot's record says for what people were called, so nobody is called a
second time because the orchestrator started again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from orchestrator.application.calling import Call, call_people
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.residue import NOT_EMPTY, is_left_in, note_left_in
from orchestrator.application.spots import Spot, spot_of
from orchestrator.application.steps import remaining_base
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.emergency.alarm import Alarm, AlarmKind
from orchestrator.domain.fleet.model import RobotId, RobotReport
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.handling import HandlingClass

STANDS, PLACE_UNKNOWN, IN_FIRE = "controlled_stands", "place_unknown", "controlled_in_fire"

SETTLES_S = 60.0
"""After how many seconds of a fire alarm it is told where a robot is, even if it drives still."""

Causes = dict[str, Callable[[], None]]
"""What people are called for now, and how; what lasts and was called for before is called for no more."""


def call_to_robots(turn: Turn, fleet: FleetOnSite, live: Mapping[RobotId, RobotReport]) -> None:
    """Call people to every robot that needs them and that they were not called to yet.

    Parameters
    ----------
    turn : Turn
        The transaction.
    fleet : FleetOnSite
        Site, robots, policy and contacts.
    live : mapping
        What each robot said last, which is newer than the books where only its position has changed.
    """
    fires = [alarm for alarm in turn.uow.alarms.standing() if alarm.kind is AlarmKind.FIRE]
    for robot in sorted(fleet.robots):
        record = turn.record(robot)
        looked = _Looked(turn, fleet, record, live.get(robot) or record.report)
        causes = looked.causes(fires)
        for key in sorted(causes.keys() - record.called_for):
            causes[key]()
        if causes.keys() != record.called_for:
            turn.put(replace(turn.record(robot), called_for=frozenset(causes)))


class _Looked:
    """One robot, as it is looked at in one turn."""

    def __init__(self, turn: Turn, fleet: FleetOnSite, record: RobotRecord, report: RobotReport | None) -> None:
        self._turn, self._fleet, self._record, self._report = turn, fleet, record, report
        self._aboard = [d for d in turn.deliveries.values() if d.robot == record.robot and d.is_in_drawer]
        self._controlled = [d for d in self._aboard if d.handling_class is HandlingClass.CONTROLLED]

    def causes(self, fires: Sequence[Alarm]) -> Causes:
        """Return what people are called for now."""
        found: Causes = {}
        if self._controlled and (why := self._why_it_stands()) is not None:
            found[STANDS] = partial(self._call_to_stuck, why)
        if self._is_place_unknown():
            found[PLACE_UNKNOWN] = self._call_for_lost
        for alarm in fires if self._controlled else ():
            if self._is_to_be_told(alarm):
                found[f"{IN_FIRE}:{alarm.id}"] = self._call_in_fire
        for drawer in self._record.report.drawers if self._record.report is not None else ():
            if is_left_in(self._turn.uow, self._record.robot, drawer) and self._is_said_since(drawer.drawer):
                note = partial(note_left_in, self._turn, self._fleet, self._record.robot, drawer)
                found[f"{NOT_EMPTY}:{drawer.drawer}"] = note
        return found

    # -- when ------------------------------------------------------------------------------------------------------

    def _is_said_since(self, drawer: str) -> bool:
        """Whether the robot has reported since anything became of what was put into a drawer last.

        What people say they took out, the robot may not have looked for yet.
        """
        last = self._turn.uow.grants.last_opened(self._record.robot, drawer)
        if last is None or self._report is None:
            return True
        history = self._turn.delivery(last.delivery).history
        return not history or self._report.received_at >= history[-1].at

    def _why_it_stands(self) -> str | None:
        """Return why the robot cannot go on by itself; a hold that a person laid is known to whoever laid it."""
        held = (hold for hold in self._record.holds if hold.kind.keeps_from_driving and hold.by == self._record.robot)
        return next((hold.reason for hold in held), None)

    def _is_place_unknown(self) -> bool:
        since, limit_s = self._record.lost_since, self._fleet.policy.custody.place_unknown_after_s
        return since is not None and self._turn.at - since >= timedelta(seconds=limit_s)

    def _is_to_be_told(self, alarm: Alarm) -> bool:
        if f"{IN_FIRE}:{alarm.id}" in self._record.called_for or self._record.lost_since is not None:
            return True
        return not self._drives or self._turn.at - alarm.raised_at >= timedelta(seconds=SETTLES_S)

    @property
    def _drives(self) -> bool:
        has_way = bool(remaining_base(self._record) or self._record.granted)
        return has_way or (self._report is not None and self._report.is_driving)

    # -- what is told ----------------------------------------------------------------------------------------------

    def _call_to_stuck(self, why: str) -> None:
        sentence = (
            f"Robot {self._record.robot} does not go on by itself, with something controlled in it "
            f"({_named(self._controlled)}). It is {self._spot.words}. {why} If it stays there, two people take it out "
            "where it stands, look at the seal and sign for it."
        )
        self._call(STANDS, sentence, (Function.PHARMACY, Function.WARD, Function.SECURITY))

    def _call_for_lost(self) -> None:
        carries = f" It carries {_named(self._aboard)}." if self._aboard else ""
        controlled = " Some of that is controlled." if self._controlled else ""
        sentence = (
            f"Nobody knows where robot {self._record.robot} is: it is silent for longer than "
            f"{self._fleet.policy.custody.place_unknown_after_s:g} s. It was last heard of {self._spot.words}."
            f"{carries}{controlled} No drawer of it opens meanwhile. Go and look for it."
        )
        near = (Function.PHARMACY, Function.WARD) if self._aboard else (Function.SITE_MANAGER,)
        self._call(PLACE_UNKNOWN, sentence, (Function.SECURITY, *near))

    def _call_in_fire(self) -> None:
        does = (
            "was last heard of" if self._record.lost_since is not None else "is driving" if self._drives else "stands"
        )
        sentence = (
            f"Fire alarm: robot {self._record.robot} {does} {self._spot.words} with something controlled in it "
            f"({_named(self._controlled)}). Its drawers stay locked; leave it there. Have it counted by two people "
            "when the alarm is over."
        )
        self._call(IN_FIRE, sentence, (Function.SECURITY, Function.PHARMACY))

    @property
    def _spot(self) -> Spot:
        return spot_of(self._fleet, self._record.robot, self._report)

    def _call(self, code: str, sentence: str, audience: Sequence[Function]) -> None:
        call = Call(code, sentence, audience, self._spot.data)
        contacts = self._fleet.policy.custody.contacts
        call_people(self._turn.uow, call, subject=self._record.robot, contacts=contacts, at=self._turn.at)
        self._turn.has_changed = True


def _named(deliveries: Sequence[Delivery]) -> str:
    return ", ".join(f"delivery {delivery.id} for {delivery.to_station}" for delivery in deliveries)
