"""The orchestrator's side of one robot's link, sans-I/O: bytes and time in, bytes and events out.

Rules (design §7; VDA 5050 2.1 §6.6):

1. A robot has an order when its state echoes orderId and orderUpdateId; nothing else proves it. Until then the same
   order, with the same ids and content under a new header, is sent again for as long as it is wanted.
2. One order message is outstanding at a time; update ids only grow. While a cancelOrder is wanted no order goes out.
   What stays unanswered for the model's limit is told, and sent less and less often from then on.
3. A rejection counts only against what is outstanding, by its references. A refused message is not sent again.
4. cancelOrder is done when the robot says FINISHED, or that there is nothing to cancel; being listed is not being done.
   One that failed leaves the robot its order, but what was wanted before it is not sent any more.
5. The age of the last state alone says whether a robot is lost. A lost robot keeps its order on our books.
6. A message that is malformed, foreign, repeated or old changes nothing.

The caller has stored what it wants before it says so here (record, then act); nothing here is durable.
One thread calls; no call blocks. Time is handed in: monotonic seconds as ``at_s``, time of day as ``now``.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.fleet.model import ActionId, OrderId, Robot, RobotModel, RobotReport
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, RobotAction
from orchestrator.vda5050.action_dialogue import ActionDialogue
from orchestrator.vda5050.address import RobotAddress, TopicKind, address_of_robot
from orchestrator.vda5050.bounds import excess_of
from orchestrator.vda5050.codec import MalformedMessageError, decode_connection, decode_factsheet, decode_state, encode
from orchestrator.vda5050.dialect import STANDARD, Dialect
from orchestrator.vda5050.drawer_journal import JournalEar
from orchestrator.vda5050.events import (
    ActionFinished,
    ActionUnanswered,
    Announced,
    FactsheetReceived,
    JournalTold,
    LinkEvent,
    MessageRefused,
    OrderUnanswered,
    Reported,
    RobotLost,
    RobotReturned,
)
from orchestrator.vda5050.freshness import StateSequence
from orchestrator.vda5050.header import HeaderCounter
from orchestrator.vda5050.mapping import (
    faults_of_place,
    instant_actions_message,
    order_message,
    report_from_state,
)
from orchestrator.vda5050.messages import (
    Connection,
    ConnectionState,
    Factsheet,
    InstantActions,
    OldInstantActions,
    Order,
    State,
)
from orchestrator.vda5050.order_dialogue import OrderDialogue
from orchestrator.vda5050.questions import Questions
from orchestrator.vda5050.rejections import ErrorMark, marks_of_errors
from orchestrator.vda5050.requests import Request

_QUESTIONS = frozenset({ActionKind.REPORT_STATE, ActionKind.REPORT_FACTSHEET})


@dataclass(frozen=True, slots=True)
class Publish:
    """A message to hand to the broker, with its MQTT settings."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be sent now, and what the passing of time alone has brought about."""

    publishes: list[Publish]
    events: list[LinkEvent]


class RobotLink:
    """One robot's link as the orchestrator keeps it.

    Parameters
    ----------
    robot : Robot
        Who is at the other end, and which version it speaks.
    model : RobotModel
        Its limits: when to resend, when an answer is late, when silence means lost.
    at_s : float
        Monotonic seconds now; a robot that never reports is lost ``lost_after_s`` later.
    dialect : Dialect, optional
        How robots of its model speak.
    counter : HeaderCounter, optional
        Header ids to go on with.
    """

    def __init__(
        self,
        robot: Robot,
        model: RobotModel,
        *,
        at_s: float,
        dialect: Dialect = STANDARD,
        counter: HeaderCounter | None = None,
    ) -> None:
        self._robot = robot.id
        self._address = address_of_robot(robot)
        self._model = model
        self._dialect = dialect
        self._counter = counter or HeaderCounter()
        self._begin_dialogues()
        self._questions = Questions(
            interval_s=model.state_interval_s,
            lost_after_s=model.lost_after_s,
            may_ask=dialect.may_be_asked,
            at_s=at_s,
        )
        self._question_headers: deque[int] = deque(maxlen=3)
        self._sequence = StateSequence(quiet_after_s=model.state_interval_s)
        self._journal = JournalEar()
        self._heard_s = at_s
        self._is_lost = False
        self._refused = ""
        self._report: RobotReport | None = None
        self._errors: frozenset[ErrorMark] | None = None
        self._connection: ConnectionState | None = None
        self._reckon_next()

    def _begin_dialogues(self) -> None:
        limits = self._model
        self._orders = OrderDialogue(resend_after_s=limits.resend_after_s, answer_s=limits.order_answer_s)
        self._actions = ActionDialogue(
            resend_after_s=limits.resend_after_s, answer_s=limits.order_answer_s, key=self._dialect.instant_key
        )

    # -- what is known -------------------------------------------------------------------------------------------

    @property
    def address(self) -> RobotAddress:
        """Where the robot is on the broker."""
        return self._address

    @property
    def is_lost(self) -> bool:
        """Whether the robot has been silent for longer than its model allows."""
        return self._is_lost

    @property
    def report(self) -> RobotReport | None:
        """What the robot last said, None when it has not reported since this link began."""
        return self._report

    @property
    def refused_clock_off_s(self) -> float | None:
        """By how many seconds its clock is ahead, when that is why its states do not count."""
        return self._sequence.refused_clock_off_s

    @property
    def connection(self) -> ConnectionState | None:
        """What was last announced of the connection; no proof of anything."""
        return self._connection

    @property
    def outstanding_order(self) -> DriveOrder | None:
        """The order whose latest message the robot has not acknowledged."""
        request = self._orders.outstanding
        return request.order if request is not None else None

    @property
    def acknowledged_order(self) -> DriveOrder | None:
        """The order the robot has and is not done with, as far as it has confirmed it."""
        return self._orders.acknowledged

    @property
    def outstanding_actions(self) -> tuple[RobotAction, ...]:
        """The instant actions that are not over."""
        return tuple(request.action for request in self._actions.outstanding)

    # -- what is wanted ------------------------------------------------------------------------------------------

    def want_order(self, order: DriveOrder, *, at_s: float) -> None:
        """Send the order's current update, again and again, until the robot has it or refuses it.

        Raises
        ------
        OrderConflictError
            Another order message is unanswered, or the update id was used for other content.
        """
        self._orders.want(order, at_s=at_s, known=self._errors)
        self._reckon_next()

    def want_action(self, action: RobotAction, *, at_s: float) -> None:
        """Send an instant action until the robot lists it, and wait until it is over."""
        self._actions.want(
            action,
            at_s=at_s,
            known=self._errors,
            was_paused=None if self._report is None else self._report.is_paused,
            map_id=None if action.pose is None else self._dialect.frames.outward(action.pose).map_id,
        )
        self._reckon_next()

    def withdraw(self, order_id: OrderId) -> None:
        """Send no message of this order any more. What the robot already has it keeps; that takes a cancelOrder."""
        self._orders.withdraw(order_id)
        self._reckon_next()

    def withdraw_action(self, action_id: ActionId) -> None:
        """Send this instant action no more."""
        self._actions.withdraw(action_id)
        self._reckon_next()

    def let_clock_count(self, clock_off_s: float, *, now: datetime) -> None:
        """Let the robot's clock count though it is off by so much; a person said so, never a message."""
        self._sequence.let_count(clock_off_s, now=now)

    def forget_wants(self) -> None:
        """Send nothing any more that was wanted so far."""
        self._orders.withdraw()
        self._actions.withdraw()
        self._reckon_next()

    def resume(
        self,
        order: DriveOrder | None,
        acknowledged: bool,
        wanted_actions: Iterable[RobotAction] = (),
        *,
        at_s: float,
        passed: int = -1,
        is_lost: bool = False,
        last: RobotReport | None = None,
        now: datetime | None = None,
    ) -> None:
        """Go on from what was stored: after a restart of the orchestrator, or when what was told could not be kept.

        What was wanted and told before counts no more. Events of actions that were over before may be told once more;
        node events are not, up to ``passed``. When the robot was heard last, and in which state, is not forgotten.

        Parameters
        ----------
        order : DriveOrder or None
            The robot's order on our books.
        acknowledged : bool
            Whether the robot has confirmed its current update; if not, that is sent again, the same ids and content.
        wanted_actions : iterable of RobotAction
            The instant actions still wanted.
        at_s : float
            Monotonic seconds now.
        passed : int, optional
            Index of the last step known as passed, -1 for none.
        is_lost : bool, optional
            Whether the robot is lost on our books, so that its return is told.
        last : RobotReport, optional
            What the robot last said, as far as it is on our books: whatever is not newer does not count.
        now : datetime, optional
            Our time of day, needed with ``last``: nor does what was sent before.
        """
        self._begin_dialogues()
        self._journal = JournalEar()
        if last is not None and last.sent_at is not None:
            assert now is not None, "what was said last is told together with the time it is now"
            self._sequence.remember(
                header_id=last.message_number,
                timestamp=last.sent_at,
                received_at=last.received_at,
                at_s=at_s,
                now=now,
                clock_off_s=last.clock_off_s,
            )
        if self._report is None:
            self._heard_s = at_s
        self._is_lost = is_lost
        if order is not None:
            self._orders.resume(order, is_acknowledged=acknowledged, passed=passed, at_s=at_s)
        for action in wanted_actions:
            self.want_action(action, at_s=at_s)
        self._reckon_next()

    # -- what the robot says -------------------------------------------------------------------------------------

    def receive(
        self, kind: str, payload: bytes, *, at_s: float, now: datetime, is_retained: bool = False
    ) -> list[LinkEvent]:
        """Take in a message and return what it brings about.

        Parameters
        ----------
        kind : str
            The last level of the topic it came on.
        payload : bytes
            The message.
        at_s, now
            Our monotonic seconds and time of day.
        is_retained : bool, optional
            Whether the broker had kept it; a kept state is old, whatever it says.
        """
        try:
            if kind == TopicKind.STATE:
                return self._receive_state(payload, at_s=at_s, now=now, is_retained=is_retained)
            if kind == TopicKind.CONNECTION:
                return self._receive_connection(payload)
            if kind == TopicKind.FACTSHEET:
                return self._receive_factsheet(payload)
        except MalformedMessageError as error:
            if kind == TopicKind.STATE:
                self._refused = error.message
            return [MessageRefused(kind, error.message)]
        # Visualization repeats what states say, for viewers; nothing else is a robot's to send.
        return [] if kind == TopicKind.VISUALIZATION else [MessageRefused(kind[:64], "a robot does not send this")]

    def _receive_state(self, payload: bytes, *, at_s: float, now: datetime, is_retained: bool) -> list[LinkEvent]:
        decoded = decode_state(payload)
        state = decoded.message
        why = self._foreign(state) or ("the broker had kept it" if is_retained else None) or excess_of(state)
        self._refused = why or ""
        if why is None:
            why = self._sequence.objection(
                header_id=state.header_id, timestamp=state.timestamp, payload=payload, at_s=at_s, now=now
            )
            if why is not None:
                self._refused = self._sequence.in_words(why, timestamp=state.timestamp, now=now)
        if why is not None:
            return [MessageRefused(TopicKind.STATE, why)]
        if self._model.footprint and any(fault.path == "agvPosition.theta" for fault in decoded.faults):
            state = state.model_copy(update={"agv_position": None})  # what it covers depends on its heading
        report = report_from_state(
            state, robot=self._robot, received_at=now, dialect=self._dialect, faults=decoded.faults
        )
        if self._sequence.clock_off_s is not None:
            report = replace(report, clock_off_s=self._sequence.clock_off_s)
        self._questions.hear(state, at_s=at_s)
        if self._questions.heed_refused_messages(state, self._question_headers):
            self._actions.key = self._actions.key.other
        events = self._returned()
        self._heard_s, self._is_lost = at_s, False
        self._report, self._errors = report, marks_of_errors(state.errors)
        events.append(Reported(report, (*decoded.faults, *faults_of_place(state, self._dialect))))
        events.extend(self._orders.hear(state, report, is_cancelling=self._actions.is_cancelling))
        for request, outcome in self._actions.hear(state, report, at_s=at_s):
            if request.action.kind is ActionKind.CANCEL_ORDER:
                self._orders.note_cancel(asked_s=request.asked_s, is_done=isinstance(outcome, ActionFinished))
            events.append(outcome)
        journal = self._journal.hear(state.information)
        if journal is not None:
            events.append(JournalTold(journal, state.timestamp))
        self._reckon_next()
        return events

    def _returned(self) -> list[LinkEvent]:
        """Return that a lost robot is back, and send at once again what it has not answered."""
        if not self._is_lost:
            return []
        for request in self._requests():
            request.begin_anew()
        return [RobotReturned()]

    def _receive_connection(self, payload: bytes) -> list[LinkEvent]:
        message = decode_connection(payload).message
        why = self._foreign(message)
        if why is not None:
            return [MessageRefused(TopicKind.CONNECTION, why)]
        if message.connection_state is self._connection:
            return []
        self._connection = message.connection_state
        return [Announced(message.connection_state)]

    def _receive_factsheet(self, payload: bytes) -> list[LinkEvent]:
        self._questions.note_factsheet()  # also one that cannot be read: asking again brings the same
        decoded = decode_factsheet(payload)
        why = self._foreign(decoded.message)
        if why is not None:
            return [MessageRefused(TopicKind.FACTSHEET, why)]
        return [FactsheetReceived(decoded.message, decoded.faults)]

    def _foreign(self, message: State | Connection | Factsheet) -> str | None:
        address = self._address
        if (message.manufacturer, message.serial_number) == (address.manufacturer, address.serial_number):
            return None
        return f"its header names another robot ({message.manufacturer[:64]} {message.serial_number[:64]})"

    # -- what time brings ----------------------------------------------------------------------------------------

    def due(self, *, at_s: float, now: datetime) -> Due:
        """Return what is to be sent by now and what has become late; calling again at once returns nothing."""
        if not self.is_due(at_s=at_s):
            return Due([], [])
        due = Due(publishes=list(self._publishes(at_s, now)), events=list(self._late(at_s)))
        self._reckon_next()
        return due

    def is_due(self, *, at_s: float) -> bool:
        """Whether `due` has something by now."""
        return at_s >= self._next_s

    def next_due_s(self) -> float | None:
        """Return the monotonic time at which `due` has something again; None when only a message can bring news."""
        return None if self._next_s == math.inf else self._next_s

    def _reckon_next(self) -> None:
        """Note when `due` has something again; after everything that may have changed that."""
        times = [math.inf if self._is_lost else self._lost_at_s]
        times.append(self._questions.next_s(is_lost=self._is_lost))
        for request in self._requests():
            times.append(request.tell_at_s)
            if self._may_send(request):
                times.append(request.send_at_s)
        self._next_s = min(times)

    @property
    def _lost_at_s(self) -> float:
        return self._heard_s + self._questions.lost_after_s

    def _requests(self) -> Iterator[Request]:
        yield from self._actions.outstanding
        if self._orders.outstanding is not None:
            yield self._orders.outstanding

    def _may_send(self, request: Request) -> bool:
        return request is not self._orders.outstanding or not self._actions.is_cancelling

    def _publishes(self, at_s: float, now: datetime) -> Iterator[Publish]:
        for asked in self._actions.outstanding:
            if at_s >= asked.send_at_s:
                header = self._counter.stamp(TopicKind.INSTANT_ACTIONS, address=self._address, now=now)
                asked.note_sent(header_id=header["header_id"], at_s=at_s)
                key = self._actions.key_for(asked)
                message = instant_actions_message(asked.action, header=header, dialect=self._dialect, key=key)
                yield self._publish(TopicKind.INSTANT_ACTIONS, message)
        wanted = self._orders.outstanding
        if wanted is not None and self._may_send(wanted) and at_s >= wanted.send_at_s:
            header = self._counter.stamp(TopicKind.ORDER, address=self._address, now=now)
            wanted.note_sent(header_id=header["header_id"], at_s=at_s)
            yield self._publish(TopicKind.ORDER, order_message(wanted.order, header=header, dialect=self._dialect))
        yield from self._asked(at_s, now)

    def _asked(self, at_s: float, now: datetime) -> Iterator[Publish]:
        for kind in self._questions.take(at_s=at_s, is_lost=self._is_lost):
            header = self._counter.stamp(TopicKind.INSTANT_ACTIONS, address=self._address, now=now)
            self._question_headers.append(header["header_id"])
            action = self._questions.next_action(kind, now=now)
            message = instant_actions_message(action, header=header, dialect=self._dialect, key=self._actions.key)
            yield self._publish(TopicKind.INSTANT_ACTIONS, message)

    def _publish(self, kind: TopicKind, message: Order | InstantActions | OldInstantActions) -> Publish:
        payload = encode(message, version=self._address.version)
        return Publish(self._address.topic(kind), payload, kind.qos, kind.is_retained)

    def _late(self, at_s: float) -> Iterator[LinkEvent]:
        if not self._is_lost and at_s >= self._lost_at_s:
            self._is_lost = True
            yield RobotLost(at_s - self._heard_s, self._refused)
        for asked in self._actions.outstanding:
            if at_s >= asked.tell_at_s:
                asked.is_told = True
                if asked.action.kind in _QUESTIONS:
                    # A robot that answers no question will not answer it the hundredth time either.
                    self._actions.withdraw(asked.action.id)
                yield ActionUnanswered(asked.action.id, at_s - asked.asked_s)
        wanted = self._orders.outstanding
        if wanted is not None and at_s >= wanted.tell_at_s:
            wanted.is_told = True
            yield OrderUnanswered(wanted.order.id, wanted.order.update_id, at_s - wanted.asked_s)
