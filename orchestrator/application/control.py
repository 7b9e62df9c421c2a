"""The control: what one orchestrator does with a message, a command or the passing of time.

Sans-I/O: it is called with bytes and moments and calls its ports; it has no thread and no loop of its own. Two
drivers call it: `orchestrator.adapters.mqtt` on the ward, `simulation.virtual_time` in rehearsal. **One thread
calls it**, and calls never nest.

Each call is one turn: hear or act, then draw the consequences (trips, dispatch, traffic, order updates), commit,
and only then hand messages to the links and the links' bytes to the transport. A turn that fails leaves the books
as they were and the memory of grants and sessions is read back from them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from orchestrator.application.accountability import notice_who_left
from orchestrator.application.arrivals import Arrivals
from orchestrator.application.cancelling import Cancelling
from orchestrator.application.clearing import Clearing
from orchestrator.application.closures import ClosureSource, closed_lanes
from orchestrator.application.device_watch import DeviceWatch
from orchestrator.application.dispatching import Dispatcher
from orchestrator.application.drawer_journal import is_known
from orchestrator.application.driving import (
    catch_up,
    complete_order,
    free_what_is_behind,
    lanes_ahead,
    note_arrivals,
    send_what_is_free,
)
from orchestrator.application.factsheets import note_factsheet
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.gates import Gates, Whereabouts
from orchestrator.application.holding import lay_hold, tell_who_waits_for_held
from orchestrator.application.intake import Intake
from orchestrator.application.lane_closures import closed_by_people
from orchestrator.application.letting_out import let_out
from orchestrator.application.listening import hear, is_news
from orchestrator.application.map_switch import note_map_switch
from orchestrator.application.overdue import look_at_what_was_asked
from orchestrator.application.panels import Panels
from orchestrator.application.ports import Building, Clock, Ids, OutboxMessage, RobotTransport, Store, UnitOfWork
from orchestrator.application.quarantine import quarantine, tell_of_contested_connection, tell_of_kept_order
from orchestrator.application.readiness import Readiness
from orchestrator.application.receivers import call_receivers
from orchestrator.application.rerouting import reroute_what_was_accepted
from orchestrator.application.robot_calls import call_to_robots
from orchestrator.application.robot_clocks import RobotClocks
from orchestrator.application.steering import Steering
from orchestrator.application.steps import has_strayed, is_crowded, remaining_base, standing_place
from orchestrator.application.trips import progress_trips
from orchestrator.application.turn import Turn
from orchestrator.application.views import FleetPicture, RobotPicture
from orchestrator.application.watching import Complaints, Watch
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId, RobotReport
from orchestrator.domain.fleet.order import RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.alarm_input import InputEvent
from orchestrator.vda5050 import events as link_events
from orchestrator.vda5050.address import TO_ROBOT, AddressError, TopicKind, parse_topic
from orchestrator.vda5050.dialect import Positions
from orchestrator.vda5050.master import RobotLink
from orchestrator.vda5050.messages import ConnectionState
from orchestrator.vda5050.repair import SchemaFault

T = TypeVar("T")

SOON_S = 1.0
"""How soon to look again after a turn that changed something: what it decided may let more be decided."""

LATER_S = 5.0
"""How soon to look again after any other, for what neither a message nor a device announces."""

LISTENED_KINDS = (TopicKind.STATE, TopicKind.CONNECTION, TopicKind.FACTSHEET, *TO_ROBOT)
"""What is listened to of each robot; what goes to it only to see that the broker keeps none of it."""


class Control:
    """One active orchestrator over one fleet.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, graph, robots, models, policy.
    store : Store
        The books.
    clock : Clock
        Time.
    ids : Ids
        New ids.
    transport : RobotTransport
        Where encoded messages go.
    building : Building
        Doors and lifts.
    closures : sequence of ClosureSource
        Who may close lanes besides people: doors and lifts that are out of order, an emergency. Asked once a turn.

    Notes
    -----
    ``observers`` are called after every call that may have changed something. ``refused`` counts, by robot, the
    messages that changed nothing because they were malformed, foreign, repeated or old.
    """

    def __init__(
        self,
        *,
        fleet: FleetOnSite,
        store: Store,
        clock: Clock,
        ids: Ids,
        transport: RobotTransport,
        building: Building,
        closures: Sequence[ClosureSource] = (),
    ) -> None:
        self.fleet = fleet
        self._store = store
        self._clock = clock
        self._ids = ids
        self._transport = transport
        self._building = building
        self._closures = (closed_by_people, *closures)
        self._links: dict[RobotId, RobotLink] = {}
        self._robot_at: dict[str, RobotId] = {}
        self._records: dict[RobotId, RobotRecord] = {}
        self._live: dict[RobotId, RobotReport] = {}
        self._complaints: dict[RobotId, tuple[SchemaFault, ...]] = {}
        self._factsheets = {robot: sheet for robot in fleet.robots if (sheet := fleet.dialect_of(robot).factsheet)}
        self._not_before_s: dict[RobotId, float] = {}
        self._next_look_s = 0.0
        self._people_look_s = 0.0
        self._steering = Steering(fleet)
        self._dispatcher = Dispatcher(fleet, distance=self._steering.distance_m)
        self._arrivals = Arrivals(fleet, self._steering)
        self._gates = Gates(fleet, building)
        self._devices = DeviceWatch(fleet, building)
        self._intake = Intake()
        self._cancelling = Cancelling(fleet)
        self._readiness = Readiness(fleet)
        self._clearing = Clearing(fleet, self._steering, building)
        self._watch = Watch(fleet)
        self._clocks = RobotClocks(fleet)
        self._panels = Panels(fleet.site, silent_panel_holds=fleet.policy.silent_panel_holds)
        self.observers: list[Callable[[], None]] = []
        self.refused: Counter[RobotId] = Counter()

    # -- start ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the books and go on from there; nothing is granted to a robot until it has reported."""
        at_s = self._clock.monotonic_s()
        for robot in self.fleet.robots.values():
            dialect = self.fleet.dialect_of(robot.id)
            link = RobotLink(robot, self.fleet.models[robot.id], at_s=at_s, dialect=dialect)
            self._links[robot.id] = link
            self._robot_at[link.address.prefix] = robot.id
        self._building.start()
        self._panels.start(at_s=at_s)
        self._read_back()
        if self._factsheets:
            with self._turn() as turn:
                for robot, factsheet in self._factsheets.items():
                    note_factsheet(turn, self.fleet, robot, factsheet)

    def subscriptions(self) -> list[str]:
        """Return the topics that the orchestrator has to listen to."""
        robots = [link.address.topic(kind) for link in self._links.values() for kind in LISTENED_KINDS]
        return [*robots, *self._building.subscriptions(), *self._panels.subscriptions()]

    def quarantined(self) -> frozenset[str]:
        """Return the topics, less their last level, of robots in quarantine; any thread may ask."""
        return frozenset(prefix for prefix, robot in self._robot_at.items() if self._is_quarantined(robot))

    def _is_quarantined(self, robot: RobotId) -> bool:
        return self._records[robot].is_held_for(HoldKind.QUARANTINED)

    def _read_back(self) -> None:
        """Read the records, and rebuild from them what is remembered of grants, plans and the robots' orders.

        After a turn that failed this makes the links tell once more what could not be kept.
        """
        with self._store.reading() as uow:
            self._records = {robot: self._steering.readable(uow.robots.get(robot)) for robot in self.fleet.robots}
            wanted = uow.outbox.wanted()
        self._steering.restore(self._records)
        self._dispatcher.forget()
        self._arrivals.forget()
        at_s = self._clock.monotonic_s()
        for robot, link in self._links.items():
            actions = [m.action for m in wanted if m.robot == robot and m.action is not None]
            _resume(link, self._records[robot], actions, at_s=at_s, now=self._clock.now())

    # -- the three ways in ----------------------------------------------------------------------------------------

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Take in one message from the broker; on a topic of no robot and no device of ours it changes nothing."""
        if self._building.receive(topic, payload, is_retained=is_retained):
            self._next_look_s = self._clock.monotonic_s()
            return
        said = self._panels.receive(topic, payload, at_s=self._clock.monotonic_s(), is_retained=is_retained)
        if said is not None:
            self._heed_panels(said)
            self._flush()
            return
        try:
            parsed = parse_topic(topic)
        except AddressError:
            return
        robot = self._robot_at.get(parsed.prefix)
        if robot is None:
            return
        if parsed.kind in TO_ROBOT:
            self._clear_if_kept(robot, topic, payload, is_retained=is_retained)
        elif not self._is_quarantined(robot) or self._intake.is_read(robot, at_s=self._clock.monotonic_s()):
            self._receive_from(robot, parsed.kind, payload, is_retained=is_retained)
        else:
            self.refused[robot] += 1

    def _heed_panels(self, said: Sequence[InputEvent]) -> None:
        if not said:
            return
        try:
            with self._turn() as turn:
                for event in said:
                    self._panels.hear(turn, event)
        except BaseException:
            self._panels.forget(said)
            raise
        self._advance()

    def _receive_from(self, robot: RobotId, kind: TopicKind, payload: bytes, *, is_retained: bool) -> None:
        events = self._links[robot].receive(
            kind,
            payload,
            at_s=self._clock.monotonic_s(),
            now=self._clock.now(),
            is_retained=is_retained,
        )
        self._heed(robot, [self._placed(robot, event) for event in events])
        self._flush()

    def _placed(self, robot: RobotId, event: link_events.LinkEvent) -> link_events.LinkEvent:
        """Return the event; the report of a robot that only names the node it passed last, with that as its place."""
        if not isinstance(event, link_events.Reported):
            return event
        report, place = event.report, event.report.last_waypoint
        is_by_node = self.fleet.dialect_of(robot).position is Positions.NODES
        if not is_by_node or place is None or place not in self.fleet.graph_of(robot).waypoints:
            return event
        return replace(event, report=replace(report, pose=self.fleet.pose_of(robot, place)))

    def quarantine(self, sender: str, what: str) -> None:
        """Hold the robot whose topics begin with ``sender`` for what its messages do; a device is no robot."""
        robot = self._robot_at.get(sender)
        if robot is None:
            return
        with self._turn() as turn:
            quarantine(turn, robot, what)
        self._advance()

    def _clear_if_kept(self, robot: RobotId, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Take a kept order off the broker. What is not kept is our own order passing by, or not ours to judge."""
        if is_retained and payload:
            self._transport.publish(topic, b"", qos=1, retain=True)
            with self._turn() as turn:
                tell_of_kept_order(turn, robot, topic.rpartition("/")[2])

    def act(self, command: Callable[[UnitOfWork], T]) -> T:
        """Run a use case in one transaction; the next `tick`, which is due at once, lets the fleet follow.

        What the command returns is durable when this returns. What follows from it for the robots is a turn of its
        own, so a fault there never takes back what was acknowledged.
        """
        with self._store.transaction() as uow:
            before = {message.id: message for message in uow.outbox.wanted()}
            answer = command(uow)
            records = {robot: uow.robots.get(robot) for robot in self.fleet.robots}
            wanted = {message.id: message for message in uow.outbox.wanted()}
        self._let_clocks_count(records)
        self._records = records
        for message in (before[number] for number in before.keys() - wanted.keys()):
            self._ask_no_more(message)
        self._hand_over([wanted[number] for number in sorted(wanted.keys() - before.keys())])
        self._next_look_s = self._clock.monotonic_s()
        return answer

    def _let_clocks_count(self, records: Mapping[RobotId, RobotRecord]) -> None:
        """Hand on to the links what a person has said of the clocks of robots."""
        for robot, record in records.items():
            off_s, before = _clock_off_s(record), _clock_off_s(self._records[robot])
            if off_s is not None and off_s != before:
                self._links[robot].let_clock_count(off_s, now=self._clock.now())

    def _ask_no_more(self, message: OutboxMessage) -> None:
        link = self._links[message.robot]
        if message.action is not None:
            link.withdraw_action(message.action.id)
        elif message.order is not None:
            link.withdraw(message.order.id)

    def run(self, command: Callable[[UnitOfWork], T]) -> T:
        """Run a use case and let the fleet follow at once."""
        answer = self.act(command)
        self.tick()
        return answer

    def read(self, query: Callable[[UnitOfWork], T]) -> T:
        """Run a query on one committed state."""
        with self._store.reading() as uow:
            return query(uow)

    def tick(self) -> None:
        """Let time pass: resends, deadlines, patience, doors that have opened meanwhile."""
        self._flush()
        self._heed_panels(self._panels.due(at_s=self._clock.monotonic_s()))
        if self._clock.monotonic_s() >= self._next_look_s:
            self._advance()
            self._flush()

    # -- a turn ---------------------------------------------------------------------------------------------------

    def _heed(self, robot: RobotId, events: Sequence[link_events.LinkEvent]) -> None:
        at_s = self._clock.monotonic_s()
        record = self._records[robot]
        findings = [found for event in events if (found := self._watch.look_at(robot, event, record, at_s=at_s))]
        news = [event for event in events if self._is_news(robot, event)]
        skew_s = self._skew_to_keep(events, record)
        if not news and not findings and skew_s is None:
            return
        with self._turn() as turn:
            for event in news:
                hear(turn, self.fleet, robot, event)
                self._note_answer(robot, event, at_s=turn.at_s)
                self._note_connection(turn, robot, event)
            for found in findings:
                lay_hold(turn, robot, found.kind, found.sentence)
            if skew_s is not None:
                self._clocks.note(turn, robot, skew_s)
            note_map_switch(turn, self.fleet, robot)
            complete_order(turn, self.fleet, robot)
            catch_up(turn, self.fleet, robot)
            self._steering.place(turn, robot)
            free_what_is_behind(turn, self.fleet, self._steering.monitor, robot)
        if findings or any(self._is_of_consequence(record, event) for event in news):
            self._advance()

    def _skew_to_keep(self, events: Sequence[link_events.LinkEvent], record: RobotRecord) -> float | None:
        reports = (event.report for event in events if isinstance(event, link_events.Reported))
        return next((skew_s for report in reports if (skew_s := self._clocks.hear(report, record)) is not None), None)

    def _is_of_consequence(self, record: RobotRecord, event: link_events.LinkEvent) -> bool:
        """Whether anything may follow from news; not when a robot that stands only shows another number for grants."""
        if not isinstance(event, link_events.Reported) or record.report is None:
            return True
        return self._tells(replace(record, report=replace(record.report, nonce=event.report.nonce)), event.report)

    def _tells(self, record: RobotRecord, report: RobotReport) -> bool:
        return (
            is_news(record.report, report)
            or has_strayed(self.fleet, replace(record, report=report))
            or self._steering.has_shifted(record, report)
        )

    def _note_connection(self, turn: Turn, robot: RobotId, event: link_events.LinkEvent) -> None:
        is_broken = isinstance(event, link_events.Announced) and event.connection is ConnectionState.CONNECTIONBROKEN
        if is_broken and self._intake.note_broken(robot, at_s=turn.at_s):
            tell_of_contested_connection(turn, robot)

    def _note_answer(self, robot: RobotId, event: link_events.LinkEvent, *, at_s: float) -> None:
        """Leave a robot alone that refused an order, for a while, or does not answer one, until it does."""
        match event:
            case link_events.OrderRejected():
                self._not_before_s[robot] = at_s + self.fleet.policy.retry_after_s
            case link_events.OrderUnanswered():
                self._not_before_s[robot] = math.inf
            case link_events.OrderAcknowledged() | link_events.OrderForgotten():
                self._not_before_s.pop(robot, None)
            case _:
                pass

    def _is_news(self, robot: RobotId, event: link_events.LinkEvent) -> bool:
        match event:
            case link_events.Reported():
                self._live[robot] = event.report
                self._complaints[robot] = event.faults
                if self._intake.note_place(robot, event.report.pose, at_s=self._clock.monotonic_s()):
                    self.quarantine(self._links[robot].address.prefix, "says again and again to be where it cannot be")
                return self._tells(self._records[robot], event.report)
            case link_events.JournalTold():
                record = self._records[robot]
                return not is_known(event, journal=record.journal, last=record.journal_last)
            case link_events.FactsheetReceived():
                is_same = self._factsheets.get(robot) == event.factsheet
                self._factsheets[robot] = event.factsheet
                return not is_same
            case link_events.MessageRefused():
                # It changes nothing, so it costs nothing either: no transaction, whoever floods us.
                self.refused[robot] += 1
                self._note_refused(robot, event)
                return False
            case _:
                return True

    def _note_refused(self, robot: RobotId, event: link_events.MessageRefused) -> None:
        commonest = self._intake.note_refused(robot, event.reason, at_s=self._clock.monotonic_s())
        if commonest is not None and not self._is_quarantined(robot):
            self.quarantine(
                self._links[robot].address.prefix,
                f"sends messages that cannot be used, most often so: {commonest.rstrip('.')}",
            )

    def _advance(self) -> None:
        with self._turn() as turn:
            self._steering.take_up(turn)
            self._cancelling.ask_again(turn)
            look_at_what_was_asked(turn, self.fleet)
            note_arrivals(turn, self.fleet)
            self._notice_who_left(turn)
            call_receivers(turn, self.fleet.policy.custody)
            call_to_robots(turn, self.fleet, self._live)
            reroute_what_was_accepted(turn, self.fleet, reported=self._live.keys(), distance=self._steering.distance_m)
            self._readiness.look(turn, reported=self._live.keys())
            progress_trips(turn)
            tell_who_waits_for_held(turn)
            resting = self._resting(turn)
            self._devices.look(turn)
            shut = closed_lanes(turn, (*self._closures, self._devices.closed))
            closed = closed_lanes(turn, (lambda _turn: shut, self._clearing.closed))
            kept = self._clearing.kept_in_place(turn)
            unserved = self._clearing.unserved(turn)
            self._steering.close(turn, closed, shut=shut)
            let_out(turn, self.fleet, self._steering, self._building, reported=self._live.keys())
            self._dispatcher.dispatch(
                turn, reported=self._live.keys(), resting=resting | kept, unserved=unserved, closed=shut.lanes
            )
            self._steering.steer(turn, reported=self._live, kept=kept)
            stopped = self._clearing.clear_ways(turn, reported=self._live.keys())
            self._gates.hold_what_is_needed({robot: self._whereabouts(turn, robot) for robot in self.fleet.robots})
            for robot in sorted(self.fleet.robots):
                if robot in self._live and robot not in resting and robot not in stopped:
                    send_what_is_free(turn, self.fleet, self._gates, self._steering.monitor, robot)
            self._arrivals.look(turn, reported=self._live.keys(), closed=shut.lanes)
            self._next_look_s = self._next_look(turn)

    def _notice_who_left(self, turn: Turn) -> None:
        """Look now and then whether whoever answers for something on its way still works here."""
        if turn.at_s < self._people_look_s:
            return
        self._people_look_s = turn.at_s + LATER_S
        left = notice_who_left(
            turn.uow, turn.deliveries.values(), at=turn.at, premises=self.fleet.premises, ids=turn.ids
        )
        for delivery in left:
            turn.has_read_again(delivery)

    def _whereabouts(self, turn: Turn, robot: RobotId) -> Whereabouts:
        record = turn.record(robot)
        return Whereabouts(
            lanes_ahead(record),
            standing_place(self.fleet, record),
            released=len(remaining_base(record)),
            is_crowded=is_crowded(record),
        )

    def _next_look(self, turn: Turn) -> float:
        """Return when time alone may bring something; all else comes with a message, a device or a command."""
        if turn.has_changed:
            return turn.at_s + SOON_S
        rested_s = min((end_s for end_s in self._not_before_s.values() if end_s > turn.at_s), default=math.inf)
        waited_s = min(self._steering.patience_ends_s(turn.at_s), self._readiness.next_s(turn.at_s))
        return min(turn.at_s + LATER_S, rested_s, waited_s)

    def _resting(self, turn: Turn) -> frozenset[RobotId]:
        return frozenset(
            robot
            for robot, until_s in self._not_before_s.items()
            if turn.at_s < until_s and (until_s < math.inf or turn.record(robot).phase is OrderPhase.WANTED)
        )

    @contextmanager
    def _turn(self) -> Generator[Turn]:
        try:
            with self._store.transaction() as uow:
                turn = Turn(
                    uow,
                    at=self._clock.now(),
                    at_s=self._clock.monotonic_s(),
                    ids=self._ids,
                    records=self._records,
                )
                yield turn
            self._records.update(turn.changed)
            self._hand_over(turn.wants)
            for message in turn.unwanted:
                self._ask_no_more(message)
        except BaseException:
            self._read_back()
            raise

    def _hand_over(self, wants: Sequence[OutboxMessage]) -> None:
        at_s = self._clock.monotonic_s()
        for message in wants:
            link = self._links[message.robot]
            if message.order is not None:
                link.want_order(message.order, at_s=at_s)
            elif message.action is not None:
                link.want_action(message.action, at_s=at_s)

    def _flush(self) -> None:
        """Send what is due, and heed what the silence of robots tells."""
        for robot, link in self._links.items():
            if not link.is_due(at_s=self._clock.monotonic_s()):
                continue
            due = link.due(at_s=self._clock.monotonic_s(), now=self._clock.now())
            for publish in due.publishes:
                self._transport.publish(publish.topic, publish.payload, qos=publish.qos, retain=publish.retain)
            if due.events:
                self._heed(robot, due.events)
        if self._building.advance():
            self._next_look_s = self._clock.monotonic_s()
        for observer in self.observers:
            observer()

    # -- what people see ------------------------------------------------------------------------------------------

    def now_s(self) -> float:
        """Return the control's monotonic time in seconds."""
        return self._clock.monotonic_s()

    def next_due_s(self) -> float:
        """Return when `tick` has to be called next, in monotonic seconds."""
        parts = (*self._links.values(), self._building, self._panels)
        return min([self._next_look_s, *(due for part in parts if (due := part.next_due_s()) is not None)])

    @property
    def complaints(self) -> Mapping[RobotId, Complaints]:
        """How each robot departs from the schema, since the start."""
        return self._watch.complaints

    def picture(self) -> FleetPicture:
        """Return where everything is now."""
        return FleetPicture(
            robots=tuple(self._robot_picture(robot) for robot in sorted(self.fleet.robots)),
            doors=self._building.doors(),
            lifts=self._building.lifts(),
        )

    def _robot_picture(self, robot: RobotId) -> RobotPicture:
        record = self._records[robot]
        report = self._live.get(robot) or record.report
        return RobotPicture(
            id=robot,
            model=self.fleet.models[robot].id,
            record=record,
            report=report,
            is_lost=record.lost_since is not None,
            battery=report.battery if report else None,
            factsheet=self._factsheets.get(robot),
            complaints=self._complaints.get(robot, ()),
            departures=dict(self._watch.complaints[robot].ways),
            refused_clock_off_s=self._links[robot].refused_clock_off_s,
        )


def _clock_off_s(record: RobotRecord) -> float | None:
    return None if record.report is None else record.report.clock_off_s


def _resume(
    link: RobotLink, record: RobotRecord, actions: Sequence[RobotAction], *, at_s: float, now: datetime
) -> None:
    # An order that is being cancelled, or is gone, is followed no more: the robot may report an older update of it.
    has_order = record.phase not in (OrderPhase.LOST, OrderPhase.CANCELLING)
    link.resume(
        record.order if has_order else None,
        record.phase is not OrderPhase.WANTED,
        actions,
        at_s=at_s,
        passed=record.passed,
        is_lost=record.lost_since is not None,
        last=record.report,
        now=now,
    )
